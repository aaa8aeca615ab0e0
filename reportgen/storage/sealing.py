"""A manifest inside a report, with a digest of the file that it lies in: the seal.

The seal stands in the file that it is a digest of, so it is taken over the file with zeros in its place.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

NAME = "reportgen-manifest.json"
"""The manifest's name among the attachments of a PDF."""

ELEMENT = '<script type="application/json" id="reportgen-manifest">'
"""What the manifest stands in, in HTML."""

_BLANK = "0" * 64


def unsealed(manifest: Mapping[str, Any], **more: Any) -> bytes:
    """Return the manifest as JSON in ASCII that may stand in HTML, with room for the seal."""
    text = json.dumps({**manifest, **more, "seal": _BLANK}, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def sealed(content: bytes) -> bytes:
    """Return the file with its seal where `unsealed` has left room for it."""
    seal = hashlib.sha256(content).hexdigest()
    return content.replace(_stamp(_BLANK), _stamp(seal), 1)


def is_whole(content: bytes, seal: str) -> bool:
    """Tell whether the file is what was sealed."""
    blank = content.replace(_stamp(seal), _stamp(_BLANK), 1)
    return blank != content and hashlib.sha256(blank).hexdigest() == seal


def in_html(html: str, manifest: Mapping[str, Any], text: str) -> bytes:
    """Return the HTML with the manifest in its head, sealed; `text` is the Markdown that it was made from."""
    element = f"{ELEMENT}{unsealed(manifest, text=digest(text)).decode()}</script>\n</head>"
    return sealed(html.replace("</head>", element, 1).encode())


def digest(content: bytes | str) -> str:
    """Return the SHA-256 of a file or of a text, in hexadecimal digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _stamp(seal: str) -> bytes:
    return f'"seal":"{seal}"'.encode()
