"""Logs of runs that were trained elsewhere, read into records. Imports no torch."""
