"""What is imported before it is copied: all that fills in and typesets reports, its templates compiled."""

from contextlib import suppress

from reportgen.errors import MissingPrerequisiteError
from reportgen.report import guarded as guarded
from reportgen.report import html as html
from reportgen.report import markdown
from reportgen.report.pdf import load_weasyprint

with suppress(MissingPrerequisiteError):  # told by who needs it
    load_weasyprint()
markdown.compile_shipped()
