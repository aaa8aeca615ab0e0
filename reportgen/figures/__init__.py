"""The stage *draw*: DataFrames become figures. No statistic is computed here."""
