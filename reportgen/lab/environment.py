"""The machine and software of a run, and the precision of its arithmetic."""

import os
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from reportgen.errors import ReportgenError


def set_tf32(precision: str, device: torch.device) -> None:
    """Let products on a GPU round to TF32 if that is the `precision`, and not otherwise; for this process.

    torch lets cuDNN's recurrent layers do so by default, which would make float32 something else than it says.

    Raises ReportgenError for a GPU that has no such numbers.
    """
    if device.type != "cuda":
        return
    if precision in ("tf32", "bf16") and torch.cuda.get_device_capability(device) < (8, 0):
        raise ReportgenError(
            f"training.precision: got {precision!r}, expected float32 on {torch.cuda.get_device_name(device)}, "
            "which has no numbers of that kind (an NVIDIA GPU from 2020 on has)"
        )
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def forward_in(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return the context that a forward pass runs in: for bf16, torch's autocast; weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


@dataclass(frozen=True)
class Environment:
    """Machine and software of a run."""

    system: str
    cpu: str
    cores: int
    memory_gib: float
    gpu: str
    python: str
    torch: str
    cuda: str
    cudnn: str
    threads: int

    def as_json(self) -> dict[str, str | int | float]:
        """Return plain values for a JSON file."""
        return asdict(self)


def collect() -> Environment:
    """Look at this machine; what it has not is an empty string."""
    gpu = torch.cuda.is_available()
    cudnn = torch.backends.cudnn.version() if gpu else None
    return Environment(
        system=_system(),
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gib=_memory_gib(),
        gpu=torch.cuda.get_device_name() if gpu else "",
        python=platform.python_version(),
        torch=torch.__version__,
        cuda=(torch.version.cuda or "") if gpu else "",
        cudnn=f"{cudnn // 10000}.{cudnn // 100 % 100}.{cudnn % 100}" if cudnn else "",
        threads=torch.get_num_threads(),
    )


def _system() -> str:
    try:
        release = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)
    return f"{release} ({platform.system()} {platform.machine()})"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gib() -> float:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return 0.0
