"""From a suite to its runs: defaults applied, sweeps and seeds multiplied out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reportgen.errors import Problem
from reportgen.lab.settings import PATHS, RunOfAnyTask
from reportgen.lab.training.settings import GROUPS, described
from reportgen.lab.user_source import file_of_setting, laid_over
from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.imports import ImportedRun
from reportgen.suite.messages import expected_by, got_by, hint_for, location, nearest, repetitions
from reportgen.suite.schema import Reference, RunDeclaration, Suite, SweepDeclaration, parts_of
from reportgen.suite.text import Text, as_read
from reportgen.tasks.base import Task
from reportgen.tasks.registry import task_of


def data_problems(data: dict[str, Any], path: Path_, known: list[str], document: Document) -> Iterator[Problem]:
    """Yield the data settings of a run that are none of `known`, which a run may change."""
    names = [name.removeprefix("data.") for name in known if name.startswith("data.") and name.count(".") == 1]
    for name in data:
        if name not in names:
            got, expected = f"the unknown setting {shown(name)}", f"one of {', '.join(names)}"
            yield document.problem((*path, name), got, expected, nearest(name, names))


def sweep_problems(
    sweep: SweepDeclaration,
    path: Path_,
    bases: dict[str, RunDeclaration],
    known: list[str],
    document: Document,
) -> list[Problem]:
    """Return what is wrong with the base, the settings and the values of a sweep."""
    problems = []
    if sweep.base not in bases:
        names = list(bases)
        expected = f"the name of a run that is trained: {', '.join(names)}"
        problems.append(document.problem((*path, "base"), shown(sweep.base), expected, nearest(sweep.base, names)))
    for setting, values in sweep.grid.items():
        where = (*path, "grid", setting)
        if setting not in known:
            got, expected = f"the unknown setting {shown(setting)}", f"one of {', '.join(known)}"
            problems.append(document.problem(where, got, expected, nearest(setting, known)))
        if not values:
            problems.append(document.problem(where, "an empty list", "at least one value to sweep over"))
        problems += [
            document.problem((*where, place), f"{_as_written(setting, value)} a second time", "each value once")
            for place, value in repetitions(values)
        ]
    return problems


def _as_written(setting: str, value: object) -> str:
    """Show a value of a sweep; a file without its folder."""
    file = file_of_setting(setting.rpartition(".")[2], value)
    return shown(value if file is None else PurePath(str(value)).name)


MOST_RUNS = 10_000
_LONGEST_NAME = 150
MARK = "†"
"""Beside the label of what was not trained here."""


def task_of_suite(suite: Suite) -> Task:
    """Return the task that the suite's data are for."""
    return task_of(suite.data.source)


def sweepable(suite: Suite) -> list[str]:
    """Return the settings that a grid may vary, by dotted name."""
    task, split = task_of_suite(suite), getattr(suite.data, "split", None)
    return [
        *(
            f"data.{name}"
            for name in type(suite.data).model_fields
            if name not in ("source", "split", "load", "files", *PATHS)
        ),
        *(f"data.split.{name}" for name in (type(split).model_fields if split else ())),
        *(f"model.{name}" for name in task.model.model_fields if name not in ("arguments", "module")),
        *(f"training.{name}" for name in task.training.model_fields),
        *(f"training.{group}.{name}" for group, settings in GROUPS.items() for name in settings.model_fields),
        "device",
    ]


