"""What a person, or a log file, sees of a build."""

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from reportgen import options
from reportgen.errors import visible
from reportgen.executors.base import Begun, EpochDone, Event, RunDone, RunStarted
from reportgen.pipeline import Outcome
from reportgen.planning.plan import Plan

_STAGES = {
    "collect": "records into tables",
    "analyse": "tables into findings",
    "draw": "figures",
    "write": "Markdown",
    "typeset": "HTML and PDF",
}


class Display:
    """Progress of a build: live lines on a terminal, one plain line a run elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._live = _Live(self._console) if self._console.is_terminal else None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def announce(self, stage: str) -> None:
        """Tell which stage begins."""
        if self._live and stage == "collect":
            self._live.stop()
        if stage in _STAGES:
            self._line(stage, _STAGES[stage])

    def hear(self, event: Event) -> None:
        """Tell of an epoch or a run."""
        if isinstance(event, Begun):
            self._line("run", f"{event.runs} runs to train")
        if self._live:
            self._live.hear(event)
        if isinstance(event, RunDone):
            reason = event.error.strip().splitlines()[-1:] if event.error else []
            where = f"in {event.seconds:.1f} s" if event.here else "by another build"
            self._line("run", ": ".join([f"{event.status} {event.name} {where}", *reason]))

    def _line(self, stage: str, text: str) -> None:
        line = f"{time.monotonic() - self._began:6.1f} s  {stage:<8} {visible(text)}"
        self._console.print(Text(line), soft_wrap=True)


class _Live:
    """One line for each run under way, and a bar over all."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._lines: dict[str, TaskID] = {}
        self._all = TaskID(-1)
        self._runs = (0, 0)

    def stop(self) -> None:
        self._progress.stop()

    def hear(self, event: Event) -> None:
        match event:
            case Begun(runs, epochs):
                self._runs = (0, runs)
                self._progress.start()
                self._all = self._progress.add_task("all runs", total=epochs, state=f"0/{runs} runs")
            case RunStarted(name, epochs):
                if name in self._lines:  # its process was killed, and it begins again
                    self._progress.remove_task(self._lines[name])
                self._lines[name] = self._progress.add_task(visible(name), total=epochs, state=f"0/{epochs}")
            case EpochDone(name, epoch, epochs, loss, accuracy, unit):
                right = "" if accuracy is None else f"  accuracy {accuracy:.4f}"
                before = next(line.completed for line in self._progress.tasks if line.id == self._lines[name])
                state = f"{unit} {epoch}/{epochs}  loss {loss:.4g}{right}"
                self._progress.update(self._lines[name], completed=epoch, state=state)
                self._progress.advance(self._all, epoch - before)
            case RunDone(name):
                self._runs = (self._runs[0] + 1, self._runs[1])
                if name in self._lines:
                    line = next(line for line in self._progress.tasks if line.id == self._lines[name])
                    left = (line.total or 0) - line.completed  # of a run that stopped early
                    self._progress.advance(self._all, left)
                    self._progress.remove_task(self._lines.pop(name))
                self._progress.update(self._all, state="{}/{} runs".format(*self._runs))


def print_outcome(outcome: Outcome) -> None:
    """Say where the reports are, how long it took, and what was reused."""
    out = Console(highlight=False, soft_wrap=True)
    print_notes(outcome.notes)
    for report in outcome.reports:
        out.print(Text(visible(str(report))))
    for claim in outcome.claims:
        out.print(Text(visible(options.line(claim))))
    state = "nothing had changed; " if outcome.up_to_date else ""
    imported = f"{outcome.imported} imported, " if outcome.imported else ""
    done = f"{state}{outcome.trained} trained, {imported}{outcome.reused} reused, {outcome.seconds:.1f} s"
    out.print(Text(done))
    for line in outcome.checks:
        sys.stderr.write(f"{line}\n")
    if outcome.unfinished:
        names = visible(", ".join(outcome.unfinished))
        sys.stderr.write(f"failed or diverged: {names}; the report says why\n")


def print_notes(notes: Iterable[str]) -> None:
    """Say what is not wrong, but worth knowing."""
    for note in notes:
        sys.stderr.write(f"note: {visible(note)}\n")


def print_plan(planned: Plan) -> None:
    """Print a line a run: its name, what will be done, and why."""
    rows = [("run", "action", "why")]
    rows += [(visible(step.run.name), step.action.value, visible(step.why)) for step in planned.steps]
    name, action = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{row[0]:<{name}}  {row[1]:<{action}}  {row[2]}".rstrip() for row in rows]
    counts = {
        action: sum(step.action is action for step in planned.steps)
        for action in {s.action for s in planned.steps}
    }
    lines.append(", ".join(f"{n} to {action.value}" for action, n in sorted(counts.items(), key=str)))
    sys.stdout.write("\n".join(lines) + "\n")
