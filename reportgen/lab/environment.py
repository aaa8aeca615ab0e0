"""The machine and software of a run, and the precision of its arithmetic."""

import hashlib
import os
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

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


_SIZES = ((7, 33, 19), (64, 128, 512), (301, 257, 130))
"""Rows, inner size and columns of the products: libraries choose another kernel by size."""


@cache
def arithmetic(device: str) -> str:
    """Return a digest of the bits that a fixed computation gives on a device, `cpu` or `cuda`: 16 digits.

    It takes some milliseconds and has what training has: products of several sizes, an embedding, LSTM, GRU and
    RNN with their gradients, exponentials, sums, and a step of Adam. The number of threads is that of the process.
    """
    digest = hashlib.sha256(torch.backends.cpu.get_cpu_capability().encode())
    forked = [0] if device == "cuda" else []
    with torch.random.fork_rng(devices=forked):
        torch.manual_seed(0)
        for result in [*_products(device), *_training(device)]:
            digest.update(result.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _products(device: str) -> list[Tensor]:
    pairs = [(torch.randn(n, k).to(device), torch.randn(k, m).to(device)) for n, k, m in _SIZES]
    products = [a @ b for a, b in pairs]
    return [
        *products,
        *(torch.log_softmax(p, dim=1).sum(0) for p in products),
        *(p.tanh().mean(0) for p in products),
    ]


def _training(device: str) -> list[Tensor]:
    """Return the weights of three small networks after two steps of Adam."""
    symbols, target = torch.randint(1, 30, (16, 11)).to(device), torch.randint(0, 5, (16,)).to(device)
    results: list[Tensor] = []
    for layer in (nn.LSTM, nn.GRU, nn.RNN):
        network = nn.ModuleList([nn.Embedding(30, 24), layer(24, 40, batch_first=True), nn.Linear(40, 5)]).to(
            device
        )
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(2):
            optimizer.zero_grad()
            states, _ = network[1](network[0](symbols))
            nn.functional.cross_entropy(network[2](states[:, -1]), target).backward()
            optimizer.step()
        results += list(network.parameters())
    return results


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
