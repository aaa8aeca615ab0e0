"""What a long run keeps on the way, so that it can go on where its process ended."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

SECONDS_BETWEEN = 30.0


class Checkpoint:
    """A file that holds the state of one run after some epoch or step; without a file nothing is kept.

    The file is replaced in one step, so that it is whole whenever the process dies. What cannot be read is as
    good as absent: the run begins anew. What cannot be written, on a full disk, is no reason to end a run.

    Args:
        file: where the state is kept.
        seconds_between: time from one state to the next; SECONDS_BETWEEN unless given.
    """

    def __init__(self, file: Path | None = None, seconds_between: float | None = None) -> None:
        self.file = file
        self.seconds_between = SECONDS_BETWEEN if seconds_between is None else seconds_between
        self._last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Return the state that was kept last, its tensors on the CPU; None if there is none."""
        if self.file is None or not self.file.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.file, map_location="cpu", weights_only=True)
        except Exception:  # torch, zipfile and pickle each have errors of their own for a damaged file
            return None
        return state

    def offer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Keep the state that is returned, unless the last one was kept only just now."""
        if self.file is None or time.monotonic() - self._last < self.seconds_between:
            return
        unfinished = self.file.with_name(f"{self.file.name}.new")
        try:
            with unfinished.open("wb") as stream:
                torch.save(state(), stream)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(self.file)
        except (OSError, RuntimeError):  # torch has the second one for a disk that is full
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove the file: the run is over, or what it was for is."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)
            self.file.with_name(f"{self.file.name}.new").unlink(missing_ok=True)


def random_state() -> dict[str, Any]:
    """Return the states of torch's global generators, as a checkpoint keeps them."""
    return {"dropout": torch.get_rng_state(), "dropout_cuda": torch.cuda.get_rng_state_all()}


def set_random_state(state: dict[str, Any]) -> None:
    """Put torch's global generators into the states that `random_state` returned."""
    torch.set_rng_state(state["dropout"])
    torch.cuda.set_rng_state_all(state["dropout_cuda"])
