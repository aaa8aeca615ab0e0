"""What the student asks for: the schema, the YAML with its line numbers, the expansion into runs."""
