"""Two models held against each other class by class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.families import representatives
from reportgen.analysis.results import Results
from reportgen.analysis.tables import row_normalised


@dataclass(frozen=True)
class MatrixDifference:
    """What separates the confusion matrices of the two best models, each row-normalised."""

    ahead: str
    behind: str
    classes: list[str]
    gaps: NDArray[np.float64]
    """(classes, classes): the share of class i that `ahead` calls j, less the share that `behind` does."""
    smallest: int
    """Test examples of the class that has the fewest, of those that have any."""

    @property
    def recalls(self) -> list[tuple[str, float]]:
        """Each class and how much more of it `ahead` recognises, a fraction of 1; the largest gain first."""
        found = zip(self.classes, np.diag(self.gaps).tolist(), strict=True)
        return sorted(found, key=lambda pair: -pair[1])

    @property
    def gains(self) -> list[tuple[str, float]]:
        """Those of `recalls` that `ahead` recognises more of, the largest gain first."""
        return [pair for pair in self.recalls if pair[1] > 0]

    @property
    def losses(self) -> list[tuple[str, float]]:
        """Those of `recalls` that `ahead` recognises less of, the largest loss first."""
        return [pair for pair in reversed(self.recalls) if pair[1] < 0]


def matrix_difference(results: Results) -> MatrixDifference | None:
    """Return the difference between the two models of the highest mean test accuracy, one a family.

    None unless two models were tested on the same examples. Of a family, the validation part chose the model.
    """
    finished = results.runs[results.runs["status"] == "finished"]
    accuracies = finished.groupby("variant")["test_accuracy"].mean()
    ranked = [variant for variant in representatives(results) if variant in results.confusion]
    ranked = sorted(ranked, key=lambda variant: -accuracies[variant])
    if not ranked:
        return None
    first = results.records[results.runs_of(ranked[0])[0]]
    for other in ranked[1:]:
        second = results.records[results.runs_of(other)[0]]
        if first.data == second.data:
            one, two = (row_normalised(results.confusion[variant]) for variant in (ranked[0], other))
            tested = np.unique(first.predictions["target"], return_counts=True)[1]
            return MatrixDifference(ranked[0], other, list(first.data["classes"]), one - two, int(tested.min()))
    return None