@dataclass(frozen=True)
class Variant:
    """A row of the comparison: one fully resolved setting, trained once a seed."""

    name: str
    label: Text
    settings: RunOfAnyTask | ImportedRun
    changed: tuple[tuple[str, Any], ...] = ()
    baseline: str | None = None
    """Name of the variant that it is a change of."""
    why: Text | None = None
    reference: Reference | None = None
    run_path: Path_ = field(default=(), compare=False)
    """Where the suite declares the run, or the run that a sweep varies: ("runs", 0)."""
    changed_paths: tuple[Path_, ...] = field(default=(), compare=False)
    """Where the suite has each value of `changed`."""

    def place_of(self, setting: str, document: Document) -> Path_:
        """Return where the suite says what a setting is, `model.cell`: in a sweep, in the run, or for all runs."""
        swept = dict(zip((name for name, _ in self.changed), self.changed_paths, strict=False))
        if setting in swept:
            return swept[setting]
        shared = tuple(setting.split("."))
        own = (*self.run_path, *shared)
        return own if own in document else shared

    @property
    def imported(self) -> bool:
        """Tell whether it was trained elsewhere."""
        return isinstance(self.settings, ImportedRun)

    def label_in(self, language: str) -> str:
        """Return what tables and figures call it: `LSTM (hidden_size = 64)`; an imported one has a mark."""
        label = self.label.in_language(language) + MARK * self.imported
        return f"{label} ({_said(self.changed, ' = ')})" if self.changed else label


@dataclass(frozen=True)
class Run:
    """One training: a variant and a seed."""

    variant: Variant
    seed: int

    @property
    def name(self) -> str:
        """The run's name, unique in its suite: `lstm/seed=0`."""
        return f"{self.variant.name}/seed={self.seed}"


def _said(changed: tuple[tuple[str, Any], ...], equals: str) -> str:
    return ", ".join(f"{path.rsplit('.', 1)[-1]}{equals}{_value(path, value)}" for path, value in changed)


def _value(path: str, value: Any) -> str:
    if path in ("model.vectors", "model.cell", "training.loss") and isinstance(value, str):
        return PurePath(value).name  # where the file lies is nobody's business
    if isinstance(value, dict):
        return described(value)
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def file_name(variant: str) -> str:
    """Return a name for files about a variant: `lstm/hidden_size=64` becomes `lstm-hidden_size=64`.

    A long one is cut, and made unlike others that begin like it: systems take no more than 255 bytes.
    """
    name = "".join(c if c.isalnum() or c in "._=-" else "-" for c in variant)
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(variant.encode()).hexdigest()[:12]
    return f"{name.encode()[:_LONGEST_NAME].decode(errors='ignore')}-{digest}"


def runs_of(suite: Suite, device: str) -> tuple[Run, ...]:
    """Expand a checked suite: every variant with every seed; `device` is the machine's, as `expand` has it."""
    return expand(suite, Document(Path()), device).runs(suite)


def _seeds(variant: Variant, suite: Suite) -> tuple[int, ...]:
    """Return the seeds that a variant has a run for: all, or of an imported one those that have a log."""
    settings = variant.settings
    return tuple(seed for seed, _ in settings.logs) if isinstance(settings, ImportedRun) else suite.seeds


@dataclass(frozen=True)
class Expansion:
    """What a suite's runs and sweeps come to."""

    variants: list[Variant]
    problems: list[Problem]
    """What is wrong with the variants that cannot be made."""
    left_out: list[str]
    """Names of points of a sweep that are the run itself, which is there already."""
    without_gpu: list[str] = field(default_factory=list)
    """Names of the variants of sweeps that need a GPU, which are left out where there is none."""
    lacking: list[str] = field(default_factory=list)
    """Names of the runs that those sweeps vary."""

    @property
    def names(self) -> list[str]:
        """The names of all variants, whether or not this machine has the device for them."""
        return [*(variant.name for variant in self.variants), *self.without_gpu]

    def runs(self, suite: Suite) -> tuple[Run, ...]:
        """Return every variant with every seed; ValueError if there are problems."""
        if self.problems:
            raise ValueError("\n".join(map(str, self.problems)))
        return tuple(Run(variant, seed) for variant in self.variants for seed in _seeds(variant, suite))


def compares_devices(sweep: SweepDeclaration) -> bool:
    """Tell whether the sweep needs a GPU beside other things."""
    return "cuda" in sweep.grid.get("device", ())


