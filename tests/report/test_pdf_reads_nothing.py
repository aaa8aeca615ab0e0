"""A PDF is made of what is inside its document: nothing else on this machine or beyond is read."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typeset_documents import typeset

from reportgen.errors import TypesetError
from reportgen.report.pdf import to_pdf


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[str]]]:
    """A real server on this machine: its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/css")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}", asked
    running.shutdown()
    thread.join()
    running.server_close()


ASKING = {
    "img": '<img alt="x" src="{url}">',
    "link": '<link rel="stylesheet" href="{url}">',
    "import": '<style>@import url("{url}");</style>',
    "font": '<style>@font-face {{ font-family: X; src: url("{url}") }} p {{ font-family: X }}</style><p>x</p>',
    "background": '<p style="background: url({url})">x</p>',
    "content": '<style>p::before {{ content: url("{url}") }}</style><p>x</p>',
    "object": '<object data="{url}" type="image/png"></object>',
    "embed": '<embed src="{url}" type="image/png">',
    "attachment": '<link rel="attachment" href="{url}"><p>x</p>',
    "attached link": '<a rel="attachment" href="{url}">x</a>',
    "list": '<ul style="list-style-image: url({url})"><li>x</li></ul>',
    "border": '<p style="border-image: url({url}) 1">x</p>',
    "base": '<base href="{url}/"><img alt="x" src="picture.png">',
}


@pytest.mark.parametrize("way", ASKING)
@pytest.mark.parametrize("url", ["file:///etc/passwd", "{server}/x"])
def test_nothing_outside_the_document_is_read(way: str, url: str, server: tuple[str, list[str]]) -> None:
    """A document that asks for a file or an address is refused, by its name, and nobody is asked."""
    address, asked = server
    url = url.format(server=address)
    html = f'<html lang="en"><head><title>t</title></head><body>{ASKING[way].format(url=url)}</body></html>'
    with pytest.raises(TypesetError) as caught:
        to_pdf(html)
    assert url in str(caught.value)
    assert str(caught.value).endswith("a document may use only what is inside it")
    assert asked == []


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
DRAWING = {
    "image": SVG + '<image href="{url}" width="9" height="9"/></svg>',
    "image by xlink": SVG + '<image xlink:href="{url}" width="9" height="9"/></svg>',
    "use": SVG + '<use href="{url}#a"/></svg>',
    "import": SVG + '<style>@import "{url}";</style><rect width="9" height="9"/></svg>',
    "style": SVG + '<style>rect {{ fill: url({url}) }}</style><rect width="9" height="9"/></svg>',
    "fill": SVG + '<rect width="9" height="9" fill="url({url}#a)"/></svg>',
    "style sheet": '<?xml-stylesheet href="{url}"?>' + SVG + '<rect width="9" height="9"/></svg>',
    "entity": '<!DOCTYPE svg [<!ENTITY x SYSTEM "{url}">]>' + SVG + "<text>&x;</text></svg>",
    "parameter entity": '<!DOCTYPE svg [<!ENTITY % x SYSTEM "{url}"> %x;]>' + SVG + "</svg>",
    "declaration": '<!DOCTYPE svg SYSTEM "{url}">' + SVG + '<rect width="9" height="9"/></svg>',
    "foreign": SVG
    + '<foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="{url}"/></foreignObject></svg>',
}
"""Ways in which a picture may ask for a file or an address."""


LEFT_OUT = {"use", "style", "fill", "style sheet", "parameter entity", "declaration", "foreign"}
"""Those of which the rest is drawn; the others are no picture at all."""


def drawn(svg: str, folder: Path) -> str:
    """Return the text of a document with the picture, or the message with which it is refused."""
    (folder / "p.svg").write_text(svg, "utf-8")
    try:
        reader = typeset("# T\n\n![p](p.svg)", folder=folder)
    except TypesetError as error:
        return str(error)
    return "".join(page.extract_text() for page in reader.pages)


@pytest.mark.parametrize("way", DRAWING)
def test_a_picture_inside_reads_nothing_outside_either(
    way: str, server: tuple[str, list[str]], tmp_path: Path
) -> None:
    """An SVG picture that refers to a file or an address is refused, or drawn without it; nobody is asked."""
    address, asked = server
    (tmp_path / "secret").write_text("hidden words", "utf-8")
    for url in ((tmp_path / "secret").as_uri(), f"{address}/x.png"):
        found = drawn(DRAWING[way].format(url=url), tmp_path)
        assert ("it is broken, or uses what is outside it" in found) == (way not in LEFT_OUT)
        assert "hidden" not in found
    assert asked == []


def test_a_picture_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    """Entities that stand for ten of one another, nine deep, are no picture."""
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    (tmp_path / "p.svg").write_text(
        f'<!DOCTYPE svg [<!ENTITY l0 "ha">{laughs}]>{SVG}<text>&l9;</text></svg>', "utf-8"
    )
    with pytest.raises(TypesetError, match="it is broken"):
        typeset("# T\n\n![p](p.svg)", folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "content"), [("p.png", b"\x89PNG\r\n\x1a\nnothing"), ("p.svg", b"<svg"), ("p.jpg", b"")]
)
def test_a_picture_that_is_broken_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    """A picture that cannot be drawn is an error, rather than left out without a word."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TypesetError, match="it is broken"):
        typeset(f"# T\n\n![p]({name})", folder=tmp_path)


def test_the_server_would_have_been_seen(server: tuple[str, list[str]]) -> None:
    """The server that saw no request does see requests."""
    import urllib.request

    address, asked = server
    with urllib.request.urlopen(f"{address}/seen") as answer:  # noqa: S310 - on this machine
        assert answer.status == 200
    assert asked == ["/seen"]
    asked.clear()


def test_a_link_in_the_text_is_kept(server: tuple[str, list[str]]) -> None:
    """A reference to a web page is a link in the PDF; nothing is fetched for it."""
    address, asked = server
    reader = typeset(f"# T\n\n## A\n\n[here]({address}/page)")
    annotations: Any = reader.pages[-1]["/Annots"]
    assert [annotation.get_object()["/A"]["/URI"] for annotation in annotations] == [f"{address}/page"]
    assert asked == []
