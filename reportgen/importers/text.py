"""Logs of lines, as training scripts print them: a small grammar of names and numbers.

    Train Epoch: 1 Loss: 0.589669 Acc: 0.674022
    Test set: Average loss: 0.4921, Accuracy: 0.7615
    epoch: 001 | train loss 0.3 | val acc 85%
    第1轮 训练损失 0.52 准确率 87.3%

A line is names, each with a number after it. A name of one part holds for the names without a part after it. Lines
may stand behind what a logger puts before them. What is not read is named: nothing is passed over in silence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from reportgen.errors import refuse, shortened
from reportgen.importers.log import LARGEST_LOG, Log, Row, assembled, number, one_run, whole
from reportgen.importers.names import KNOWN, PARTS, in_english, is_part, listed, meaning, words_of
from reportgen.lab.data.encodings import decode
from reportgen.lab.data.tables import plain
from reportgen.suite.imports import ImportSettings

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]")
_REDRAWN = re.compile(r"\r|\x08+")
_PREFIX = re.compile(
    r"""(?:\[?\(?(?:
        \d{4}[-/.]\d\d?[-/.]\d\d?[T\ ]\d\d?:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?  # date and time
        | \d\d:\d\d:\d\d(?:[.,]\d+)?                                                        # time alone
        | (?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|SUCCESS|TRACE|NOTICE)\b
        | [A-Za-z_][\w.]*:[\w.<>]+:\d+(?=\s+-\s) | [\w./]+\.py:\d+                             # where in the code
        | (?:root|__main__|[\w.]*train\w*\.\w+)(?=\s*[:\]|-])
      )\)?\]?[\s:|,>-]*)+""",
    re.VERBOSE,
)
_BAR = re.compile(r"%\s*\||it/s|s/it")
_COMPLETED = re.compile(r"^(?:step\s+)?(\d+)/(\d+|Unknown)\s*(?:\[[=>.\s-]*\]|[━╸─╺]+|(?=-\s))[\s-]*(?=\D|\d+\D)")
_BATCH = re.compile(
    r"[\[(]\s*(\d+)\s*/\s*(\d+)\s*(?:\(\s*\d+(?:\.\d*)?\s*%\s*\)\s*)?[\])]"
    r"|\b(?:step|batch|iter(?:ation)?|iters?)\b\s*[:=#]?\s*[\[(]?\s*\d+(?:\s*/\s*\d+)?\s*[\])]?",
    re.IGNORECASE,
)
_EPOCH = re.compile(
    r"\b(?:epochs?|ep)\b\s*[:=#]?\s*[\[(]?\s*#?(\d[\d.]*|[^\s\d,;|:/\[(]+)(?:\s*/\s*\d+)?\s*[\])]?(?!\s*[a-z]*/)",
    re.IGNORECASE,
)
_ROUND = re.compile(
    r"第\s*(\d+)\s*(?:个)?\s*(?:轮次?|周期|epoch|个epoch)(?:\s*/\s*(?:共\s*)?\d+\s*轮?)?", re.IGNORECASE
)
_OF_IMAGES = re.compile(
    r"\b(?:on\s+)?(?:the\s+)?\d+\s+(train|training|test|validation)\s+(?:images|examples|samples|sentences)\b",
    re.I,
)
_TIMES = (
    r"\d+\s*m(?:in)?\s*\d+(?:\.\d+)?\s*s(?:ec)?\b|\d+:\d\d(?::\d\d)?(?:\.\d+)?"
    r"|\d+(?:\.\d+)?\s*(?:s|secs?|seconds?)\b(?!/)"
)
_PLAIN_NUMBER = r"[-+]?(?:\d+(?:[.,]\d+)*\.?|\.\d+)(?:[eE][-+]?\d+)?"
_VALUE = re.compile(
    rf"(?<![\w.])(?:(?P<counted>\d{{1,15}}\s*/\s*\d{{1,15}}(?:\s*\([^)]*\))?)(?![\w/])|(?P<time>{_TIMES})"
    rf"|(?P<rate>\d+(?:\.\d+)?\s*(?:ms|us|µs|ns|s)/\w+)"
    rf"|(?P<number>(?:{_PLAIN_NUMBER}|[-+]?(?:nan|inf(?:inity)?)\b)(?:\s*%)?)(?!\w))",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(\d{1,15})\s*/\s*(\d{1,15})(?:\s*\([^)]*\))?")
_QUOTED = re.compile(r"""["']([\w /.-]+)["']\s*:""")
_KEPT = re.compile(r"kept\s+epoch\s*:\s*(?P<epoch>\S+)", re.IGNORECASE)
_STOPPED = re.compile(r"(?:diverged|failed)\s*:\s*(?P<why>.*)", re.IGNORECASE)
_SEGMENT = re.compile(r"\s[-–—]+\s|^[-–—]+\s|[|,;:=\])}>[({]|\s{2,}")
_UNDERSTOOD = re.compile(r"\b(?:loss|acc(?:uracy)?)\b\s*[:=]", re.IGNORECASE)

FORM = "`Train Epoch: 1 Loss: 0.589669 Acc: 0.674022` and `Test set: Average loss: 0.4921, Accuracy: 0.7615`"
_MOST_NAMED = 12


class Figure(NamedTuple):
    """A name in a line and the number after it: what it means, or nothing where it is not understood."""

    name: str
    what: str
    text: str


@dataclass
class _State:
    rows: list[Row] = field(default_factory=list)
    after: dict[str, float] = field(default_factory=dict)
    """Test figures after those of the last epoch."""
    part: str = ""
    """What a heading such as `Eval begin` says of the lines after it."""
    kept_epoch: int = 0
    stopped: str = ""
    batch_lines: list[int] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)
    other: list[int] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=dict)
    """Names that are not understood, and the line where each is first."""
    columns: dict[str, str] = field(default_factory=dict)
    steps: dict[int, str] = field(default_factory=dict)
    """By epoch how many steps its bar has."""
    replaced: set[str] = field(default_factory=set)
    """What stands in the current row from a bar that may be drawn anew."""


