"""From a suite to its runs: defaults laid under, sweeps and seeds multiplied out."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reportgen.errors import Problem
from reportgen.suite.document import Document, Path_, shown
from reportgen.suite.messages import expected_by, nearest
from reportgen.suite.schema import RunDeclaration, Suite, SweepDeclaration
from reportgen.suite.settings import (
    DataSettings,
    ModelSettings,
    RunSettings,
    Settings,
    SplitSettings,
    TrainingSettings,
)
from reportgen.suite.text import Text

MOST_RUNS = 10_000

_SWEEPABLE = [
    *(f"data.{name}" for name in DataSettings.model_fields if name not in ("source", "split")),
    *(f"data.split.{name}" for name in SplitSettings.model_fields),
    *(f"model.{name}" for name in ModelSettings.model_fields),
    *(f"training.{name}" for name in TrainingSettings.model_fields),
]


@dataclass(frozen=True)
class Variant:
    """A row of the comparison: one fully resolved setting, trained once a seed."""

    name: str
    label: Text
    settings: RunSettings
    changed: tuple[tuple[str, Any], ...] = ()

    def label_in(self, language: str) -> str:
        """Return what tables and figures call it: `LSTM (hidden_size = 64)`."""
        label = self.label.in_language(language)
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
    return ", ".join(f"{path.rsplit('.', 1)[-1]}{equals}{_value(value)}" for path, value in changed)


def _value(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def file_name(variant: str) -> str:
    """Return a name for files about a variant: `lstm/hidden_size=64` becomes `lstm-hidden_size=64`."""
    return "".join(c if c.isalnum() or c in "._=-" else "-" for c in variant)


def runs_of(suite: Suite, device: str) -> tuple[Run, ...]:
    """Expand a checked suite: every variant with every seed, on `device` (`cpu` or `cuda`)."""
    variants, problems = expand(suite, Document(Path()), device)
    if problems:  # read_suite has refused such a suite before
        raise ValueError("\n".join(map(str, problems)))
    return tuple(Run(variant, seed) for variant in variants for seed in suite.seeds)


def expand(suite: Suite, document: Document, device: str = "cpu") -> tuple[list[Variant], list[Problem]]:
    """Return the suite's variants, and what is wrong with those that cannot be made."""
    drafts: list[tuple[_Draft, Path_]] = [
        (_Draft(run.name, run.label or Text.parse(run.name), _raw(suite, run, device)), ("runs", i))
        for i, run in enumerate(suite.runs)
    ]
    problems: list[Problem] = []
    bases = {run.name: run for run in suite.runs}
    for i, sweep in enumerate(suite.sweeps):
        found = _sweep_problems(sweep, ("sweeps", i), bases, document)
        problems += found
        if not found:
            drafts += [(draft, ("sweeps", i)) for draft in _points(suite, bases[sweep.base], sweep, device)]
    variants = []
    for draft, path in drafts:
        try:
            settings = RunSettings.model_validate(draft.raw)
        except ValidationError as error:
            problems += _setting_problems(error, path, document)
        else:
            variants.append(Variant(draft.name, draft.label, settings, draft.changed))
    problems += _repeated(variants, document)
    if len(drafts) * len(suite.seeds) > MOST_RUNS:
        got = f"{len(drafts) * len(suite.seeds):,} runs (variants × seeds)"
        problems.append(document.problem(("sweeps",), got, f"at most {MOST_RUNS:,}"))
    return variants, list(dict.fromkeys(problems))


@dataclass(frozen=True)
class _Draft:
    name: str
    label: Text
    raw: dict[str, Any]
    changed: tuple[tuple[str, Any], ...] = ()


def _raw(suite: Suite, run: RunDeclaration, device: str) -> dict[str, Any]:
    return {
        "data": suite.data.model_dump(),
        "model": {**suite.model, **run.model},
        "training": {**suite.training, **run.training},
        "device": device,
    }


def _points(suite: Suite, base: RunDeclaration, sweep: SweepDeclaration, device: str) -> Iterator[_Draft]:
    for values in islice(product(*sweep.grid.values()), MOST_RUNS + 1):
        changed = tuple(zip(sweep.grid, values, strict=True))
        raw = _raw(suite, base, device)
        for path, value in changed:
            *parents, last = path.split(".")
            node = raw
            for parent in parents:
                node = node[parent]
            node[last] = value
        name = f"{base.name}/{_said(changed, '=')}"
        yield _Draft(name, base.label or Text.parse(base.name), raw, changed)


def _setting_problems(error: ValidationError, owner: Path_, document: Document) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        if details["type"] == "missing":
            if owner[0] == "runs":  # a sweep lacks only what its base lacks
                yield document.problem((*owner, *details["loc"]), "nothing", "a value, here or for all runs")
            continue
        if isinstance(details["input"], dict | Settings):  # a rule between settings
            got, expected = "settings that do not go together", expected_by(details)
        else:
            got, expected = shown(details["input"]), expected_by(details)
        yield document.problem(_place(details["loc"], owner, document), got, expected)


def _place(loc: Path_, owner: Path_, document: Document) -> Path_:
    """Return the place in the file of a setting: the sweep's own, the run's own, the suite's, or the owner."""
    key = ".".join(map(str, loc[:2]))
    for path in ((*owner, "grid", key), (*owner, *loc), (*owner, *loc[:1]), loc, loc[:1]):
        if path != owner and path and path in document:
            return path
    return (*owner, *loc)


def _sweep_problems(
    sweep: SweepDeclaration, path: Path_, bases: dict[str, RunDeclaration], document: Document
) -> list[Problem]:
    problems = []
    if sweep.base not in bases:
        names = list(bases)
        expected = f"the name of a run: {', '.join(names)}"
        problems.append(document.problem((*path, "base"), shown(sweep.base), expected, nearest(sweep.base, names)))
    for setting, values in sweep.grid.items():
        where = (*path, "grid", setting)
        if setting not in _SWEEPABLE:
            expected = f"one of {', '.join(_SWEEPABLE)}"
            problems.append(
                document.problem(
                    where, f"the unknown setting {shown(setting)}", expected, nearest(setting, _SWEEPABLE)
                )
            )
        if not values:
            problems.append(document.problem(where, "an empty list", "at least one value to sweep over"))
    return problems


def _repeated(variants: list[Variant], document: Document) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for variant in variants:
        if variant.name in seen and variant.changed:
            got = f"the variant {variant.name!r} twice"
            problems.append(document.problem(("sweeps",), got, "each combination once"))
        seen.add(variant.name)
    return problems
