"""The stages *write* and *typeset*: templates give Markdown, Markdown gives HTML and PDF."""
