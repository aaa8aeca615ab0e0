"""What a long run keeps on the way, so that it can go on where its process ended."""

import hashlib
import hmac
import io
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

SECONDS_BETWEEN = 30.0
_DIGEST_SIZE = hashlib.sha256().digest_size


class Checkpoint:
    """A file that holds the state of one run after some epoch or step; without a file nothing is kept.

    The file is replaced in one step, so that it is whole whenever the process dies, and has a digest that only
    who knows `secret` can make: the weights of a stranger are not trained on. One that is damaged or was made
    elsewhere is as good as absent: the run begins anew. A disk that has no room for it is no reason to end a run.

    Args:
        file: where the state is kept.
        secret: of the machine.
        seconds_between: time from one state to the next; SECONDS_BETWEEN unless given.
    """

    def __init__(
        self, file: Path | None = None, seconds_between: float | None = None, secret: bytes = b""
    ) -> None:
        self.file = file
        self._secret = secret
        self.seconds_between = SECONDS_BETWEEN if seconds_between is None else seconds_between
        self._last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Return the state that was kept last, its tensors on the CPU; None if there is none."""
        if self.file is None or not self.file.is_file():
            return None
        content = self.file.read_bytes()
        digest, saved = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
        if not hmac.compare_digest(self._digest(saved), digest):  # torch reads most flipped bits without a word
            return None
        state: dict[str, Any] = torch.load(io.BytesIO(saved), map_location="cpu", weights_only=True)
        return state

    def offer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Keep the state that is returned, unless the last one was kept only just now."""
        if self.file is None or time.monotonic() - self._last < self.seconds_between:
            return
        saved = io.BytesIO()
        torch.save(state(), saved)
        content = saved.getvalue()
        with suppress(OSError):
            _put_in_place(self.file, self._digest(content) + content)
        self._last = time.monotonic()

    def _digest(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, content, "sha256")

    def remove(self) -> None:
        """Remove the file: the run is over, or what it was for is."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)
            self.file.with_name(f"{self.file.name}.new").unlink(missing_ok=True)


def _put_in_place(file: Path, content: bytes) -> None:
    unfinished = file.with_name(f"{file.name}.new")
    try:
        unfinished.unlink(missing_ok=True)  # of a link the link alone, and "x" follows none
        with unfinished.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def random_state() -> dict[str, Any]:
    """Return the states of torch's global generators, as a checkpoint keeps them."""
    return {"dropout": torch.get_rng_state(), "dropout_cuda": torch.cuda.get_rng_state_all()}


def set_random_state(state: dict[str, Any]) -> None:
    """Put torch's global generators into the states that `random_state` returned."""
    torch.set_rng_state(state["dropout"])
    torch.cuda.set_rng_state_all(state["dropout_cuda"])
