"""What a cell written by hand costs in its naive form, as it was trained, and beside torch.nn's."""

import statistics
from dataclasses import dataclass

from reportgen.analysis.results import Runs


@dataclass(frozen=True)
class CellTimes:
    """Milliseconds of a forward and a backward pass over a batch: medians over the finished seeds of a variant."""

    variant: str
    source: str
    """Of one step, as the cell has it."""
    batch: int
    steps: int
    naive: float
    """Called once a step, with the backward pass left to autograd."""
    by_hand: float
    """As it was trained."""
    torch: float | None
    """The network of torch.nn of the same sizes; None where it has none."""

    @property
    def forms(self) -> dict[str, float]:
        """The milliseconds of each form that there is, by name."""
        every = {"naive": self.naive, "by_hand": self.by_hand, "torch": self.torch}
        return {name: milliseconds for name, milliseconds in every.items() if milliseconds is not None}


def cell_times(results: Runs, variant: str) -> CellTimes | None:
    """Return what was measured when the variant was trained; None for other cells, and if no run finished."""
    measured = [results.records[run].measures for run in results.runs_of(variant)]
    times = [measures["cell_seconds"] for measures in measured if "cell_seconds" in measures]
    if not times:
        return None
    first = times[0]
    forms = [form for form in ("naive", "by_hand", "torch") if first[form] is not None]
    found = {form: 1000 * statistics.median(own[form] for own in times) for form in forms}
    source, torch = measured[0]["step_source"], found.get("torch")
    return CellTimes(variant, source, first["batch"], first["steps"], found["naive"], found["by_hand"], torch)
