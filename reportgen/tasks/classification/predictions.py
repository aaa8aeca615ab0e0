"""What a classifier predicts, and the texts that it gets wrong although it is sure of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.tasks.classification.data import Dataset

MOST = 10
LONGEST = 600
"""Characters of a text that are kept; reviews may be long."""


@dataclass(frozen=True)
class Predictions:
    """What a model says of each example of a part; arrays of shape (examples,)."""

    example: NDArray[np.int64]
    target: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float32]
    """Probability of the predicted class."""
    loss: NDArray[np.float32]


def confident_mistakes(predictions: Predictions, data: Dataset) -> list[dict[str, Any]]:
    """Return the ten most confident mistakes, the most confident first, as plain values for a JSON file.

    Each has the example's number, its text, the numbers of the true and the predicted class, and the probability
    of that one. Surnames are no texts, and have none.
    """
    if data.facts.source == "surnames":
        return []
    wrong = np.flatnonzero(predictions.predicted != predictions.target)
    surest = wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:MOST]
    return [
        {
            "example": int(predictions.example[i]),
            "text": _shortened(data.texts[predictions.example[i]]),
            "target": int(predictions.target[i]),
            "predicted": int(predictions.predicted[i]),
            "confidence": round(float(predictions.confidence[i]), 4),
        }
        for i in surest
    ]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
