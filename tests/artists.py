"""What tests ask the artists of a figure."""

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray


def places(line: Line2D) -> NDArray[np.float64]:
    """Return where the line's points stand from left to right."""
    return np.asarray(line.get_xdata(), float)


def heights(line: Line2D) -> NDArray[np.float64]:
    """Return where the line's points stand from bottom to top."""
    return np.asarray(line.get_ydata(), float)
