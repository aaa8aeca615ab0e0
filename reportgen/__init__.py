"""Lab reports on recurrent networks, generated: a YAML suite in, a bilingual PDF out."""

__version__ = "0.1.0"
