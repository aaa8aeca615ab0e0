"""Addition: a network reads two numbers digit by digit, last digit first, and tells the digits of their sum."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reportgen.lab import probes
from reportgen.lab.models import naive
from reportgen.lab.printout import describe
from reportgen.lab.training import loop
from reportgen.lab.training.checkpoints import Checkpoint, random_state, set_random_state
from reportgen.lab.training.steps import Hooks, Logged, Outcome, Row, finite
from reportgen.lab.user_source import is_own
from reportgen.tasks.addition.data import draw, sums_of
from reportgen.tasks.addition.model import Adder, adder
from reportgen.tasks.addition.settings import AdditionRun, AdditionSettings, data_digest
from reportgen.tasks.classification.settings import TrainingSettings

_TEST_SEEDS = 2**32  # added to the seed of the test numbers, so that no run's seed is the same
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
    optimizer = loop.optimizer_of(
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
