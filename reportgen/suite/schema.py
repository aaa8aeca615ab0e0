"""The suite: all that a student can write in the YAML file."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, GetCoreSchemaHandler, create_model, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from reportgen.suite.settings import DataSettings, ModelSettings, Natural, Settings, TrainingSettings
from reportgen.suite.text import Text

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
    Field(strict=True, description="Language code: zh, en, …", json_schema_extra={"pattern": "^[a-z]{2,3}$"}),
]
LANGUAGES = ("zh", "en")
SECTIONS = (
    "aim",
    "environment",
    "data",
    "models",
    "training",
    "results",
    "analysis",
    "summary",
    "references",
    "appendix_runs",
    "appendix_matrices",
    "appendix_log",
)
"""The sections of a report, unless a suite names others."""
Format = Literal["md", "html", "pdf"]


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


ModelPart = Annotated[dict[str, Any], PartOf(ModelSettings)]
TrainingPart = Annotated[dict[str, Any], PartOf(TrainingSettings)]


class Cover(Settings):
    """What stands on the cover; each line is left out when it is not given."""

    author: Text | None = Field(None, description="Who hands the report in.")
    student_number: Text | None = Field(None, description="The author's number at the school.")
    course: Text | None = Field(None, description="The course that the report is for.")
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
    model: ModelPart = Field(default_factory=dict, description="Model settings of this run.")
    training: TrainingPart = Field(default_factory=dict, description="Training settings of this run.")


class SweepDeclaration(Settings):
    """A grid around a run: one variant for every combination of the values."""

    base: Name = Field(description="Name of the run that is varied.")
    why: Text | None = Field(None, description="What the sweep is to show; Markdown.")
    grid: dict[str, tuple[Any, ...]] = Field(
        min_length=1,
        description="Setting (model.hidden_size, training.learning_rate, data.limit, …) to its list of values.",
    )


class ProfileRun(Settings):
    """What a profile changes of one run."""

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


class Suite(Settings):
    """An experiment suite: data, runs, seeds, and the report's texts."""

    title: Text = Field(description="Title of the report.")
    cover: Cover = Cover()
    aim: Text | None = Field(None, description="What the experiment is to show; Markdown is allowed.")
    summary: Text | None = Field(None, description="Your own closing words, after the computed summary; Markdown.")
    data: DataSettings = Field(description="What is learnt from, and how it is divided.")
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
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: the GPU when there is one.")
    sections: tuple[str, ...] = Field(
        SECTIONS, min_length=1, max_length=100, description="The report's sections, in order: templates/sections/."
    )
    profiles: dict[Name, Profile] = Field(
        default_factory=dict, max_length=20, description="Other sizes of the same suite, chosen with --profile."
    )
    languages: tuple[Language, ...] = Field(LANGUAGES, min_length=1, description="One report a language.")
    formats: tuple[Format, ...] = Field(("md", "html", "pdf"), min_length=1, description="Formats of the report.")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a suite, for editors."""
    schema = Suite.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "reportgen suite"}
