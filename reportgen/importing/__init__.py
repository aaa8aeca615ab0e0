"""Logs of runs that were trained elsewhere: one reader a format, and the record that comes of a log. No torch."""
