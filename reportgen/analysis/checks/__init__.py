"""What a reader should know before believing the numbers: checks of data, runs and results, each with a code."""
