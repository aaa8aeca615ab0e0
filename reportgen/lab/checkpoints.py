"""What a long run keeps on the way, so that it can go on where its process ended."""

import os
import time
from pathlib import Path
from typing import Any

import torch

SECONDS_BETWEEN = 30.0


class Checkpoint:
    """A file that holds the state of one run after some epoch; without a file nothing is kept.

    The file is replaced in one step, so that it is whole whenever the process dies. What cannot be read is as
    good as absent: the run begins anew.
    """

    def __init__(self, file: Path | None = None, seconds_between: float = SECONDS_BETWEEN) -> None:
        self.file = file
        self.seconds_between = seconds_between
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

    def offer(self, state: dict[str, Any]) -> None:
        """Keep the state, unless the last one was kept only just now."""
        if self.file is None or time.monotonic() - self._last < self.seconds_between:
            return
        unfinished = self.file.with_name(f"{self.file.name}.new")
        with unfinished.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(self.file)
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove the file: the run is over, or what it was for is."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)
            self.file.with_name(f"{self.file.name}.new").unlink(missing_ok=True)
