"""The two-line form: a line for the training part and one for the test or validation part, epoch by epoch.

    Train Epoch: 1 Loss: 0.589669 Acc: 0.674022
    Test set: Average loss: 0.4921, Accuracy: 0.7615

Our own reports print it, too. Labels may be in Chinese; other lines, such as a progress bar's, are passed over.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from reportgen.importers.log import Log, Row, assembled, lines_of, number, plain, refuse, shortened, whole
from reportgen.suite.imports import ImportSettings

_LOSS, _ACCURACY = r"(?:loss|损失)", r"(?:acc(?:uracy)?|准确率|正确率|精度)"
_FIGURES = rf"{_LOSS}\s*[:=]?\s*(?P<loss>\S+?)(?:[\s,;|]+(?:train\s+)?{_ACCURACY}\s*[:=]?\s*(?P<accuracy>.+?))?"
_TRAIN = re.compile(
    rf"(?:train(?:ing)?\s+|训练)?(?:epoch|轮次)\s*:?\s*(?P<epoch>[^\s,;|:/]+)(?:\s*/\s*\d+)?[\s,;|:]+"
    rf"(?:train(?:ing)?\s+|训练)?{_FIGURES}",
    re.IGNORECASE,
)
_EVALUATION = re.compile(
    rf"(?P<part>test|val(?:id(?:ation)?)?|测试|验证)\s*(?:set|集)\s*:\s*(?:average\s+|平均)?{_FIGURES}",
    re.IGNORECASE,
)
_KEPT = re.compile(r"kept\s+epoch\s*:\s*(?P<epoch>\S+)", re.IGNORECASE)
_STOPPED = re.compile(r"(?:diverged|failed)\s*:\s*(?P<why>.*)", re.IGNORECASE)
_OURS = re.compile(
    r"(?:train|epoch|轮次|训练|kept\s|(?:diverged|failed)\s*:|(?:test|val\w*)\s*set|测试|验证)", re.IGNORECASE
)
_BAR = re.compile(r"%\s*\|")  # of tqdm
_COUNTED = re.compile(r"(\d{1,15})\s*/\s*(\d{1,15})(?:\s*\([^)]*\))?")

_FORM = "`Train Epoch: 1 Loss: 0.589669 Acc: 0.674022` and `Test set: Average loss: 0.4921, Accuracy: 0.7615`"


@dataclass
class _Found:
    rows: list[Row] = field(default_factory=list)
    final: dict[str, float] = field(default_factory=dict)
    kept_epoch: int = 0
    stopped: str = ""


def read(file: Path, content: bytes, settings: ImportSettings) -> Log:
    """Read a log in the two-line form; InputError names the line of what is not."""
    found = _Found()
    for line, text in enumerate(lines_of(file, content), start=1):
        said = plain(text)
        if _OURS.match(said) and not _BAR.search(said):
            _take(found, file, line, said, settings)
    if found.rows:
        _check_evaluations(file, found)
    return assembled(file, found.rows, final=found.final, kept_epoch=found.kept_epoch, stopped=found.stopped)


def _take(found: _Found, file: Path, line: int, said: str, settings: ImportSettings) -> None:
    if match := _TRAIN.fullmatch(said):
        epoch = whole(file, line, match["epoch"])
        found.rows.append(Row(line, epoch, _figures(file, line, match, "train", settings)))
    elif match := _EVALUATION.fullmatch(said):
        _evaluated(found, file, line, match, settings)
    elif match := _KEPT.fullmatch(said):
        found.kept_epoch = whole(file, line, match["epoch"])
    elif match := _STOPPED.fullmatch(said):
        found.stopped = match["why"]
    else:
        raise refuse(file, line, shortened(said), _FORM)


def _evaluated(found: _Found, file: Path, line: int, match: re.Match[str], settings: ImportSettings) -> None:
    part = "test" if match["part"].lower() in ("test", "测试") else "validation"
    figures = _figures(file, line, match, part, settings)
    if not found.rows:
        raise refuse(file, line, f"a {part} line first", "the line of the training part before it")
    known = found.rows[-1].values
    if part == "test" and any(name.startswith("validation_") for name in known):
        if found.final:
            raise refuse(file, line, "a second test line", "one, after the last epoch")
        found.final.update(figures)
    elif known.keys() & figures.keys():
        raise refuse(file, line, f"a second {part} line in epoch {found.rows[-1].epoch}", "one an epoch")
    else:
        known.update(figures)


def _figures(file: Path, line: int, match: re.Match[str], part: str, settings: ImportSettings) -> dict[str, float]:
    loss = number(file, line, match["loss"].rstrip(",;"), f"{part}_loss")
    if match["accuracy"] is None:
        return {f"{part}_loss": loss}
    name = f"{part}_accuracy"
    if counted := _COUNTED.fullmatch(match["accuracy"]):  # 9773/10000 (98%)
        right, all_ = int(counted[1]), int(counted[2])
        if not 0 < all_ >= right:
            raise refuse(file, line, shortened(match["accuracy"]), "at most as many right as there are", name)
        return {f"{part}_loss": loss, name: right / all_}
    return {f"{part}_loss": loss, name: number(file, line, match["accuracy"], name, percent=settings.percent)}


def _check_evaluations(file: Path, found: _Found) -> None:
    """See that every epoch has the lines that the first one has; the last may have lost its own to a NaN."""
    first = {name for name in found.rows[0].values if name.endswith("_loss")}
    for row in found.rows[1:]:
        for name in sorted(first ^ {name for name in row.values if name.endswith("_loss")}):
            part = name.removesuffix("_loss")
            if name in first and not (row is found.rows[-1] and found.stopped):
                raise refuse(file, row.line, f"epoch {row.epoch} without a {part} line", "one, as epoch 1 has")
            if name not in first:
                raise refuse(file, row.line, f"a {part} line in epoch {row.epoch}", "none, as epoch 1 has none")