def expand(suite: Suite, document: Document, device: str = "cpu") -> Expansion:
    """Multiply a suite out.

    Args:
        suite: what was read.
        document: knows where each setting was written.
        device: what `auto` is on this machine: cuda if it has a GPU, else cpu, and then no sweep needs a GPU.
    """
    problems: list[Problem] = []
    bases = {run.name: run for run in suite.runs if run.imported is None}
    for i, run in enumerate(suite.runs):
        problems += data_problems(run.data, ("runs", i, "data"), sweepable(suite), document)
    if problems:
        return Expansion([], problems, [])
    sound = []
    for i, sweep in enumerate(suite.sweeps):
        found = sweep_problems(sweep, ("sweeps", i), bases, sweepable(suite), document)
        problems += found
        if not found:
            sound.append((sweep, ("sweeps", i)))
    drafts = [_draft(suite, i, device) for i in range(len(suite.runs))]
    variants = len(drafts) + sum(prod(map(len, sweep.grid.values())) for sweep, _ in sound)
    if variants * len(suite.seeds) > MOST_RUNS:  # counted, and not made: there may be billions
        got = f"{variants * len(suite.seeds):,} runs (variants × seeds)"
        problems.append(document.problem(("sweeps",), got, f"at most {MOST_RUNS:,}"))
        sound = []
    for sweep, path in sound:
        drafts += _points(suite, sweep, path, device)
    made = _checked(drafts, task_of_suite(suite), document)
    lacking = [sweep.base for sweep, _ in sound if device == "cpu" and compares_devices(sweep)]
    variant_of = {variant.name: variant for variant in made.variants}
    codes = [code for own in suite.languages for code in parts_of(own)]
    labels = _repeated_labels([draft for draft in drafts if draft.name in variant_of], variant_of, codes, document)
    problems = list(dict.fromkeys([*problems, *made.problems, *labels]))
    return replace(made, problems=problems, lacking=list(dict.fromkeys(lacking)))


def _checked(drafts: list["_Draft"], task: Task, document: Document) -> Expansion:
    variants: dict[str, Variant] = {}
    problems: list[Problem] = []
    left_out: list[str] = []
    without_gpu: list[str] = []
    faults_of_runs: dict[str, set[_Fault]] = {}
    for draft in drafts:
        if draft.name in variants and draft.changed:
            got = f"the variant {draft.name!r} a second time"
            problems.append(document.problem(draft.path, got, "each combination once"))
        try:
            kind = ImportedRun if "imported" in draft.raw else task.run
            settings = kind.model_validate(draft.raw)
        except ValidationError as error:
            faults = {_fault(details): details for details in error.errors(include_url=False)}
            known = faults_of_runs.setdefault(draft.base, set(faults))  # the run itself comes before its sweeps
            new = [details for fault, details in faults.items() if not draft.changed or fault not in known]
            problems += _setting_problems(new, draft, document)
        else:
            faults_of_runs.setdefault(draft.base, set())
            base = variants.get(draft.base)
            if draft.without_gpu:
                # as on a machine with a GPU, so that a claim may name the same variants on every machine
                on_gpu = base and base.settings.model_copy(update={"device": "cuda"} if draft.auto else {})
                without_gpu += [draft.name] * (on_gpu != settings)
            elif draft.changed and base and base.settings == settings:
                left_out.append(draft.name)
            else:
                variants[draft.name] = Variant(
                    draft.name, draft.label, settings, draft.changed,
                    draft.baseline, draft.why, draft.reference, draft.run_path, draft.changed_paths,
                )  # fmt: skip
    return Expansion(list(variants.values()), problems, left_out, without_gpu)


def _repeated_labels(
    drafts: list["_Draft"], variants: dict[str, Variant], codes: list[str], document: Document
) -> Iterator[Problem]:
    """Yield the labels that a reader would take for that of an earlier variant, in one of the languages."""
    named: dict[tuple[str, str], str] = {}
    told: set[str] = set()
    for draft in drafts:
        variant, written = variants[draft.name], dict(draft.label.by_language)
        labels = {code: variant.label_in(code) for code in codes if code in written or "" in written}
        looks = {(code, as_read(label)): label for code, label in labels.items()}
        look = next((look for look in looks if named.get(look, draft.name) != draft.name), None)
        for each in looks:
            named.setdefault(each, draft.name)
        if look is not None and draft.base not in told:  # its sweeps have the same fault
            told.add(draft.base)
            place = (*draft.path, "label") if (*draft.path, "label") in document else draft.path
            got = f"the label {shown(looks[look])}, which reads as that of {named[look]}"
            yield document.problem(place, got, "a label of its own: reports call a model by it")


