"""Addition as the rest of the program sees it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reportgen.lab.settings import RunOfAnyTask
from reportgen.tasks.addition.settings import (
    AdderSettings,
    AdditionRun,
    AdditionSettings,
    AdditionTrainingSettings,
    data_digest,
)
from reportgen.tasks.base import (
    ChecksModule,
    ContextModule,
    FiguresModule,
    FindingsModule,
    Metric,
    NumbersModule,
    ResultsModule,
    Task,
    UserCode,
    model_of,
    narrow,
)

if TYPE_CHECKING:
    import torch

    from reportgen.lab.record import Outcome
    from reportgen.lab.training.checkpoints import Checkpoint
    from reportgen.lab.training.loop import Hooks
    from reportgen.lab.user_class import ModelContract


class Addition(Task):
    """Two numbers in, digit by digit, and the digits of their sum out."""

    name = "addition"
    data = (AdditionSettings,)
    model = AdderSettings
    training = AdditionTrainingSettings
    run = AdditionRun
    has_epochs = False
    has_predictions = False
    metrics: Mapping[str, Metric] = {
        "test_loss": Metric("test_loss", "number"),
        "digit_accuracy": Metric("digit_accuracy", "share"),
        "exact_accuracy": Metric("exact_accuracy", "share"),
        "first_step": Metric("first_step", "count", logged=True),
        "steady_step": Metric("steady_step", "count", logged=True),
        "seconds": Metric("training_seconds", "seconds", comparable=False),
        "parameters": Metric("parameters", "count", by_chance=False),
    }
    quick: Mapping[str, Mapping[str, int]] = {
        "data": {"test_numbers": 20},
        "training": {"steps": 60, "batch_size": 20, "log_every": 20},
    }

    def key_parts(self, settings: RunOfAnyTask) -> dict[str, Any]:
        """See `Task.key_parts`."""
        return {"data": data_digest(narrow(settings, AdditionRun).data)}

    def user_code(self, settings: RunOfAnyTask) -> Iterator[UserCode]:
        """See `Task.user_code`."""
        own = narrow(settings, AdditionRun)
        yield from model_of(own, self.name, input_size=2 * own.model.embedding_size)

    def model_contract(self, outputs: int) -> "ModelContract":
        """See `Task.model_contract`."""
        from reportgen.tasks.addition.model import model_contract

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
        from reportgen.tasks.addition.run import carry_out

        carry_out(narrow(settings, AdditionRun), seed, device, hooks, outcome, checkpoint)

    def results(self) -> ResultsModule:
        """See `Task.results`."""
        from reportgen.tasks.addition import results

        return results

    def findings(self) -> FindingsModule:
        """See `Task.findings`."""
        from reportgen.tasks.addition import findings

        return findings

    def checks(self) -> ChecksModule:
        """See `Task.checks`."""
        from reportgen.tasks.addition import checks

        return checks

    def figures(self) -> FiguresModule:
        """See `Task.figures`."""
        from reportgen.tasks.addition import figures

        return figures

    def context(self) -> ContextModule:
        """See `Task.context`."""
        from reportgen.tasks.addition import context

        return context

    def numbers(self) -> NumbersModule:
        """See `Task.numbers`."""
        from reportgen.tasks.addition import context

        return context
