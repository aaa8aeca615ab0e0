"""The settings of training that every task has; what is counted in epochs or steps follows the task."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reportgen.lab.settings import Count, Positive, Settings, Yes

NotNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Rounds = Annotated[Count, Field(le=1_000_000)]

_BY_KIND: dict[str, dict[str, Any]] = {
    "step": {"every": 10, "factor": 0.1, "warmup": 0},
    "exponential": {"factor": 0.95, "warmup": 0},
    "cosine": {"lowest": 0.0, "warmup": 0},
    "plateau": {"factor": 0.1, "patience": 5, "min_delta": 0.0, "lowest": 0.0},
    "warmup": {"warmup": 5},
}
"""What each schedule may be told, and what it is unless told."""


class EarlyStoppingSettings(Settings):
    """When a training that no longer improves on the validation part ends."""

    patience: Rounds = Field(
        5, description="Evaluations in a row without a lower validation loss: epochs, or rows of the log."
    )
    min_delta: NotNegative = Field(
        0.0, description="Only a validation loss that is lower by more than this counts as lower."
    )


class ScheduleSettings(Settings):
    """How the learning rate changes, by torch.optim.lr_scheduler."""

    kind: Literal["step", "exponential", "cosine", "plateau", "warmup"] = Field(
        description="StepLR, ExponentialLR, CosineAnnealingLR over the whole run, ReduceLROnPlateau on the "
        "validation loss, or a linear warm-up alone."
    )
    every: Rounds | None = Field(None, description="For step: epochs or steps between two cuts; 10 unless given.")
    factor: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = Field(
        None,
        description="For step, exponential and plateau: multiplies the rate; 0.1, or 0.95 for exponential.",
    )
    patience: Rounds | None = Field(
        None,
        description="For plateau: evaluations without a lower validation loss that pass first; 5 unless given.",
    )
    min_delta: NotNegative | None = Field(
        None, description="For plateau: how much lower a validation loss has to be to count; 0 unless given."
    )
    lowest: NotNegative | None = Field(None, description="For cosine and plateau: lowest rate; 0 unless given.")
    warmup: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] | None = Field(
        None, description="Epochs or steps in which the rate first rises to learning_rate; not for plateau."
    )

    @model_validator(mode="before")
    @classmethod
    def _has_the_defaults_of_its_kind(cls, given: Any) -> Any:
        kind = given.get("kind") if isinstance(given, dict) else None
        if not isinstance(kind, str) or kind not in _BY_KIND:
            return given
        return {**_BY_KIND[kind], **{name: value for name, value in given.items() if value is not None}}

    @model_validator(mode="after")
    def _has_only_what_its_kind_takes(self) -> "ScheduleSettings":
        for name in self.model_dump(exclude_none=True, exclude={"kind"}):
            if name not in _BY_KIND[self.kind]:
                raise PydanticCustomError("rule", "no {name} with kind: {kind}", {"name": name, "kind": self.kind})
        return self


class AnyTrainingSettings(Settings):
    """How a model is trained, whatever its task."""

    unit: ClassVar[str] = "step"
    """What a run is counted in: epochs or steps."""

    schedule: ScheduleSettings | None = Field(
        None, description="How the learning rate changes on the way; it stays as it is unless given."
    )
    gradient_clip: Positive | None = Field(None, description="Largest norm of the gradient; none unless given.")
    gradient_clip_value: Positive | None = Field(
        None, description="Largest absolute value of each entry of the gradient; none unless given."
    )
    early_stopping: EarlyStoppingSettings | None = Field(
        None, description="End a run whose validation loss has not become lower for a while; never unless given."
    )
    log_gradient_norm: Yes = Field(
        False, description="Log the gradient's mean norm, before it is clipped, with a figure in the report."
    )

    @property
    def rounds(self) -> int:
        """The most epochs or steps that a run has."""
        raise NotImplementedError

    @property
    def reads_gradients(self) -> bool:
        """Whether the gradients of all parameters are looked at together, or one by one, before a step."""
        return self.gradient_clip is not None or self.gradient_clip_value is not None or self.log_gradient_norm

    @model_validator(mode="after")
    def _clips_in_one_way(self) -> "AnyTrainingSettings":
        if self.gradient_clip is not None and self.gradient_clip_value is not None:
            raise PydanticCustomError("rule", "gradient_clip or gradient_clip_value")
        return self


def flat_training(training: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a training by dotted name: schedule.kind, say, which is None without a schedule.

    Those of the task come first, and then those that every task has.
    """
    for name in sorted(training, key=AnyTrainingSettings.model_fields.__contains__):
        value = training[name]
        if name not in GROUPS:
            yield name, value
            continue
        for member in GROUPS[name].model_fields:
            yield f"{name}.{member}", None if value is None else value.get(member)


GROUPS: dict[str, type[Settings]] = {"schedule": ScheduleSettings, "early_stopping": EarlyStoppingSettings}
"""The settings of a training that are groups of settings themselves."""


def described(group: Mapping[str, Any]) -> str:
    """Write a group of settings in a word, without what is off: step+every=5, say."""
    parts = {name: value for name, value in group.items() if value}
    kind = [str(parts.pop("kind"))] if "kind" in parts else []
    return "+".join([*kind, *(f"{name}={value}" for name, value in parts.items())])


def require_validation_part(training: AnyTrainingSettings, size: str, *, there: bool) -> None:
    """Refuse settings that decide something by the validation loss where there is no validation part.

    Args:
        training: the settings.
        size: the setting that makes a validation part, data.split.validation, say.
        there: whether there is such a part.
    """
    plateau = training.schedule is not None and training.schedule.kind == "plateau"
    deciding = {"early_stopping": training.early_stopping is not None, "schedule": plateau}
    for name, is_used in deciding.items():
        if is_used and not there:
            what = "schedule plateau" if name == "schedule" else name
            raise PydanticCustomError(
                "rule",
                "{size} above 0 with {what}, which decides on the validation part and never on the test part",
                {"size": size, "what": what, "at": ("training", name)},
            )
