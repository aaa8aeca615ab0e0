"""Batches: every example once, sequences of nearly one length together."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from reportgen.lab.training.batches import in_order_of_length, shuffled

some_lengths = st.lists(st.integers(1, 20), min_size=1, max_size=300).map(torch.tensor)
sizes = st.integers(1, 50)


def generator(seed: int) -> torch.Generator:
    """Return a generator of its own."""
    return torch.Generator().manual_seed(seed)


def as_lists(lengths: Tensor, size: int, seed: int) -> list[list[int]]:
    """Return the shuffled batches as lists."""
    return [batch.tolist() for batch in shuffled(lengths, size, generator(seed))]


def padding(lengths: Tensor, batches: list[list[int]]) -> int:
    """Count the places of the batches that hold no symbol."""
    return sum(int((lengths[batch].max() - lengths[batch]).sum()) for batch in batches)


@settings(deadline=None)
@given(some_lengths, sizes, st.integers(0, 2**32))
def test_every_index_comes_exactly_once(lengths: Tensor, size: int, seed: int) -> None:
    """An epoch sees all examples, none twice, whatever the lengths and the batch size."""
    batches = as_lists(lengths, size, seed)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))


@settings(deadline=None)
@given(some_lengths, sizes)
def test_only_the_last_batch_to_be_cut_is_smaller(lengths: Tensor, size: int) -> None:
    """All batches have the size asked for, but one that takes the remainder."""
    found = sorted((len(batch) for batch in as_lists(lengths, size, 0)), reverse=True)
    full, rest = divmod(len(lengths), size)
    assert found == [size] * full + ([rest] if rest else [])


def test_the_same_seed_gives_the_same_batches() -> None:
    """The order depends on the generator alone."""
    lengths = torch.arange(200) % 13
    assert as_lists(lengths, 8, 5) == as_lists(lengths, 8, 5)


def test_another_seed_gives_other_batches() -> None:
    """Both the content of the batches and their order are drawn."""
    lengths = torch.arange(200) % 13
    one, other = as_lists(lengths, 8, 5), as_lists(lengths, 8, 6)
    assert {frozenset(batch) for batch in one} != {frozenset(batch) for batch in other}


def test_the_next_epoch_has_other_batches() -> None:
    """One generator gives each epoch its own batches."""
    lengths, random = torch.arange(200) % 13, generator(0)
    first, second = ([batch.tolist() for batch in shuffled(lengths, 8, random)] for _ in range(2))
    assert first != second


def test_batches_do_not_come_in_order_of_length() -> None:
    """Short sequences are not always seen first."""
    lengths = torch.arange(320) // 10
    longest = [int(lengths[batch].max()) for batch in as_lists(lengths, 10, 0)]
    assert longest != sorted(longest)


def test_little_of_a_batch_is_padding() -> None:
    """Sorting within pools leaves less than a fifth of the padding that a random order has."""
    lengths = torch.randint(2, 20, (2000,), generator=generator(1))
    order = torch.randperm(2000, generator=generator(2))
    random_order = order.reshape(125, 16).tolist()
    assert padding(lengths, as_lists(lengths, 16, 3)) * 5 < padding(lengths, random_order)


@settings(deadline=None)
@given(some_lengths, sizes)
def test_in_order_of_length_sorts_and_keeps_the_order_of_equals(lengths: Tensor, size: int) -> None:
    """The shortest come first; of two of a length, the one with the lower index."""
    batches = [batch.tolist() for batch in in_order_of_length(lengths, size)]
    expected = sorted(range(len(lengths)), key=lambda i: int(lengths[i]))
    assert [i for batch in batches for i in batch] == expected
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
