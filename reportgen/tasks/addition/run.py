"""Addition: a network reads two numbers digit by digit, last digit first, and tells the digits of their sum."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reportgen.lab import probes
from reportgen.lab.models import naive
from reportgen.lab.printout import describe
from reportgen.lab.record import Outcome
from reportgen.lab.training import loop
from reportgen.lab.training.checkpoints import Checkpoint
from reportgen.lab.training.loop import Evaluation, Hooks, Logged, Moment, Row
from reportgen.lab.training.optimizers import optimizer_of
from reportgen.lab.user_source import is_user_code
from reportgen.tasks.addition.data import draw, sums_of
from reportgen.tasks.addition.model import Adder, adder
from reportgen.tasks.addition.settings import AdditionRun, AdditionSettings, data_digest

_TEST_SEEDS = 2**32  # added to the seed of the test numbers, so that no run's seed is the same
_VALIDATION_SEED = 2**33
_MOST_DIGITS = 500_000  # in one batch of a test
_EXAMPLES = 3
_LONGEST_EXAMPLE = 60  # digits
_MOST_PROBED = 100  # digits: it is told how far back the last ones reach


@dataclass(frozen=True)
class Score:
    """How well sums are told: mean cross-entropy, share of right digits, share of sums with no wrong digit."""

    loss: float
    digit_accuracy: float
    exact_accuracy: float


@torch.no_grad()
def score(model: nn.Module, pairs: Tensor) -> Score:
    """Measure the model on pairs (numbers, digits, 2)."""
    loss = right = exact = 0.0
    for batch in pairs.split(max(1, _MOST_DIGITS // pairs.shape[1])):
        sums = sums_of(batch).long()
        logits = model(batch.long())
        hits = logits.argmax(2) == sums
        loss += float(F.cross_entropy(logits.flatten(0, 1), sums.flatten(), reduction="sum"))
        right += int(hits.sum())
        exact += int(hits.all(1).sum())
    places = pairs.shape[0] * pairs.shape[1]
    return Score(loss / places, right / places, exact / len(pairs))


def carry_out(
    settings: AdditionRun,
    seed: int,
    device: torch.device,
    hooks: Hooks,
    outcome: Outcome,
    checkpoint: Checkpoint,
) -> None:
    """Train and test one adder; `outcome` is filled in on the way.

    `outcome.steps` has a row for each logged step: step, seconds so far (without the time for measuring),
    train_loss (mean since the last row), on fresh numbers test_loss, digit_accuracy and exact_accuracy,
    and validation_loss, on the same numbers each time, where there is a validation part.

    `outcome.measures` has steps, seconds, the last test_loss, digit_accuracy and exact_accuracy; first_step, the
    first logged one with an exact_accuracy of 1, and steady_step, the first from which it stayed 1 to the end,
    each None if there was none; `lengths`, for each of the suite's test lengths digits, loss, digit_accuracy and
    exact_accuracy; and `examples`: first, second, sum and told, as people write them.

    `outcome.arrays` has those of `probes.measure_network`, of fresh numbers of at most 100 digits; the tokens
    of `outcome.measures` are the digits of the first pair; a class of the user's own is not probed.

    Raises Diverged when a loss is not finite.
    """
    data = settings.data
    outcome.data = {"source": data.source, "digest": data_digest(data), **data.model_dump(exclude={"source"})}
    model = adder(settings.model).to(device)
    outcome.model = describe(model, [torch.zeros(1, data.digits + 1, 2, dtype=torch.int64, device=device)])
    tests = torch.Generator().manual_seed(_TEST_SEEDS + data.test_seed)
    trained = _train(model, settings, torch.Generator().manual_seed(seed), tests, hooks, outcome, checkpoint)
    model.eval()
    outcome.measures = {**_reached(outcome.steps), **_generalisation(model, data, device), **trained.measures}
    outcome.measures["examples"] = _examples(model, data, tests, device)
    model.train()
    if isinstance(model, Adder) and not is_user_code(settings.model.cell):
        _probe(model, data, outcome)
        pairs = draw(settings.training.batch_size, data.digits, torch.Generator().manual_seed(0)).to(device)
        outcome.measures |= naive.measure(model.recurrent, model.embedding(pairs.long()).flatten(2))


def _train(
    model: nn.Module,
    settings: AdditionRun,
    random: torch.Generator,
    tests: torch.Generator,
    hooks: Hooks,
    outcome: Outcome,
    checkpoint: Checkpoint,
) -> loop.Trained:
    how = settings.training
    optimizer = optimizer_of(model.parameters(), how.optimizer, how.learning_rate)
    objective = AdditionObjective(model, settings.data, how.batch_size, random, tests)
    return loop.train(
        model,
        objective,
        optimizer,
        how,
        rows=outcome.steps,
        log_every=how.log_every,
        hooks=hooks,
        checkpoint=checkpoint,
    )


class AdditionObjective(loop.Objective[Tensor]):
    """A batch of new pairs of numbers a step, evaluated on fresh ones.

    Args:
        model: an adder.
        data: how many digits the numbers have, and how many pairs an evaluation is made on.
        batch_size: pairs a step.
        random: draws the numbers to train on.
        tests: draws those to test on.
    """

    def __init__(
        self,
        model: nn.Module,
        data: AdditionSettings,
        batch_size: int,
        random: torch.Generator,
        tests: torch.Generator,
    ) -> None:
        self._model, self._data, self._batch_size = model, data, batch_size
        self._random, self._tests = random, tests
        self._device = next(model.parameters()).device
        self._loss_sum = torch.zeros((), device=self._device)  # stays there, since reading waits for the device
        self._steps = 0
        fixed = torch.Generator().manual_seed(_VALIDATION_SEED)
        self._validation = draw(data.validation_numbers, data.digits, fixed).to(self._device)

    def batches(self) -> Iterable[Tensor]:
        """Return a step's batch of new pairs, (batch, digits + 1, 2)."""
        return (draw(self._batch_size, self._data.digits, self._random).to(self._device, non_blocking=True),)

    def loss(self, batch: Tensor) -> Tensor:
        """Return the mean cross-entropy of the digits of the sums."""
        logits = self._model(batch.long())
        return F.cross_entropy(logits.flatten(0, 1), sums_of(batch).long().flatten())

    def observe(self, loss: Tensor, seconds: float) -> None:  # noqa: ARG002
        """Sum up the losses until the next row of the log."""
        self._loss_sum += loss
        self._steps += 1

    def evaluate(self, moment: Moment) -> Evaluation:
        """Return the mean loss since the last row, and the scores on fresh numbers and on the validation part."""
        train_loss = float(self._loss_sum) / self._steps
        self._loss_sum.zero_()
        self._steps = 0
        now = score(self._model, draw(self._data.test_numbers, self._data.digits, self._tests).to(self._device))
        row: Row = {
            "step": moment.rounds,
            "seconds": moment.seconds,
            "train_loss": train_loss,
            "test_loss": now.loss,
            "digit_accuracy": now.digit_accuracy,
            "exact_accuracy": now.exact_accuracy,
        }
        logged = Logged(moment.rounds, now.loss, now.exact_accuracy)
        if not len(self._validation):
            return Evaluation(row, (train_loss, now.loss), None, logged)
        validation_loss = score(self._model, self._validation).loss
        row["validation_loss"] = validation_loss
        return Evaluation(row, (train_loss, now.loss, validation_loss), validation_loss, logged)

    def state(self) -> dict[str, Any]:
        """Return the states of both generators, and the sum of the losses since the last row."""
        return {
            "random": self._random.get_state(),
            "tests": self._tests.get_state(),
            "loss_sum": self._loss_sum,
            "steps": self._steps,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        self._random.set_state(state["random"])
        self._tests.set_state(state["tests"])
        self._loss_sum.copy_(state["loss_sum"])
        self._steps = state["steps"]


def _reached(log: list[Row]) -> dict[str, float | int | None]:
    """Return the last row's figures, and the steps from which all sums were right, once and for good."""
    exact = [row["step"] for row in log if row["exact_accuracy"] == 1]
    wrong = [row["step"] for row in log if row["exact_accuracy"] < 1]
    steady = [step for step in exact if step > max(wrong, default=0)]
    figures = {name: log[-1][name] for name in ("seconds", "test_loss", "digit_accuracy", "exact_accuracy")}
    first_steps = {"first_step": min(exact, default=None), "steady_step": min(steady, default=None)}
    return {"steps": log[-1]["step"], **figures, **first_steps}


def _generalisation(model: nn.Module, data: AdditionSettings, device: torch.device) -> dict[str, list[Row]]:
    found = []
    for digits in data.test_lengths:
        random = torch.Generator().manual_seed(_TEST_SEEDS + data.test_seed)
        pairs = draw(data.test_numbers, digits, random).to(device)
        found.append({"digits": digits, **asdict(score(model, pairs))})
    return {"lengths": found}


def _probe(model: Adder, data: AdditionSettings, outcome: Outcome) -> None:
    random = torch.Generator().manual_seed(_TEST_SEEDS + data.test_seed)
    pairs = draw(probes.SEQUENCES, min(data.digits, _MOST_PROBED), random)
    read = model.embedding(pairs.long().to(model.embedding.weight.device)).flatten(2)
    outcome.arrays |= probes.measure_network(model.recurrent, read)
    outcome.measures["gate_tokens"] = [f"{first}+{second}" for first, second in pairs[0].tolist()]


@torch.no_grad()
def _examples(
    model: nn.Module, data: AdditionSettings, random: torch.Generator, device: torch.device
) -> list[dict[str, str]]:
    if data.digits > _LONGEST_EXAMPLE:
        return []
    pairs = draw(_EXAMPLES, data.digits, random).to(device)
    rows = (*pairs.unbind(2), sums_of(pairs), model(pairs.long()).argmax(2))
    written = zip(*([_written(number) for number in numbers] for numbers in rows), strict=True)
    return [dict(zip(("first", "second", "sum", "told"), example, strict=True)) for example in written]


def _written(digits: Tensor) -> str:
    """Write a number as people do: first digit first, and no zeros before it."""
    return "".join(map(str, reversed(digits.tolist()))).lstrip("0") or "0"
