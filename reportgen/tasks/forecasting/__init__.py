"""Forecasting of sequences of numbers."""
