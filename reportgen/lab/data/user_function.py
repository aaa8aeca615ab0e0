"""Data that a function of the user's own loads: called where a run is trained, and checked before it is."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import refuse, shortened
from reportgen.lab.data.corpora import LONGEST_TEXT, Corpus, Example, gather
from reportgen.lab.settings import LoadedData
from reportgen.lab.user_source import UserClass, user_code_digest

_EXAMPLES = "a list of pairs (text, class), or {'train': such a list, 'test': another}"
_NUMBERS = "numbers in the order of time: a list, or an array of shape (points,)"
MOST_EXAMPLES = 5_000_000


def source_digest(settings: LoadedData) -> str:
    """Digest what the data hang on without loading them: source, the files that the suite names, and the settings.

    The plan runs none of the user's code. What the function reads besides, and does not name, is not seen.
    """
    plain = settings.model_dump_json(exclude={"load", "files"})
    own = UserClass.of(settings.load)
    digest = hashlib.sha256(f"{plain}\0{own.name}\0{user_code_digest(own)}\0".encode())
    for file in map(Path, settings.files):
        digest.update(f"{file.name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def read_function(settings: LoadedData, *, divided: bool) -> Corpus:
    """Call the function and return its texts; DataError for anything that is not of the form.

    Args:
        settings: name the function and its files.
        divided: whether the suite takes the test part from the examples, so that the function may not bring one.
    """
    file, found = Path(settings.load.rpartition(":")[0]), _called(settings.load)
    origin = (str(UserClass.of(settings.load)), *(Path(name).name for name in settings.files))
    if not isinstance(found, dict):
        return gather(file, list(_examples(file, found, "")), origin)
    if unknown := [str(name) for name in found if name not in ("train", "test")]:
        expected = "train and test; data.split.validation is taken from train"
        raise refuse(file, 1, f"the part {shortened(unknown[0])}", expected)
    if found.keys() != {"train", "test"}:
        raise refuse(file, 1, f"the parts {', '.join(found) or 'of nothing'}", "train and test")
    if divided:
        raise refuse(file, 1, "a test part", "none with data.split.test or data.split.train_per_class")
    trained, tested = (list(_examples(file, found[part], f"[{part!r}]")) for part in ("train", "test"))
    return gather(file, trained, origin, tested, file)


def read_numbers(settings: LoadedData) -> NDArray[np.float64]:
    """Call the function and return its numbers (points,); DataError for anything else."""
    file, found = Path(settings.load.rpartition(":")[0]), _called(settings.load)
    try:
        numbers = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        raise refuse(file, 1, _kind(found), _NUMBERS) from None
    if numbers.ndim != 1:
        raise refuse(file, 1, f"an array of shape {numbers.shape}", _NUMBERS)
    if not np.isfinite(numbers).all():
        place = int(np.argmin(np.isfinite(numbers)))
        raise refuse(file, 1, f"{numbers[place]} at place {place}", "finite numbers")
    return numbers


def _called(load: str) -> Any:
    from reportgen.lab.user_class import load_function  # torch is imported with it, which a plan does not need

    return load_function(UserClass.of(load))()


def _examples(file: Path, found: Any, where: str) -> Iterator[Example]:
    if not isinstance(found, Iterable) or isinstance(found, str | bytes | dict):
        raise refuse(file, 1, _kind(found), _EXAMPLES, where)
    for place, pair in enumerate(found):
        here = f"{where}[{place}]"
        if place >= MOST_EXAMPLES:
            raise refuse(file, 1, f"more than {MOST_EXAMPLES:,} examples", "an end", where)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise refuse(file, 1, _kind(pair), "a pair (text, class)", here)
        text, label = pair
        if not isinstance(text, str):
            raise refuse(file, 1, f"{_kind(text)} as a text", "a str", here)
        if len(text) > LONGEST_TEXT:
            raise refuse(file, 1, f"a text of {len(text):,} characters", f"at most {LONGEST_TEXT:,}", here)
        if isinstance(label, bool) or not isinstance(label, str | int | np.integer) or not str(label).strip():
            raise refuse(file, 1, f"{_kind(label)} as a class", "the name of a class, or its number", here)
        yield Example(text, str(label).strip(), file, 1)


def _kind(value: object) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return "nothing" if value is None else f"{type(value).__name__} {shortened(str(value))}"
