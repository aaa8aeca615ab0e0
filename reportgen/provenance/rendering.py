"""Two texts held against each other, and what differs said in a line."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory

from reportgen import pipeline
from reportgen.i18n.origins import as_json
from reportgen.planning import plan as planning
from reportgen.planning.load import Loaded
from reportgen.planning.output import Output
from reportgen.planning.plan import Action, Plan, Step
from reportgen.resources import shipped_suites
from reportgen.storage.manifest import Manifest
from reportgen.storage.records import Store
from reportgen.storage.sealing import digest
from reportgen.suite.expansion import runs_of
from reportgen.suite.schema import parts_of

_AROUND = 24
"""Characters of a line that are shown on either side of what differs."""


def differing(got: str, expected: str) -> Iterator[tuple[int, str, str]]:
    """Yield number (from 1, in `got`), and what is in `got` and in `expected`, of each line that differs."""
    old, new = expected.splitlines(), got.splitlines()
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for i in range(max(b - a, d - c)):
            was, now = "".join(old[a:b][i : i + 1]), "".join(new[c:d][i : i + 1])
            yield c + i + 1, *_narrowed(now, was)


def _narrowed(one: str, other: str) -> tuple[str, str]:
    """Cut two lines down to the words around what differs."""
    limit = min(len(one), len(other))
    head = next((i for i in range(limit) if one[i] != other[i]), limit)
    tail = next((i for i in range(limit - head) if one[-1 - i] != other[-1 - i]), limit - head)
    start = one.rfind(" ", 0, max(0, head - _AROUND)) + 1

    def cut(line: str) -> str:
        end = line.find(" ", min(len(line), len(line) - tail + _AROUND))
        return ("…" if start else "") + line[start : end if end >= 0 else None].strip()[:160]

    return cut(one), cut(other)


class CannotRenderError(Exception):
    """Why a report cannot be written anew: a few words for the user."""


def suite_for(manifest: Manifest, folder: Path) -> Path | None:
    """Return the suite that the reports in `folder` were made from, if it lies where suites do."""
    name = manifest.suite.file
    likely = [folder.absolute().parents[1] / name, Path(name), *shipped_suites().values()]
    of_name = (file for file in likely if file.name == name and file.is_file())
    return next((file for file in of_name if digest(file.read_bytes()) == manifest.suite.digest), None)


def load(suite: Path, manifest: Manifest) -> Loaded:
    """Read the suite with the manifest's profile, cut short if the build was."""
    return pipeline.load(suite, quick=manifest.suite.quick, profile=manifest.suite.profile)


def planned(loaded: Loaded, manifest: Manifest, store: Store) -> Plan:
    """Return the suite's runs with the manifest's records.

    Raises CannotRenderError where the suite has other runs, or a record is not there, or is of other settings.
    """
    records = {run: planning.read(store, entry.key) for run, entry in manifest.records.items()}
    devices = {record.parts.get("device") for record in records.values() if record}
    runs = {run.name: run for run in runs_of(loaded.suite, "cuda" if "cuda" in devices else "cpu")}
    if list(runs) != list(records):
        raise CannotRenderError(f"{loaded.file} has other runs than the report")
    for name, record in records.items():
        if record is None:
            raise CannotRenderError(f"the record of {name} cannot be read")
        if (record.seed, record.settings) != (runs[name].seed, runs[name].variant.settings.as_printed()):
            raise CannotRenderError(f"the record that the manifest gives {name} is of other settings than its own")
    steps = [Step(runs[name], manifest.records[name].key, {}, Action.REUSE, "") for name in runs]
    return Plan(steps)


def rendered(
    loaded: Loaded,
    plan: Plan,
    store: Store,
    names: Sequence[str],
    measured: Mapping[str, Mapping[str, float]],
) -> dict[str, bytes]:
    """Return what a build writes from these records today: files by their paths, and of the reports `names`.

    Metrics of the suite's own that `measured` has are taken from there; any other is measured by its code.
    """
    formats = [kind for kind in loaded.suite.formats if any(name.endswith(f".{kind}") for name in names)]
    codes = [code for code in loaded.suite.languages if any(f".{code}." in name for name in names)]
    narrowed = replace(
        loaded,
        suite=loaded.suite.model_copy(update={"formats": tuple(formats), "languages": tuple(codes)}),
        codes=tuple(own for own in loaded.codes if any(own in parts_of(code) for code in codes)),
    )
    with TemporaryDirectory() as place:
        folder = Path(place)
        output = Output(folder, narrowed, plan, store)
        reports, others = pipeline.make_report(output, lambda _: None, None, measured)
        return reports | {name: (folder / name).read_bytes() for name in others}


def with_other_documents(numbers: bytes, there: bytes | None) -> bytes:
    """Return numbers.json written anew, with what the one that is there says of documents not written."""
    try:
        known = dict(json.loads(there or b"{}"))
        return as_json({**known, **json.loads(numbers)}).encode()
    except (ValueError, TypeError):  # then it differs as it is
        return numbers


def manifest_now(loaded: Loaded, plan: Plan, store: Store) -> Manifest:
    """Return the manifest that a build of today would write, without the digests of its files."""
    return Manifest.model_validate(Output(Path(), loaded, plan, store).manifest)


def printed_metrics(folder: Path, loaded: Loaded) -> dict[str, dict[str, float]]:
    """Return what the tables beside a report say of each metric of the suite's own: its name, run and value.

    Raises CannotRenderError where there is no such table.
    """
    found = {}
    for metric in loaded.suite.metrics:
        file = folder / "tables" / f"metric-{metric.name}.csv"
        try:
            rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
            found[metric.name] = {row["run"]: float(row["value"] or "nan") for row in rows}
        except (OSError, ValueError, KeyError, TypeError, csv.Error):
            raise CannotRenderError(
                f"{file}: got no table of the metric {metric.name}, which is its own"
            ) from None
    return found
