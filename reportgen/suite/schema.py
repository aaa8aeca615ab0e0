"""The suite: all that a student can write in the YAML file."""

from copy import copy
from functools import cache
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import BaseModel, Field, GetCoreSchemaHandler, create_model, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from reportgen.lab.settings import DataOfAnyTask, Natural, Settings
from reportgen.suite.declarations import Checks, Claims, MetricDeclaration
from reportgen.suite.imports import ImportSettings
from reportgen.suite.text import Text
from reportgen.tasks.base import Task, sources
from reportgen.tasks.registry import TASKS


class PartOf:
    """Annotation for a mapping that gives some of a settings class's fields, each checked as it is there.

    The value stays a plain dict of what was given, to be laid over the suite's defaults.
    """

    def __init__(self, settings: type[BaseModel]) -> None:
        fields: dict[str, Any] = {
            name: (
                Annotated[field.annotation, Field(description=field.description), *field.metadata],
                _default(field),
            )
            for name, field in settings.model_fields.items()
        }
        self._part = create_model(f"PartOf{settings.__name__}", __base__=Settings, **fields)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda part: part.model_dump(exclude_unset=True), handler.generate_schema(self._part)
        )


def _default(field: FieldInfo) -> Any:
    """Return what editors show as the default: nothing at all where a value has to be given, here or elsewhere."""
    return Field(default_factory=lambda: None) if field.is_required() else field.default


Name = Annotated[
    str,
    Field(
        strict=True,
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$",
        description="A short name: letters, digits, - and _, beginning with a letter.",
    ),
]
# which languages there are is said by the catalogues; the pattern is for editors
Language = Annotated[
    str,
    Field(
        strict=True,
        description="Language code: zh, en, …; zh+en is one report in both.",
        json_schema_extra={"pattern": "^[a-z]{2,3}(\\+[a-z]{2,3})?$"},
    ),
]


def parts_of(language: str) -> list[str]:
    """Return the languages of a report: two for `zh+en`, which is one report in both, else the one."""
    return language.split("+")


LANGUAGES = ("zh", "en")
SECTIONS = (
    "aim",
    "environment",
    "data",
    "models",
    "training",
    "results",
    "analysis",
    "claims",
    "checks",
    "summary",
    "references",
    "appendix_runs",
    "appendix_matrices",
    "appendix_log",
)
"""The sections of a report, unless a suite names others."""
Format = Literal["md", "html", "pdf", "docx"]
Device = Literal["auto", "cpu", "cuda"]


ModelPart = Annotated[dict[str, Any], PartOf(TASKS[0].model)]
TrainingPart = Annotated[dict[str, Any], PartOf(TASKS[0].training)]


def data_of_any_task() -> Any:
    """Return the annotation of data settings of any kind that there is."""
    kinds = tuple(kind for task in TASKS for kind in task.data)
    return Annotated[Union[kinds], Field(discriminator="source")]  # noqa: UP007 - the kinds are known at run time


if TYPE_CHECKING:
    AnyData = DataOfAnyTask
else:
    AnyData = data_of_any_task()


class Cover(Settings):
    """What stands on the cover; each line is left out when it is not given."""

    author: Text | None = Field(None, description="Who hands the report in.")
    student_number: Text | None = Field(None, description="The author's number at the school.")
    student_class: Text | None = Field(None, description="The author's class.")
    course: Text | None = Field(None, description="The course that the report is for.")
    major: Text | None = Field(None, description="What the author studies.")
    department: Text | None = Field(None, description="School or department within the university.")
    school: Text | None = Field(None, description="School, college or university.")
    supervisor: Text | None = Field(None, description="Who supervises or marks the work.")
    date: Text | None = Field(
        None, description="Date of the report; 2026-11-21 is printed the way each language writes a date."
    )


