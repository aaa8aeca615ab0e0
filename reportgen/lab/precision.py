"""How exactly a network computes: in float32, or faster on hardware that has shorter numbers."""

from contextlib import AbstractContextManager, nullcontext

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
