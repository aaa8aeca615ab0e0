"""The files of the author's own that a report was made with: the suite, what it names, and what its code read."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen.lab.user_source import file_of_user_code, user_code_sources
from reportgen.planning.load import Loaded
from reportgen.planning.plan import Plan
from reportgen.storage import traces
from reportgen.storage.records import Store
from reportgen.storage.sealing import digest
from reportgen.suite.imports import ImportedRun

_PRINTED = {".j2": "template", ".yaml": "sentences", ".css": "style"}
"""What a file beside the templates is, by the end of its name."""


@dataclass(frozen=True)
class OwnFile:
    """A file, or a folder of data, of the author's own."""

    name: str
    """Its path from the suite's folder; `elsewhere/` and its name where it lies outside."""
    kind: str
    """suite, template, sentences, style, words, code, data, log, or read: by the author's code in training."""
    digest: str
    """SHA-256; of a folder that of the names and digests of what is in it."""


def own_files(loaded: Loaded, planned: Plan, store: Store) -> tuple[OwnFile, ...]:
    """Return the files of the author's own that took part, each once: the suite first, then by name.

    What the code read has the digest that it had then, all others that of now.
    """
    folder = loaded.file.parent.absolute()
    found: dict[str, OwnFile] = {}
    for kind, file in _files(loaded, planned):
        name = _name(file, folder)
        if name not in found:
            found[name] = OwnFile(name, kind, digest_of(file))
    for name, read in _reads(planned, store, folder):
        found.setdefault(name, OwnFile(name, "read", read))
    return tuple(sorted(found.values(), key=lambda own: (own.kind != "suite", own.name)))


def digest_of(place: Path) -> str:
    """Return the SHA-256 of a file, or of the names and digests of all files in a folder."""
    if place.is_file():
        with place.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return digest("".join(f"{path.relative_to(place).as_posix()} {digest_of(path)}\n" for path in files))


def _files(loaded: Loaded, planned: Plan) -> Iterator[tuple[str, Path]]:
    yield "suite", loaded.file
    templates = loaded.template_folders[0]
    for file in sorted(templates.rglob("*")) if templates.is_dir() else ():
        if file.is_file():
            yield _PRINTED.get(file.suffix, "template"), file
    yield from (("words", file) for file in loaded.beside)
    named = [file_of_user_code(metric.function) for metric in loaded.suite.metrics]
    yield from _sources([Path(file) for file in named if file])
    for settings in {step.run.variant.name: step.run.variant.settings for step in planned.steps}.values():
        files = traces.named_files(settings.model_dump(mode="json"))
        yield from _sources([file for file in files if file.suffix == ".py"])
        kind = "log" if isinstance(settings, ImportedRun) else "data"
        yield from ((kind, file) for file in files if file.suffix != ".py")


def _sources(modules: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for module in dict.fromkeys(modules):
        yield from (("code", file) for file in user_code_sources(module))


def _reads(planned: Plan, store: Store, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and digest of each file that the author's code opened while the runs were trained."""
    for step in planned.steps:
        code = traces.code_folder(step.run.variant.settings.model_dump(mode="json"))
        if code is None or (left := traces.of_record(store, step.key)) is None:
            continue
        for name, read in left.reads.items():
            outside = name.startswith(traces.OUTSIDE)
            yield (name if outside else _name(code / name, folder)), read


def _name(file: Path, folder: Path) -> str:
    place = Path(file.absolute().parent.resolve(), file.name)
    inside = place.is_relative_to(folder.resolve())
    return place.relative_to(folder.resolve()).as_posix() if inside else traces.OUTSIDE + file.name
