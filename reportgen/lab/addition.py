"""Addition: a network reads two numbers digit by digit, last digit first, and tells the digits of their sum."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reportgen.lab import naive, probes, training
from reportgen.lab.checkpoints import Checkpoint, random_state, set_random_state
from reportgen.lab.describing import describe
from reportgen.lab.key import data_digest
from reportgen.lab.loading import own_model
from reportgen.lab.models import recurrent
from reportgen.lab.steps import Hooks, Logged, Outcome, Row, finite
from reportgen.suite.addition import AdderSettings, AdditionRun, AdditionSettings
from reportgen.suite.own import is_own
from reportgen.suite.settings import TrainingSettings

_TEST_SEEDS = 2**32  # added to the seed of the test numbers, so that no run's seed is the same
_MOST_DIGITS = 500_000  # in one batch of a test
_EXAMPLES = 3
_LONGEST_EXAMPLE = 60  # digits
_MOST_PROBED = 100  # digits: it is told how far back the last ones reach


class Adder(nn.Module):
    """Both digits embedded and put side by side, a recurrent network, and a linear layer to the sum's digit.

    Args:
        cell: rnn, lstm, gru, one of the handwritten cells, or a class of the user's own.
        hidden_size: size of the hidden state.
        layers: recurrent layers.
        embedding_size: size of a digit's embedding, the same for both numbers.
        arguments: further arguments of a class of the user's own.
    """

    def __init__(
        self,
        *,
        cell: str,
        hidden_size: int,
        layers: int,
        embedding_size: int,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, embedding_size)
        self.recurrent = recurrent(cell, 2 * embedding_size, hidden_size, layers, arguments=arguments)
        self.output = nn.Linear(hidden_size, 10)

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (batch, digits, 10) for pairs of digits (batch, digits, 2), the last digit first."""
        logits: Tensor = self.output(self.recurrent(self.embedding(pairs).flatten(2))[0])
        return logits


def adder(settings: AdderSettings) -> nn.Module:
    """Return the model that a suite asks for, with fresh weights; a whole one of the user's own as it is."""
    if settings.module is not None:
        return own_model(settings.module, (), settings.arguments)
    return Adder(**settings.model_dump(exclude={"module"}))


def draw(numbers: int, digits: int, random: torch.Generator) -> Tensor:
    """Draw pairs of numbers: digits (numbers, digits + 1, 2), the last digit first, with room for the carry.

    Every digit is equally likely, the first one of a number, too: about one number in ten is shorter.
    """
    drawn = torch.randint(10, (numbers, digits + 1, 2), generator=random, dtype=torch.uint8)
    drawn[:, -1] = 0
    return drawn


def sums_of(pairs: Tensor) -> Tensor:
    """Return the digits (numbers, digits) of the sums of pairs (numbers, digits, 2), the last digit first.

    All carries are found at once: a place that adds up to 10 or more makes one, a place of 9 hands on the one it
    gets, any other ends it. So a place is carried into exactly if, of the places before it, the nearest that does
    not add up to 9 makes a carry. Source: the generate and propagate of Weinberger & Smith 1958.
    """
    sums = pairs.sum(2, dtype=torch.int32)
    places = torch.arange(sums.shape[1], dtype=torch.int32, device=sums.device)
    nearest = torch.where(sums != 9, places, -1).cummax(1).values
    makes = (sums > 9).gather(1, nearest.clamp(min=0).long()) & (nearest >= 0)
    sums[:, 1:] += makes[:, :-1]
    return sums % 10


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

    A run that goes on from its `checkpoint` ends with the very bits of one that was not interrupted; only its
    seconds are others.

    `outcome.steps` has a row for each logged step: step, seconds so far (without the time for measuring),
    train_loss (mean since the last row), and on fresh numbers test_loss, digit_accuracy and exact_accuracy.

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
    _train(model, settings, torch.Generator().manual_seed(seed), tests, hooks, outcome, checkpoint)
    outcome.measures = {**_reached(outcome.steps), **_generalisation(model, data, device)}
    outcome.measures["examples"] = _examples(model, data, tests, device)
    if isinstance(model, Adder) and not is_own(settings.model.cell):
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
) -> None:
    digits, how = settings.data.digits, settings.training
    device = next(model.parameters()).device
    optimizer = training.optimizer_of(
        model, TrainingSettings(optimizer=how.optimizer, learning_rate=how.learning_rate)
    )
    progress = _Progress(model, optimizer, random, tests, outcome.steps, torch.zeros((), device=device))
    if before := checkpoint.load():
        progress.go_on_from(before)
    for step in range(progress.step + 1, how.steps + 1):
        began = time.perf_counter()
        hooks.on_batch()
        pairs = draw(how.batch_size, digits, random).to(device, non_blocking=True)
        logits = model(pairs.long())
        loss = F.cross_entropy(logits.flatten(0, 1), sums_of(pairs).long().flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if how.gradient_clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), how.gradient_clip)
        optimizer.step()
        progress.loss_sum += loss.detach()
        progress.step = step
        logged = step % how.log_every == 0 or step == how.steps
        if logged:
            train_loss = finite(float(progress.loss_sum) / (step - progress.logged), step)
        progress.seconds += time.perf_counter() - began
        if logged:
            now = score(model, draw(settings.data.test_numbers, digits, tests).to(device))
            finite(now.loss, step)
            row = {"step": step, "seconds": progress.seconds, "train_loss": train_loss, "test_loss": now.loss}
            row |= {"digit_accuracy": now.digit_accuracy, "exact_accuracy": now.exact_accuracy}
            progress.log(row)
            hooks.on_step(Logged(step, now.loss, now.exact_accuracy))
        checkpoint.offer(progress.state)


@dataclass
class _Progress:
    """All that a step leaves to the next one."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    random: torch.Generator
    tests: torch.Generator
    rows: list[Row]
    loss_sum: Tensor
    """Of the steps since the last row of the log; on the device, since reading waits for it."""
    step: int = 0
    seconds: float = 0.0

    @property
    def logged(self) -> int:
        """The step of the last row of the log; 0 before the first."""
        return int(self.rows[-1]["step"]) if self.rows else 0

    def log(self, row: Row) -> None:
        """Keep a row, and begin to gather the next one's loss."""
        self.rows.append(row)
        self.loss_sum.zero_()

    def state(self) -> dict[str, Any]:
        """Return all of it, the random generators' states among it, for a checkpoint."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": self.random.get_state(),
            "tests": self.tests.get_state(),
            **random_state(),
            "rows": self.rows,
            "loss_sum": self.loss_sum,
            "step": self.step,
            "seconds": self.seconds,
        }

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.random.set_state(state["random"])
        self.tests.set_state(state["tests"])
        set_random_state(state)
        self.rows[:] = state["rows"]
        self.loss_sum.copy_(state["loss_sum"])
        self.step, self.seconds = state["step"], state["seconds"]


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