def read(file: Path, content: bytes, settings: ImportSettings) -> Log:
    """Read a log of lines; DataError names the line of what is not understood."""
    if len(content) > LARGEST_LOG:
        raise refuse(file, 1, f"a file of {len(content):,} bytes", f"a log of at most {LARGEST_LOG:,}")
    decoded = decode(file, content, settings.encoding, "import.encoding")
    state = _State()
    for line, text in _lines(decoded.text):
        _take(state, file, line, text, settings)
    if not state.rows and state.unread and not state.stopped:
        name, line = next(iter(state.unread.items()))
        raise refuse(file, line, f"the name {shortened(name)}", f"a log of epochs, {FORM}")
    if state.batch_lines and not any(len(row.values) for row in state.rows[:-1]) and not state.stopped:
        expected = "a line of the mean over each epoch"
        raise refuse(file, state.batch_lines[0], "figures of single batches, and none of epochs", expected)
    rows = one_run(file, state.rows, settings.run)
    rows = _without_begun(state, rows)
    _check_named(file, settings, state)
    if rows:
        _check_evaluations(file, rows, stopped=bool(state.stopped))
    after = state.after if rows and rows[-1] is state.rows[-1] else {}
    return assembled(
        file,
        rows,
        final=after,
        kept_epoch=state.kept_epoch,
        stopped=state.stopped,
        columns=state.columns,
        unread=_unread(state),
        encoding=decoded.encoding,
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, without colours; of a line that is drawn anew, each of its states."""
    for number_, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        for state in _REDRAWN.split(_ESCAPES.sub("", line)):
            if state.strip():
                yield number_, state


def _take(state: _State, file: Path, line: int, text: str, settings: ImportSettings) -> None:
    said = _PREFIX.sub("", plain(text), count=1) if _PREFIX.match(plain(text)) else plain(text)
    if match := _KEPT.fullmatch(said):
        state.kept_epoch = whole(file, line, match["epoch"])
    elif match := _STOPPED.fullmatch(said):
        state.stopped = match["why"]
    elif _BAR.search(said):
        state.bars.append(line)
    else:
        _take_figures(state, file, line, said, settings)


def _take_figures(state: _State, file: Path, line: int, said: str, settings: ImportSettings) -> None:
    drawn = _COMPLETED.match(said)
    if drawn and drawn[1] != drawn[2]:
        state.bars.append(line)
        return
    if drawn and not state.part and state.rows and state.steps.setdefault(len(state.rows), drawn[2]) != drawn[2]:
        state.unread.setdefault(f"figures of other {drawn[2]} steps", line)  # what Keras's evaluate() draws
        return
    said = _QUOTED.sub(r"\1:", said[drawn.end() :] if drawn else said)
    said = _ROUND.sub(r" epoch \1 ", said)
    said = _OF_IMAGES.sub(r"\1 set", in_english(said))
    begun = _EPOCH.search(said)
    if begun and re.fullmatch(r"\d+\.\d*[1-9]\d*", begun[1]):  # within an epoch
        state.batch_lines.append(line)
        return
    if begun and meaning_of_epoch(said, begun):
        _begin(state, file, line, begun[1])
        said = f"{said[: begun.start()]} | {said[begun.end() :]}"
    else:
        begun = None
    if not drawn and _BATCH.search(said):
        state.batch_lines.append(line)
        return
    figures = _figures(file, line, said, state.part, settings)
    values = {f.what: _value(file, line, f, settings) for f in figures if f.what and f.what != "epoch"}
    if begun or values or any(_of_a_log(figure.name) for figure in figures):
        for figure in figures:
            if not figure.what and figure.name:
                state.unread.setdefault(figure.name, line)
    else:
        figures = []
    if not values:
        _take_heading(state, line, said, begun=bool(begun), figures=bool(figures))
        return
    _put(state, file, line, values, drawn=bool(drawn))
    state.columns |= {f.what: f.name for f in figures if f.what in values and f.what not in state.columns}


def meaning_of_epoch(said: str, begun: re.Match[str]) -> bool:
    """Tell whether a match is the number of the epoch that the line is of, as `best epoch: 3` is not."""
    before = _SEGMENT.split(said[: begun.start()])[-1].strip()
    if before and not is_part(before) and meaning(before) == "" and begun.start() > 0:
        return False
    return begun[1][0].isdigit() or bool(_UNDERSTOOD.search(said))


def _begin(state: _State, file: Path, line: int, written: str) -> None:
    epoch = whole(file, line, written)
    state.part = ""
    if not state.rows or state.rows[-1].epoch != epoch:
        state.rows.append(Row(line, epoch, {}))
        state.after, state.replaced = {}, set()


def _take_heading(state: _State, line: int, said: str, *, begun: bool, figures: bool) -> None:
    heading = re.sub(
        r"\b(?:begin|begins|start|starts|started|results?|metrics|samples|ing)\b", "", said, flags=re.I
    )
    if part := is_part(
        _SEGMENT.sub(" ", re.sub(r"[\d.]+|evaluating", " eval " if "valuating" in said else " ", heading))
    ):
        state.part = "validation" if part == "validation" else part
    if not begun and not figures:
        state.other.append(line)


def _figures(file: Path, line: int, said: str, heading: str, settings: ImportSettings) -> list[Figure]:
    """Return the names of a line with their numbers; those of no part are of the part named before them."""
    found: list[Figure] = []
    part, end = heading, 0
    measured: dict[str, set[str]] = {part: set()} if part else {}
    for match in _VALUE.finditer(said):
        between, end = said[end : match.start()], match.end()
        segments = [piece.strip() for piece in _SEGMENT.split(between) if any(map(str.isalpha, piece))]
        for segment in segments[:-1]:
            part = is_part(segment) or part
        name = segments[-1] if segments else ""
        _check_followed(file, line, segments)
        what = _asked(name, settings) or ("" if name in settings.ignore else meaning(name))
        if what in ("loss", "accuracy"):
            part = part or "train"
            lacking = [other for other, seen in measured.items() if other != part and what not in seen]
            if lacking and what == "accuracy":
                got = f"{shortened(name)} after figures of {' and '.join(measured)}"
                hint = f"say import.columns: {{{part}_accuracy: {name}}}, or import.ignore: [{name}]"
                raise refuse(file, line, got, "a name that says of which part it is", hint=hint)
            what = f"{part}_{what}"
        elif what.startswith(PARTS):
            part = what.split("_")[0]
        if what.endswith(("_loss", "_accuracy")):
            measured.setdefault(part, set()).add(what.split("_")[1])
        if what in ("time", "seconds") or match["time"]:
            what = "time" if what == "time" else "seconds" if what == "seconds" else ""
        if match["rate"]:
            what = ""
        found.append(Figure(name, what, match[0]))
    rest = said[end:]
    if (
        _UNDERSTOOD.search(rest)
        and (segment := _SEGMENT.split(rest.rstrip())[-1].strip())
        and not segment.isspace()
    ):
        raise refuse(file, line, shortened(said), f"a number after each name: {FORM}")
    return found


def _asked(name: str, settings: ImportSettings) -> str:
    asked = settings.columns.model_dump().items()
    return next((what for what, named in asked if named is not None and named.lower() == name.lower()), "")


def _check_followed(file: Path, line: int, segments: list[str]) -> None:
    """Refuse a line with a loss or an accuracy that is followed by something other than a number."""
    for segment, after in pairwise(segments):
        what = meaning(segment)
        if what.endswith(("loss", "accuracy")):
            raise refuse(file, line, shortened(after), "a number", what)
        if any(map(str.isdigit, segment)) and any(
            word in ("loss", "acc", "accuracy") for word in words_of(segment)
        ):
            raise refuse(file, line, shortened(segment), f"a number after each name: {FORM}")


def _value(file: Path, line: int, figure: Figure, settings: ImportSettings) -> float:
    counted = _COUNTED.fullmatch(figure.text)
    if counted is None or not figure.what.endswith("accuracy"):
        return number(file, line, figure.text, figure.what, percent=settings.percent)
    right, all_ = int(counted[1]), int(counted[2])
    if not 0 < all_ >= right:
        raise refuse(file, line, shortened(figure.text), "at most as many right as there are", figure.what)
    return right / all_


def _of_a_log(name: str) -> bool:
    return any(word in KNOWN for word in words_of(name))


def _put(state: _State, file: Path, line: int, values: dict[str, float], *, drawn: bool) -> None:
    if not state.rows:
        got, part = (
            f"figures of {' and '.join(values)} first",
            "the number of their epoch before them, or beside them",
        )
        raise refuse(file, line, got, part)
    known = state.rows[-1].values
    if not any(what.endswith(("loss", "accuracy")) for what in values) and values.keys() != {"seconds"}:
        state.unread.setdefault("time", line)
        return
    again = {what for what in known.keys() & values.keys() if what not in state.replaced}
    if again and all(what.startswith("test_") for what in values) and not state.after:
        state.after = values
        return
    if again and any(known[what] != values[what] for what in again):
        what = sorted(again)[0]
        hint = "was it logged a step? import.ignore leaves it out"
        raise refuse(file, line, f"a second {what} in epoch {state.rows[-1].epoch}", "one an epoch", what, hint)
    known.update(values)
    state.replaced = (state.replaced | set(values)) if drawn else state.replaced - set(values)


def _without_begun(state: _State, rows: list[Row]) -> list[Row]:
    if len(rows) > 1 and not rows[-1].values and not state.stopped:
        state.unread.setdefault(f"epoch {rows[-1].epoch}, which has no figures", rows[-1].line)
        return rows[:-1]
    return [row for row in rows if row.values or not state.stopped]


def _check_named(file: Path, settings: ImportSettings, state: _State) -> None:
    """See that every name that the suite gives or leaves out is in the log."""
    names = {name.lower() for name in (*state.unread, *state.columns.values())}
    asked = {f"columns.{what}": name for what, name in settings.columns.model_dump().items() if name is not None}
    for where, name in (*asked.items(), *(("ignore", name) for name in settings.ignore)):
        if name.lower() not in names:
            raise refuse(file, 1, f"the names {listed(sorted(names))}", f"{name!r} among them", where)


def _check_evaluations(file: Path, rows: list[Row], *, stopped: bool) -> None:
    """See that a part is measured in every epoch, in every n-th, or in the last one alone."""
    for part in PARTS:
        places = [i for i, row in enumerate(rows, 1) if any(name.startswith(part) for name in row.values)]
        missing = [i for i in range(1, len(rows) + 1) if i not in set(places)]
        if not places or not missing or places == [len(rows)] or (stopped and missing == [len(rows)]):
            continue
        inner = places[:-1] if places[-1] == len(rows) else places
        steps = {b - a for a, b in pairwise(inner)}
        if len(places) > 1 and len(steps) == 1 and (step := steps.pop()) > 1 and len(rows) - inner[-1] < step + 1:
            continue
        row = rows[missing[0] - 1]
        expected = "one, as the others have, or one in every n-th epoch"
        raise refuse(file, row.line, f"epoch {row.epoch} without a {part} line", expected)


def _unread(state: _State) -> list[str]:
    named = [f"{name} (line {line})" for name, line in state.unread.items()]
    kinds = {
        "of single batches": state.batch_lines,
        "of progress bars": state.bars,
        "without figures": state.other,
    }
    counted = [
        f"{len(lines):,} line{'s' if len(lines) > 1 else ''} {kind} (the first: {lines[0]})"
        for kind, lines in kinds.items()
        if lines
    ]
    more = [f"{len(named) - _MOST_NAMED} more names"] if len(named) > _MOST_NAMED else []
    return [*named[:_MOST_NAMED], *more, *counted]
