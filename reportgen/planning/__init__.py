"""The stages *load* and *plan*: what a suite asks for, what is there already, and what has to be trained."""
