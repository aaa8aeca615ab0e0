"""What is imported before it is copied: all that fills in reports, with the templates that ship compiled."""

from reportgen.report import additions as additions
from reportgen.report import forecasts as forecasts
from reportgen.report import guarded as guarded
from reportgen.report import markdown

markdown.compile_shipped()