class Reference(Settings):
    """Published figures that a run is printed beside."""

    test_accuracy: float | None = Field(None, ge=0, le=1, description="Published test accuracy, a fraction of 1.")
    test_loss: float | None = Field(None, ge=0, description="Published test loss.")
    source: Text = Field(description="Where the figures were published.")
    same_data: bool = Field(
        False, description="Whether they were measured on the same data and split; the report says if not."
    )

    @model_validator(mode="after")
    def _has_a_figure(self) -> "Reference":
        if self.test_accuracy is None and self.test_loss is None:
            raise PydanticCustomError("rule", "test_accuracy, test_loss, or both")
        return self


class RunDeclaration(Settings):
    """One run, trained once a seed: what differs from the suite's own model and training."""

    name: Name
    label: Text | None = Field(None, description="What tables and figures call it; the name unless given.")
    baseline: Name | None = Field(
        None, description="Name of the run that this one is a change of; the report compares the two."
    )
    why: Text | None = Field(None, description="What the change is to show; Markdown.")
    reference: Reference | None = Field(None, description="Published figures to print beside this run's.")
    device: Device | None = Field(None, description="Where this run trains; where the suite says unless given.")
    data: dict[str, Any] = Field(
        default_factory=dict, description="Data settings of this run; those that a sweep may vary."
    )
    model: ModelPart = Field(default_factory=dict, description="Model settings of this run.")
    training: TrainingPart = Field(default_factory=dict, description="Training settings of this run.")
    imported: ImportSettings | None = Field(
        None, alias="import", description="The log of a run that was trained elsewhere; nothing is trained then."
    )

    @model_validator(mode="after")
    def _imports_or_trains(self) -> "RunDeclaration":
        if self.imported is not None and self.data:
            raise PydanticCustomError("rule", "no data settings with import; same_data says what it was tested on")
        if self.imported is not None and self.device:
            raise PydanticCustomError("rule", "no device with import; nothing is trained")
        return self


class SweepDeclaration(Settings):
    """A grid around a run: one variant for every combination of the values.

    A grid with device: [cpu, cuda] compares the two where there is a GPU, and is left out where there is none.
    """

    base: Name = Field(description="Name of the run that is varied.")
    why: Text | None = Field(None, description="What the sweep is to show; Markdown.")
    grid: dict[str, tuple[Any, ...]] = Field(
        min_length=1,
        description="Setting (model.hidden_size, training.learning_rate, data.limit, …) to its list of values.",
    )


class ProfileRun(Settings):
    """What a profile changes of one run."""

    data: dict[str, Any] = Field(
        default_factory=dict, description="Data settings of this run; those that a sweep may vary."
    )
    model: ModelPart = Field(default_factory=dict, description="Model settings of this run.")
    training: TrainingPart = Field(default_factory=dict, description="Training settings of this run.")
    reference: dict[str, Any] = Field(default_factory=dict, description="What changes of the run's reference.")


class Profile(Settings):
    """The same suite at another size, or on other data; chosen with --profile."""

    title: Text | None = Field(None, description="In place of the suite's title.")
    aim: Text | None = Field(None, description="In place of the suite's aim.")
    data: dict[str, Any] = Field(
        default_factory=dict,
        description="With a source, in place of the suite's data; else single settings of it.",
    )
    model: ModelPart = Field(default_factory=dict, description="Model settings shared by all runs.")
    training: TrainingPart = Field(default_factory=dict, description="Training settings shared by all runs.")
    runs: dict[Name, ProfileRun] = Field(default_factory=dict, description="What changes of single runs, by name.")
    sweeps: tuple[SweepDeclaration, ...] = Field((), description="In place of the suite's sweeps.")
    seeds: tuple[Natural, ...] = Field((), description="In place of the suite's seeds.")
    claims: Claims = Field((), description="In place of the suite's claims.")


