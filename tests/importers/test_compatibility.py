"""Other people's files: each kind is read to the figure or refused, as docs/compatibility.md says."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from kinds import LINE_LOGS, SERIES, TABLE_LOGS, TABLES, Kind

from reportgen.errors import ReportgenError
from reportgen.importers.log import Log
from reportgen.importers.records import read
from reportgen.suite.imports import ImportSettings
from reportgen.tasks.classification import data as classification_data
from reportgen.tasks.classification.settings import SplitSettings, TableSettings
from reportgen.tasks.forecasting import data as forecasting_data
from reportgen.tasks.forecasting.settings import SeriesSettings

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


def summary(log: Log) -> str:
    """Say what was read of a log, and what was left."""
    names = ("train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy", "seconds")
    columns = {name: name.replace("heldout", log.heldout) for name in names}
    said = []
    for column, name in columns.items():
        values = [row[column] for row in log.epochs]
        if not all(map(math.isnan, values)):
            said.append(" ".join([name, *("-" if math.isnan(value) else f"{value:.6g}" for value in values)]))
    if not (math.isnan(log.test_loss) and math.isnan(log.test_accuracy)):
        said.append(f"test {log.test_loss:.6g}, {log.test_accuracy:.6g}")
    said += ["stopped"] if log.stopped else []
    said += [f"unread: {'; '.join(log.unread)}"] if log.unread else []
    return "; ".join([*said, *([log.encoding] if log.encoding != "UTF-8" else [])])


def of_log(file: Path, kind: Kind) -> str:
    """Read a log."""
    return summary(read(file, ImportSettings.model_validate({"path": str(file), **kind.asked})))


def of_table(file: Path, kind: Kind) -> str:
    """Read a table of texts, and make numbers of it."""
    source = file.suffix.removeprefix(".")
    split = SplitSettings(test=0.4, validation=0.0)
    settings = TableSettings.model_validate({"source": source, "file": str(file), "split": split, **kind.asked})
    data = classification_data.prepare.__wrapped__(settings)
    facts, texts = data.facts, list(data.texts)
    said = [f"{len(texts)} texts in {', '.join(facts.classes)}", f"the last {texts[-1]!r}"]
    said += [facts.tokens] if facts.tokens != "words" else []
    said += read_as(facts.reading[0].encoding, facts.reading[0].separator if source == "csv" else ",")
    said += [f"{spelling} is {name}" for spelling, name in facts.merged]
    said += [f"{facts.empty} empty"] if facts.empty else []
    return "; ".join(said)


def of_series(file: Path, kind: Kind) -> str:
    """Read a series, and cut it into windows."""
    settings = SeriesSettings.model_validate(
        {
            "source": "series",
            "file": str(file),
            "column": "Close",
            "window": 4,
            "test": 1,
            "stride": 1,
            **kind.asked,
        }
    )
    points, table = forecasting_data.read_column(settings)
    facts = forecasting_data.prepare.__wrapped__(settings).facts
    said = [
        f"{facts.points} numbers from {points[0]:g} to {points[-1]:g}",
        *read_as(table.encoding, table.separator),
    ]
    back = f" go back {table.backwards} times, first in line {table.backwards_line}" if table.backwards else ""
    return "; ".join([*said, *([f"dates in {table.dates}{back}"] if table.dates else [])])


def read_as(encoding: str, separator: str) -> list[str]:
    """Say what was not usual."""
    said = [] if encoding == "UTF-8" else [f"read as {encoding}"]
    return said + (
        [] if separator in (",", "") else [f"separated by {'tab' if separator == chr(9) else separator}"]
    )


def outcome(kind: Kind, reader: Callable[[Path, Kind], str], folder: Path) -> str:
    """Read a file of some kind; return what was read, or the message from the file's name on."""
    file = folder / kind.name
    file.write_bytes(kind.content if isinstance(kind.content, bytes) else kind.content.encode())
    try:
        return reader(file, kind)
    except ReportgenError as error:
        return str(error).removeprefix(f"{folder}/")


READERS: dict[str, tuple[list[Kind], Callable[[Path, Kind], str]]] = {
    "Logs of lines": (LINE_LOGS, of_log),
    "Logs that are tables or JSON": (TABLE_LOGS, of_log),
    "Tables of texts": (TABLES, of_table),
    "Series": (SERIES, of_series),
}
CASES = [(kind, reader) for kinds, reader in READERS.values() for kind in kinds]


@pytest.mark.parametrize(("kind", "reader"), CASES, ids=[f"{kind.name}: {kind.what}" for kind, _ in CASES])
def test_a_file_is_read_to_the_figure_or_refused_with_its_line(
    kind: Kind, reader: Callable[[Path, Kind], str], tmp_path: Path
) -> None:
    """Every figure is that of the file; what is left unread is named; what is in doubt is asked."""
    said = outcome(kind, reader, tmp_path)
    if kind.expected.startswith(f"{kind.name}:"):
        said = said[: len(kind.expected)]
    assert said == kind.expected


PREAMBLE = """# Files of other people's tools

What comes of them: each row is a file of `tests/kinds.py`, which a test reads, and this page is what it found
(`pytest tests/importers/test_compatibility.py --update-golden` writes it). After a line number stands the message
that refuses the file; all else was read. What a suite has to say is in *said*.
"""


def page(folder: Path) -> str:
    """Return the page: a table a group of kinds."""
    blocks = [PREAMBLE]
    for title, (kinds, reader) in READERS.items():
        rows = []
        for kind in kinds:
            said = ", ".join(
                f"`{name}: {json.dumps(value, ensure_ascii=False)}`" for name, value in kind.asked.items()
            )
            cells = (kind.what, said, outcome(kind, reader, folder))
            rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
        blocks.append(
            "\n".join([f"## {title}\n", "| file | said | what comes of it |", "|:---|:---|:---|", *rows, ""])
        )
    return "\n".join(blocks)


def test_the_page_says_what_comes_of_each_file(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """docs/compatibility.md is what the readers do, and not what somebody remembers of them."""
    text = page(tmp_path)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text
