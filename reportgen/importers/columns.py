"""Which column of a log is which: as the suite says, or by the names that are usual."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from reportgen.importers.log import refuse
from reportgen.suite.imports import Columns

USUAL: dict[str, tuple[str, ...]] = {
    "epoch": ("epoch", "epochs", "轮次"),
    "train_loss": ("train_loss", "train_loss_epoch", "training_loss", "loss", "loss/train", "训练损失"),
    "train_accuracy": (
        "train_accuracy", "train_acc", "train_accuracy_epoch", "train_acc_epoch", "accuracy", "acc",
        "categorical_accuracy", "sparse_categorical_accuracy", "binary_accuracy", "accuracy/train", "acc/train",
        "训练准确率",
    ),
    "validation_loss": ("validation_loss", "val_loss", "valid_loss", "loss/val", "loss/validation", "验证损失"),
    "validation_accuracy": (
        "validation_accuracy", "val_accuracy", "val_acc", "valid_acc", "val_categorical_accuracy",
        "val_sparse_categorical_accuracy", "val_binary_accuracy", "accuracy/val", "acc/val", "验证准确率",
    ),
    "test_loss": ("test_loss", "loss/test", "测试损失"),
    "test_accuracy": ("test_accuracy", "test_acc", "accuracy/test", "acc/test", "测试准确率"),
    "seconds": ("seconds", "time", "epoch_time"),
}  # fmt: skip
"""Names that are found without being told, in lower case; the first that is there counts."""


def mapping(file: Path, line: int, names: Iterable[str], asked: Columns) -> dict[str, str]:
    """Return for what a log has of `Columns` the name that it has it under.

    Args:
        file: of the log.
        line: where the names stand, for a message.
        names: all names in the log.
        asked: what the suite says.
    """
    there = list(names)
    given: dict[str, str] = {name: value for name, value in asked.model_dump().items() if value is not None}
    for name, value in given.items():
        if value not in there:
            near = get_close_matches(value, there, n=1)
            hint = f"did you mean {near[0]!r}?" if near else ""
            raise refuse(
                file, line, f"the names {listed(there)}", f"{value!r} among them", f"columns.{name}", hint
            )
    by_lower_case = {name.lower(): name for name in reversed(there) if name not in given.values()}
    usual = {
        name: by_lower_case[choice]
        for name, choices in USUAL.items()
        if name not in given and (choice := _first(choices, by_lower_case))
    }
    found = {**usual, **given}
    if not found.keys() - {"epoch", "seconds"}:
        expected = "train_loss, validation_loss or another of them, or import.columns: {train_loss: …}"
        raise refuse(file, line, f"the names {listed(there)}", expected)
    return {name: found[name] for name in USUAL if name in found}


def _first(choices: tuple[str, ...], there: Mapping[str, str]) -> str:
    return next((choice for choice in choices if choice in there), "")


def listed(names: list[str]) -> str:
    """Show some names in a message."""
    shown = [name[:40] for name in names[:12]]
    return ", ".join(shown) + (", …" if len(names) > 12 else "") or "of no column"
