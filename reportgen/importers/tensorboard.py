"""TensorBoard's event files: scalars by tag. Their step is the epoch, unless a tag tells each step's epoch."""

from collections.abc import Iterator
from pathlib import Path

from reportgen.errors import MissingPrerequisiteError, refuse
from reportgen.importers.log import LARGEST_LOG, Log, Row, assembled, merged, number, whole
from reportgen.importers.names import mapping
from reportgen.suite.imports import ImportSettings


def read(file: Path, content: bytes, settings: ImportSettings) -> Log:
    """Read the scalars of an event file."""
    if len(content) > LARGEST_LOG:
        raise refuse(file, 1, f"a file of {len(content):,} bytes", f"a log of at most {LARGEST_LOG:,}")
    scalars: dict[str, list[tuple[int, float]]] = {}
    for part in event_files(file):
        for tag, values in _scalars(part).items():
            scalars.setdefault(_named(part, tag), []).extend(values)
    if not scalars:
        raise refuse(file, 1, "no scalars", "an event file of TensorBoard's with scalars")
    columns = mapping(file, 1, scalars, settings.columns, settings.ignore)
    epochs = dict(scalars[columns["epoch"]]) if "epoch" in columns else None
    rows = [
        Row(1, _epoch(file, step, epochs), {what: number(file, 1, str(value), what, percent=settings.percent)})
        for what, name in columns.items()
        if what != "epoch"
        for step, value in scalars[name]
    ]
    found = sorted(merged(file, rows), key=lambda row: row.epoch)
    return assembled(file, found, columns=columns, unread=[n for n in scalars if n not in columns.values()])


def event_files(file: Path) -> list[Path]:
    """Return the file, and those that `add_scalars` made below its folder: one for each of the curves of a tag."""
    return [file, *sorted(other for other in file.parent.glob("*_*/*tfevents*") if other.is_file())]


def _named(file: Path, tag: str) -> str:
    """Return the name of a scalar: `add_scalars("Loss", {"train": …})` leaves Loss in a folder Loss_train."""
    _, found, curve = file.parent.name.partition(f"{tag.replace('/', '_')}_")
    return f"{tag}/{curve}" if found and curve and file.parent.name.startswith(tag.replace("/", "_")) else tag


def _epoch(file: Path, step: int, epochs: dict[int, float] | None) -> int:
    if epochs is None:
        return step
    if step not in epochs:
        raise refuse(file, 1, f"step {step} without an epoch", "the epoch of every step that has a value", "epoch")
    return whole(file, 1, str(epochs[step]))


def _scalars(file: Path) -> dict[str, list[tuple[int, float]]]:
    """Return step and value of every scalar, by tag."""
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    except ImportError:
        need = "reading TensorBoard's event files needs a package: pip install 'reportgen[tensorboard]'"
        raise MissingPrerequisiteError(f"{file}: {need}") from None
    found: dict[str, list[tuple[int, float]]] = {}
    try:
        for event in EventFileLoader(str(file)).Load():
            for tag, value in _of(event):
                found.setdefault(tag, []).append((event.step, value))
    except Exception as error:  # the library lets through whatever a damaged file leads to
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise refuse(file, 1, f"what cannot be read ({said[:80]})", "an event file of TensorBoard's") from None
    return found


def _of(event: object) -> Iterator[tuple[str, float]]:
    """Yield tag and value of the scalars in an event; other summaries are left out."""
    from tensorboard.util import tensor_util

    for value in event.summary.value:  # type: ignore[attr-defined]  # protobuf makes its classes while it runs
        if value.HasField("tensor"):  # what the loader turns old scalars into, too
            array = tensor_util.make_ndarray(value.tensor)
            if array.size == 1 and array.dtype.kind == "f":
                yield value.tag, float(array.reshape(()))
