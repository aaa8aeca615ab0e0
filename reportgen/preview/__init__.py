"""`reportgen preview`: a local page that shows the report and follows what is written. Never trains."""
