"""What the name of a figure means, in a table, a JSON file, an event file or a line: one grammar for all of them.

A name is of a part (train, validation, test; or none) and of a measure (loss, accuracy, time, epoch), in English
or Chinese, with words around that say nothing. A name with any other word in it is not understood: `best val loss`
and `val f1` are no validation loss.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from reportgen.errors import refuse, shortened
from reportgen.suite.imports import MEASURES, Columns

PARTS = ("train", "validation", "test")
_WORDS = {
    "train": "train training trn",
    "validation": "val valid validation eval evaluation dev development",
    "test": "test testing tst",
    "loss": "loss cost",
    "accuracy": "acc accuracy",
    "time": "time elapsed duration runtime",
    "seconds": "seconds secs sec",
    "epoch": "epoch epochs ep",
    "": "set average avg mean categorical sparse binary the of network model on is data phase overall",
}
_MEANING = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
KNOWN = frozenset(word for word, meant in _MEANING.items() if meant)
"""The words that say something, which a line of figures has."""
_CHINESE = {
    "训练": "train", "验证": "validation", "开发": "dev", "测试": "test", "损失": "loss", "准确率": "accuracy",
    "正确率": "accuracy", "准确度": "accuracy", "精度": "accuracy", "轮次": "epoch",
    "轮数": "epoch", "周期": "epoch",
    "平均": "average", "用时": "time", "耗时": "time", "时间": "time", "秒": "seconds", "集": "set", "值": "",
}  # fmt: skip
_CHINESE_WORD = re.compile("|".join(sorted(_CHINESE, key=len, reverse=True)))


def in_english(text: str) -> str:
    """Return the text with the Chinese words of logs in English, between spaces."""
    return _CHINESE_WORD.sub(lambda match: f" {_CHINESE[match[0]]} ", text)


def words_of(name: str) -> list[str]:
    """Split a name: `valLoss`, `val_loss`, `Loss/val` and `Val. Loss` have the words val and loss."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", in_english(unicodedata.normalize("NFKC", name)))
    return re.findall(r"[^\W_]+", text.lower())


def meaning(name: str) -> str:
    """Return what a name says: one of MEASURES, epoch, time, or loss or accuracy of no part; empty if unknown."""
    found = [_MEANING.get(word) for word in words_of(name)]
    if None in found:
        return ""
    said = list(dict.fromkeys(word for word in found if word))
    parts = [word for word in said if word in PARTS]
    measures = [word for word in said if word not in PARTS]
    if "epoch" in measures and len(measures) > 1:  # the loss of an epoch, and its time
        measures.remove("epoch")
        measures = ["seconds" if measure == "time" else measure for measure in measures]
    if len(parts) > 1 or len(measures) != 1:
        return ""
    if measures[0] in ("loss", "accuracy"):
        return "_".join([*parts, *measures])
    return measures[0] if measures[0] == "epoch" or not parts else ""


def is_part(text: str) -> str:
    """Return the part that a heading such as `Test set` names, and nothing else; empty for any other."""
    found = [_MEANING.get(word) for word in words_of(text)]
    parts = {word for word in found if word in PARTS}
    return parts.pop() if len(parts) == 1 and None not in found and not set(found) - {*PARTS, ""} else ""


def mapping(file: Path, line: int, names: Iterable[str], asked: Columns, ignored: Sequence[str]) -> dict[str, str]:
    """Return for what a log has of `Columns` the name that it has it under; time, if it may be cumulative.

    Args:
        file: of the log.
        line: where the names stand, for a message.
        names: all names in the log.
        asked: what the suite says.
        ignored: names that the suite leaves out.

    Raises DataError for a name that is not there, for one that may mean two things, and for two that mean one.
    """
    there = list(names)
    given = {what: name for what, name in asked.model_dump().items() if name is not None}
    _check_there(file, line, there, {f"columns.{what}": name for what, name in given.items()})
    for name in ignored:
        _check_there(file, line, there, {"ignore": name})
    said = {name: meaning(name) for name in there if name not in given.values() and name not in ignored}
    usual = _without_bare(file, line, {name: what for name, what in said.items() if what}, given)
    found: dict[str, str] = {}
    for name, what in usual.items():
        if what in given or (what == "time" and "seconds" in given):
            continue
        if what in found:
            hint = f"say import.columns: {{{what}: …}}, or import.ignore: [{name}]"
            raise refuse(file, line, f"{found[what]!r} and {name!r}", f"one name for {what}", hint=hint)
        found[what] = name
    found |= given
    if not found.keys() - {"epoch", "seconds", "time"}:
        expected = "train_loss, validation_loss or another of them, or import.columns: {train_loss: …}"
        raise refuse(file, line, f"the names {listed(there)}", expected)
    return {what: found[what] for what in ("epoch", *MEASURES, "time") if what in found}


def _check_there(file: Path, line: int, there: list[str], wanted: dict[str, str]) -> None:
    for setting, name in wanted.items():
        if name not in there:
            near = get_close_matches(name, there, n=1)
            hint = f"did you mean {near[0]!r}?" if near else ""
            got = f"the names {listed(there)}"
            raise refuse(file, line, got, f"{name!r} among them", setting, hint)


def _without_bare(file: Path, line: int, said: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Return the meanings with a part for each loss and each accuracy, where that is certain.

    `loss` is of the training part, and `accuracy` beside it, too (Keras). Beside fastai's `train_loss` and
    `valid_loss`, `accuracy` is of the validation part.
    """
    meanings = {*said.values(), *given}
    bare_loss = "loss" in meanings
    parts = {part for part in PARTS if any(what.startswith(part) for what in meanings)} | (
        {"train"} & {"train" if bare_loss else ""}
    )
    lacking = [part for part in PARTS if part in parts and f"{part}_accuracy" not in meanings]
    found = {}
    for name, what in said.items():
        if what == "loss":
            what = "train_loss"
        elif what == "accuracy":
            if bare_loss or parts <= {"train"}:
                what = "train_accuracy"
            elif "valid_loss" in said and lacking == ["train", "validation"]:
                what = "validation_accuracy"
            elif len(lacking) == 1:
                what = f"{lacking[0]}_accuracy"
            else:
                expected = "a name that says of which part it is"
                hint = (
                    f"say import.columns: {{validation_accuracy: {name}}}, or another, or import.ignore: [{name}]"
                )
                raise refuse(file, line, shortened(name), expected, hint=hint)
        found[name] = what
    return found


def listed(names: list[str]) -> str:
    """Show some names in a message."""
    shown = [name[:40] for name in names[:12]]
    return ", ".join(shown) + (", …" if len(names) > 12 else "") or "of no column"
