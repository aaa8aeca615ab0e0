"""What produces numbers: data, models, training, and the content of a record.

Only code in this package, and what it imports, can change a number; its source is part of every run's key.
"""
