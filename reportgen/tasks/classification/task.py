"""Classification of sequences, as the rest of the program sees it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.lab.settings import RunOfAnyTask
from reportgen.lab.user_source import is_user_code
from reportgen.tasks.base import (
    ChecksModule,
    ContextModule,
    FiguresModule,
    FindingsModule,
    Metric,
    Misfit,
    NumbersModule,
    ResultsModule,
    Task,
    UserCode,
    UserData,
    device_of,
    loaded_data,
    model_of,
    narrow,
)
from reportgen.tasks.classification.settings import (
    DATA_SETTINGS,
    DataSettings,
    FunctionSettings,
    ModelSettings,
    RunSettings,
    TrainingSettings,
)

if TYPE_CHECKING:
    import torch

    from reportgen.lab.record import Outcome
    from reportgen.lab.training.checkpoints import Checkpoint
    from reportgen.lab.training.loop import Hooks
    from reportgen.lab.user_class import ModelContract
    from reportgen.user_code.layers import Trial

SYMBOLS = 7
"""Size of the vocabulary that stands in for the suite's where symbols enter one-hot."""


class Classification(Task):
    """Sequences of symbols in, a class out."""

    name = "classification"
    data = DATA_SETTINGS
    model = ModelSettings
    training = TrainingSettings
    run = RunSettings
    has_epochs = True
    has_predictions = True
    metrics: Mapping[str, Metric] = {
        "test_accuracy": Metric("test_accuracy", "share", by_example=True),
        "test_loss": Metric("test_loss", "number", by_example=True),
        "validation_accuracy": Metric("validation_accuracy", "share"),
        "kept_epoch": Metric("kept_epoch", "count"),
        "seconds": Metric("training_seconds", "seconds", comparable=False),
        "seconds_per_epoch": Metric("seconds_per_epoch", "seconds", comparable=False),
        "parameters": Metric("parameters", "count", by_chance=False),
    }
    quick: Mapping[str, Mapping[str, int]] = {"data": {"limit": 1500}, "training": {"epochs": 2}}

    def key_parts(self, settings: RunOfAnyTask) -> dict[str, Any]:
        """See `Task.key_parts`."""
        from reportgen.tasks.classification.data import key_parts

        return key_parts(narrow(settings, RunSettings))

    def user_code(self, settings: RunOfAnyTask) -> Iterator[UserCode]:
        """See `Task.user_code`."""
        own = narrow(settings, RunSettings)
        single, loss = own.training.loss == "bce_logit", own.training.loss
        if isinstance(own.data, FunctionSettings):
            yield loaded_data(own.data, single=single)
        yield from model_of(
            own,
            self.name,
            input_size=own.model.embedding_size or SYMBOLS,
            single=single,
            precision=own.training.precision,
        )
        if is_user_code(loss):
            yield UserCode("training.loss", loss, {"what": "loss", "loss": loss, "device": device_of(own)})

    def precision_trial(self, settings: RunOfAnyTask) -> Mapping[str, Any] | None:
        """See `Task.precision_trial`; a student's class is tried in its precision by itself."""
        own = narrow(settings, RunSettings)
        if own.training.precision == "float32" or is_user_code(own.model.cell):
            return None
        model = own.model.model_dump(include={"cell", "layers", "bidirectional", "packed", "recurrent_dropout"})
        trial = {"precision": own.training.precision, "model": model, "device": own.device}
        return {"what": "precision", "task": self.name, **trial}

    def try_precision(self, precision: str, model: Mapping[str, Any], device: str) -> "Trial":
        """See `Task.try_precision`."""
        from reportgen.tasks.classification.precision import try_precision

        return try_precision(precision, model, device)

    def misfits(self, settings: Sequence[RunOfAnyTask]) -> Iterator[tuple[RunOfAnyTask, Misfit]]:
        """See `Task.misfits`."""
        from reportgen.tasks.classification.preflight import misfits

        return misfits([narrow(one, RunSettings) for one in settings])

    def load_user_data(self, settings: Mapping[str, Any]) -> UserData:
        """See `Task.load_user_data`."""
        from reportgen.tasks.classification.preflight import load_user_data

        return load_user_data(FunctionSettings.model_validate(settings))

    def share_data(self, settings: RunOfAnyTask, folder: Path) -> None:
        """See `Task.share_data`."""
        from reportgen.data_files.sharing import leave
        from reportgen.tasks.classification.data import prepare

        data: DataSettings = narrow(settings, RunSettings).data
        if not isinstance(data, FunctionSettings):
            leave(data, prepare(data).shared(), folder)

    def model_contract(self, outputs: int) -> "ModelContract":
        """See `Task.model_contract`."""
        from reportgen.tasks.classification.model import model_contract

        return model_contract(outputs)

    def carry_out(
        self,
        settings: RunOfAnyTask,
        seed: int,
        device: "torch.device",
        hooks: "Hooks",
        outcome: "Outcome",
        checkpoint: "Checkpoint",
    ) -> None:
        """See `Task.carry_out`."""
        from reportgen.tasks.classification.run import carry_out

        carry_out(narrow(settings, RunSettings), seed, device, hooks, outcome, checkpoint)

    def results(self) -> ResultsModule:
        """See `Task.results`."""
        from reportgen.tasks.classification import results

        return results

    def findings(self) -> FindingsModule:
        """See `Task.findings`."""
        from reportgen.tasks.classification import findings

        return findings

    def checks(self) -> ChecksModule:
        """See `Task.checks`."""
        from reportgen.tasks.classification import checks

        return checks

    def figures(self) -> FiguresModule:
        """See `Task.figures`."""
        from reportgen.tasks.classification import figures

        return figures

    def context(self) -> ContextModule:
        """See `Task.context`."""
        from reportgen.tasks.classification import context

        return context

    def numbers(self) -> NumbersModule:
        """See `Task.numbers`."""
        from reportgen.tasks.classification import numbers

        return numbers
