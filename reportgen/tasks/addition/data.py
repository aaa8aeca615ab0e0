"""Numbers to add, and their sums, digit by digit."""

import torch
from torch import Tensor


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
