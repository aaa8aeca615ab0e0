"""The secret of this user on this machine, which tells what was written here from what a stranger has put there.

It lies in the user's state folder, is made when it is first needed, and is read by nobody else.
"""

import hashlib
import hmac
import os
import secrets
import stat
from functools import cache
from pathlib import Path

_FILE = "secret"
_BYTES = 32


def seal(*parts: bytes) -> str:
    """Return the HMAC-SHA256 of the parts under the machine's secret, in hexadecimal digits."""
    digest = hmac.new(machine_secret(), digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def is_sealed(seal_there: str, *parts: bytes) -> bool:
    """Tell whether the seal was made of these parts on this machine."""
    return hmac.compare_digest(seal_there.encode("utf-8", "replace"), seal(*parts).encode())


@cache
def machine_secret() -> bytes:
    """Return the secret; where it cannot be kept, one of this process alone, with which nothing is recognised."""
    try:
        return _kept_secret()
    except OSError:
        return secrets.token_bytes(_BYTES)


def _kept_secret() -> bytes:
    from filelock import FileLock
    from platformdirs import user_state_path

    folder = user_state_path("reportgen", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / _FILE
    with FileLock(folder / f".{_FILE}.lock"):  # of two processes that need it at once, one makes it
        known = _read(file)
        return known if known is not None else _make(file)


def _read(file: Path) -> bytes | None:
    """Return the secret in a file; None if there is none, or others may read or could have written it."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    private = os.name != "posix" or (found.st_uid == os.geteuid() and not found.st_mode & 0o077)
    content = file.read_bytes() if private and stat.S_ISREG(found.st_mode) else b""
    return content if len(content) == _BYTES else None


def _make(file: Path) -> bytes:
    made, unfinished = secrets.token_bytes(_BYTES), file.with_name(f".{_FILE}.new")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(made)
    unfinished.replace(file)
    return made
