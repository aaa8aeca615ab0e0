"""The author's own files behind a report: are they those that took part, and what do they alone say?"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from reportgen.errors import ReportgenError
from reportgen.i18n import catalogues
from reportgen.planning.load import Loaded
from reportgen.planning.plan import Plan
from reportgen.planning.user_files import OwnFile, digest_of, own_files
from reportgen.provenance.answers import Check, Question, differs, proven, undecided
from reportgen.resources import TEMPLATES
from reportgen.storage import traces
from reportgen.storage.manifest import Manifest
from reportgen.storage.records import Store

_MOST = 5
_PRINTING = ("template", "sentences", "style")


def own(loaded: Loaded, plan: Plan, manifest: Manifest, store: Store, trusted: Path | None) -> Iterator[Check]:
    """Hold the author's own files against the manifest, and name those that decide what is printed.

    A template, a sentence or a style sheet of the author's own may print anything: whoever has read it names a
    folder that has the same files as `trusted`.
    """
    listed = {name: wanted for name, wanted in manifest.own.items() if name != manifest.suite.file}
    found = {file.name: file for file in own_files(loaded, plan, store) if file.kind != "suite"}  # asked by itself
    sound = bool(manifest.own)
    if not sound:
        yield undecided(Question.FILES, "the manifest lists no files of the author's own, not even the suite")
    for check in [
        *(_listed(listed, found) if sound else ()),
        *_read(found, loaded.file.parent),
        *_untraced(plan, store),
    ]:
        sound = False
        yield check
    if sound:
        yield proven(Question.FILES, f"{len(found)} files beside the suite are those that took part")
    known = _digests(trusted)
    printing = [file for file in found.values() if file.kind in _PRINTING]
    for file in printing:
        place = loaded.file.parent / file.name
        if file.digest in known:
            yield proven(Question.FILES, f"{place}: is a file of {trusted}")
        else:
            yield undecided(
                Question.FILES, f"{place}: says what is printed in place of reportgen; read it{_says(place)}"
            )


def _listed(listed: Mapping[str, str], found: Mapping[str, OwnFile]) -> Iterator[Check]:
    """Hold the files that the manifest lists against those that take part here."""
    for name in dict.fromkeys([*listed, *found]):
        if name not in found:
            yield differs(Question.FILES, f"{name}: took part in the report, and does not here")
        elif name not in listed:
            yield differs(Question.FILES, f"{name}: takes part here, and is not among the files of the report")
        elif listed[name] != found[name].digest:
            yield differs(Question.FILES, f"{name}: is not the file that took part in the report")


def _read(found: Mapping[str, OwnFile], folder: Path) -> Iterator[Check]:
    """Hold the files that the author's code read in training against those that lie there now."""
    for file in found.values():
        if file.kind != "read":
            continue
        place = folder / file.name
        if file.name.startswith(traces.OUTSIDE) or not place.is_file():
            yield undecided(
                Question.FILES, f"{file.name}: was read by the author's code in training, and is not here"
            )
        elif digest_of(place) != file.digest:
            yield differs(Question.FILES, f"{place}: is not the file that the author's code read in training")


def _untraced(plan: Plan, store: Store) -> Iterator[Check]:
    """Say which runs with code of the author's own do not tell what that read."""
    settings = {step.run.name: step.run.variant.settings.model_dump(mode="json") for step in plan.steps}
    names = [
        step.run.name
        for step in plan.steps
        if traces.code_folder(settings[step.run.name]) and traces.of_record(store, step.key) is None
    ]
    if names:
        yield undecided(Question.FILES, f"what the author's code read is not known of {', '.join(names[:_MOST])}")


def _digests(folder: Path | None) -> set[str]:
    if folder is None:
        return set()
    if not folder.is_dir():
        raise ReportgenError(f"{folder}: no such folder")
    return {digest_of(file) for file in folder.rglob("*") if file.is_file()}


def _says(place: Path) -> str:
    """Return which sentences a catalogue changes, each beside the one that ships; nothing for other files."""
    shipped = TEMPLATES / place.name
    if place.suffix != ".yaml":
        return ""
    ours = catalogues.read(shipped if shipped.is_file() else TEMPLATES / "text.en.yaml")
    theirs = catalogues.read(place)
    changed = [key for key, sentence in theirs.items() if ours.get(key) != sentence]
    if not shipped.is_file():
        return f": a language of its own, {len(theirs)} sentences"
    told = "; ".join(f"{key} is {theirs[key]!r}, not {ours.get(key)!r}" for key in changed[:_MOST])
    more = f"; and {len(changed) - _MOST} more" if len(changed) > _MOST else ""
    return f": {told}{more}" if changed else ""