_Fault = tuple[str, Path_]


def _fault(details: ErrorDetails) -> _Fault:
    return details["type"], location(details)


@dataclass(frozen=True)
class _Draft:
    """A variant before its settings are checked, and the place in the suite that asks for it."""

    name: str
    base: str
    label: Text
    raw: dict[str, Any]
    path: Path_
    run_path: Path_
    auto: bool = False
    """Whether the machine decides about the device."""
    changed: tuple[tuple[str, Any], ...] = ()
    baseline: str | None = None
    why: Text | None = None
    reference: Reference | None = None
    changed_paths: tuple[Path_, ...] = ()
    without_gpu: bool = False
    """Whether its sweep needs a GPU that this machine lacks."""


def _draft(suite: Suite, place: int, device: str) -> _Draft:
    run = suite.runs[place]
    wanted = run.device or suite.device
    raw: dict[str, Any]
    if run.imported is not None:
        raw = {
            "data": suite.data,
            "model": run.model,
            "training": run.training,
            "imported": run.imported,
            "logs": run.imported.logs(suite.seeds),
        }
    else:
        raw = {
            "data": {**suite.data.model_dump(), **run.data},
            "model": laid_over(suite.model, run.model),
            "training": {**suite.training, **run.training},
            "device": device if wanted == "auto" else wanted,
        }
    return _Draft(
        run.name,
        run.name,
        run.label or Text.parse(run.name),
        raw,
        path=("runs", place),
        run_path=("runs", place),
        auto=wanted == "auto",
        baseline=run.baseline,
        why=run.why,
        reference=run.reference,
    )


def _points(suite: Suite, sweep: SweepDeclaration, path: Path_, device: str) -> Iterator[_Draft]:
    place = next(i for i, run in enumerate(suite.runs) if run.name == sweep.base and run.imported is None)
    settings = list(sweep.grid)

    for point in product(*map(enumerate, sweep.grid.values())):
        draft = _draft(suite, place, device)
        changed = tuple((setting, value) for setting, (_, value) in zip(settings, point, strict=True))
        for setting, value in changed:
            *parents, last = setting.split(".")
            node = draft.raw
            for parent in parents:  # a copy of a group that the points of the sweep share, or a new one
                node[parent] = dict(node.get(parent) or {})
                node = node[parent]
            node[last] = value

        yield replace(
            draft,
            name=f"{sweep.base}/{_said(changed, '=')}",
            path=path,
            changed=changed,
            changed_paths=tuple((*path, "grid", s, i) for s, (i, _) in zip(settings, point, strict=True)),
            baseline=sweep.base,
            why=sweep.why,
            reference=None,
            without_gpu=device == "cpu" and compares_devices(sweep),
        )


def _setting_problems(errors: list[ErrorDetails], draft: _Draft, document: Document) -> Iterator[Problem]:
    for details in errors:
        if details["type"] == "missing":
            yield document.problem((*draft.path, *location(details)), "nothing", "a value, here or for all runs")
        else:
            place = _place(location(details), draft, document)
            yield document.problem(place, got_by(details), expected_by(details), hint_for(details))


def _place(loc: Path_, draft: _Draft, document: Document) -> Path_:
    """Return the place in the file of a setting: the sweep's own, the run's own, the suite's, or the owner."""
    swept = [name for name, _ in draft.changed if _overlap(name.split("."), loc)]
    if swept:
        return (*draft.path, "grid", *(swept if len(swept) == 1 else ()))
    for path in ((*draft.path, *loc), (*draft.path, *loc[:1]), loc, loc[:1]):
        if path != draft.path and path and path in document:
            return path
    return (*draft.path, *loc)


def _overlap(setting: list[str], loc: Path_) -> bool:
    """Tell whether a fault at `loc` is about the setting, or about a group that it is in, or the reverse."""
    return all(a == b for a, b in zip(setting, loc, strict=False))
