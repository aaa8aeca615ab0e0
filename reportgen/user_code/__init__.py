"""Validation of a student's classes and functions, and the subprocess in which they run."""
