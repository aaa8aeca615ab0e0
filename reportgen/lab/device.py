"""Which device a run goes to, found out without importing torch."""

import ctypes
import ctypes.util
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def resolve(wanted: str) -> str:
    """Return `cpu` or `cuda` for the suite's `device`; `auto` is the GPU when torch can use one."""
    return ("cuda" if has_cuda() else "cpu") if wanted == "auto" else wanted


@cache
def has_cuda() -> bool:
    """Tell whether torch was built for CUDA and the driver sees a GPU."""
    return _torch_has_cuda() and _gpus() > 0


def _torch_has_cuda() -> bool:
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    version = Path(spec.origin).with_name("version.py")
    return bool(re.search(r"^cuda\b[^=]*=\s*['\"]", version.read_text(), re.MULTILINE))


def _gpus() -> int:
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            driver = ctypes.CDLL(name)
        except OSError:
            continue
        count = ctypes.c_int(0)
        if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0:
            return count.value
    return 0
