"""Classification of sequences, as the rest of the program sees it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.lab.settings import RunOfAnyTask
from reportgen.lab.user_source import is_own
from reportgen.tasks.base import (
    Findings,
    Metric,
    Misfit,
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

    from reportgen.analysis.checks import Checked
    from reportgen.analysis.results import Runs
    from reportgen.figures.deferred import Sketches
    from reportgen.i18n.languages import Language
    from reportgen.lab.record import Outcome, Record
    from reportgen.lab.training.checkpoints import Checkpoint
    from reportgen.lab.training.loop import Hooks
    from reportgen.lab.user_class import ModelContract
    from reportgen.report.context import Common
    from reportgen.suite.claims import Claim
    from reportgen.suite.declarations import Checks
    from reportgen.suite.expansion import Run
    from reportgen.suite.schema import Suite
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
        if is_own(loss):
            yield UserCode("training.loss", loss, {"what": "loss", "loss": loss, "device": device_of(own)})

    def precision_trial(self, settings: RunOfAnyTask) -> Mapping[str, Any] | None:
        """See `Task.precision_trial`; a student's class is tried in its precision by itself."""
        own = narrow(settings, RunSettings)
        if own.training.precision == "float32" or is_own(own.model.cell):
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

    def collect(self, pairs: "Sequence[tuple[Run, Record]]") -> "Runs":
        """See `Task.collect`."""
        from reportgen.tasks.classification.results import collect

        return collect(pairs)

    def analyse(self, results: "Runs", claims: "Sequence[Claim]", late: Collection[str]) -> Findings:
        """See `Task.analyse`."""
        from reportgen.tasks.classification.findings import analyse
        from reportgen.tasks.classification.results import Results

        return analyse(narrow(results, Results), claims, late)

    def check(self, results: "Runs", findings: Findings) -> "Checked":
        """See `Task.check`."""
        from reportgen.analysis.checks import look
        from reportgen.tasks.classification.checks import CHECKS

        return look(CHECKS, results, findings)

    def seconds_per_step(self, record: "Record") -> float:
        """See `Task.seconds_per_step`."""
        from reportgen.tasks.classification.results import seconds_per_step

        return seconds_per_step(record)

    def figures(
        self, results: "Runs", findings: Findings, language: "Language", sections: Collection[str]
    ) -> "Sketches":
        """See `Task.figures`."""
        from reportgen.tasks.classification import figures
        from reportgen.tasks.classification.findings import Findings as Own
        from reportgen.tasks.classification.results import Results

        return figures.sketches(narrow(results, Results), narrow(findings, Own), language, sections)

    def log(self, record: "Record") -> str:
        """See `Task.log`."""
        from reportgen.tasks.classification.context import log

        return log(record)

    def context_class(self) -> "type[Common]":
        """See `Task.context_class`."""
        from reportgen.tasks.classification.context import Context

        return Context

    def context(
        self,
        suite: "Suite",
        results: "Runs",
        findings: Findings,
        figures: Mapping[str, str],
        language: "Language",
        *,
        quick: bool,
    ) -> "Common":
        """See `Task.context`."""
        from reportgen.tasks.classification.context import build_context
        from reportgen.tasks.classification.findings import Findings as Own
        from reportgen.tasks.classification.results import Results

        own_results, own_findings = narrow(results, Results), narrow(findings, Own)
        return build_context(suite, own_results, own_findings, figures, language, quick=quick)

    def write_numbers(self, folder: Path, results: "Runs", findings: Findings, silence: "Checks") -> list[str]:
        """See `Task.write_numbers`."""
        from reportgen.tasks.classification.findings import Findings as Own
        from reportgen.tasks.classification.numbers import write
        from reportgen.tasks.classification.results import Results

        return write(folder, narrow(results, Results), narrow(findings, Own), silence)