class Suite(Settings):
    """An experiment suite: data, runs, seeds, and the report's texts; `suite_of` has those of the other tasks."""

    title: Text = Field(description="Title of the report.")
    cover: Cover = Cover()
    aim: Text | None = Field(None, description="What the experiment is to show; Markdown is allowed.")
    summary: Text | None = Field(None, description="Your own closing words, after the computed summary; Markdown.")
    data: AnyData = Field(description="What is learnt from, and how it is divided.")
    model: ModelPart = Field(default_factory=dict, description="Model settings shared by all runs.")
    training: TrainingPart = Field(default_factory=dict, description="Training settings shared by all runs.")
    runs: tuple[RunDeclaration, ...] = Field(
        min_length=1, max_length=1000, description="What is compared, in the order of the tables."
    )
    sweeps: tuple[SweepDeclaration, ...] = Field(
        (), max_length=100, description="Grids of settings around the runs."
    )
    seeds: tuple[Natural, ...] = Field(
        (0, 1, 2), min_length=1, max_length=1000, description="One training a seed."
    )
    claims: Claims = Field(
        (), max_length=100, description="What the runs are to show; the report says of each whether they do."
    )
    metrics: tuple[MetricDeclaration, ...] = Field(
        (), max_length=20, description="Metrics of your own, in a table of the results."
    )
    device: Device = Field("auto", description="auto: the GPU when there is one.")
    sections: tuple[str, ...] = Field(
        SECTIONS,
        min_length=1,
        max_length=100,
        description="The report's sections, in order: of templates/sections/, and Markdown files of your own.",
    )
    look: str = Field(
        "plain",
        strict=True,
        description="What the report looks like: plain, university (a form to fill in), or paper (two columns).",
        json_schema_extra={"examples": ["plain", "university", "paper"]},
    )
    checks: Checks = Field(Checks(), description="Checks of the results that are silenced, each with a reason.")
    profiles: dict[Name, Profile] = Field(
        default_factory=dict, max_length=20, description="Other sizes of the same suite, chosen with --profile."
    )
    languages: tuple[Language, ...] = Field(
        LANGUAGES, min_length=1, description="One report a language; zh+en is one report in both."
    )
    formats: tuple[Format, ...] = Field(
        ("md", "html", "pdf"), min_length=1, description="Formats of the report; docx needs reportgen[docx]."
    )


@cache
def suite_of(task: Task) -> type[Suite]:
    """Return the Suite whose model and training are those of the task."""
    if task is TASKS[0]:
        return Suite
    parts: dict[str, Any] = {
        "model": Annotated[dict[str, Any], PartOf(task.model)],
        "training": Annotated[dict[str, Any], PartOf(task.training)],
    }

    def of_task(base: type[BaseModel], **kinds: Any) -> Any:
        return create_model(f"{task.name.title()}{base.__name__}", __base__=base, **_retyped(base, parts | kinds))

    # GenericAlias: mypy takes no class that is made here for a type
    changed = GenericAlias(dict, (Name, of_task(ProfileRun)))
    made: type[Suite] = of_task(
        Suite,
        data=data_of_any_task(),
        runs=GenericAlias(tuple, (of_task(RunDeclaration), ...)),
        profiles=GenericAlias(dict, (Name, of_task(Profile, runs=changed))),
    )
    return made


def _retyped(settings: type[BaseModel], kinds: dict[str, Any]) -> dict[str, Any]:
    """Return fields of `settings`, each with another type and all else as it is."""
    return {name: (kind, copy(settings.model_fields[name])) for name, kind in kinds.items()}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a suite, for editors; model and training hang on `data.source`."""
    schema = Suite.model_json_schema()
    choice: dict[str, Any] = {"properties": _parts(schema)}
    for task in TASKS[1:]:
        own = suite_of(task).model_json_schema()
        schema["$defs"] = {**own["$defs"], **schema["$defs"]}
        source = {"properties": {"source": {"enum": list(sources(task))}}, "required": ["source"]}
        asked = {"properties": {"data": source}, "required": ["data"]}
        choice = {"if": asked, "then": {"properties": _parts(own)}, "else": choice}
    for name in _BY_TASK:
        schema["properties"][name] = {"description": Suite.model_fields[name].description}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        **choice,
        "title": "reportgen suite",
    }


_BY_TASK = ("model", "training", "runs", "profiles")


def _parts(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: schema["properties"][name] for name in _BY_TASK}
