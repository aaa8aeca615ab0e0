"""What a GPU says of itself while runs are tried on it; a CPU has nothing to wait for, nor memory of its own."""

import torch


def wait_for(device: str) -> None:
    """Return when all work that was given to the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()


def is_half_free(device: str) -> bool:
    """Tell whether at least half of the device's memory is free, whoever has the rest."""
    if device != "cuda":
        return True
    free, total = torch.cuda.mem_get_info()
    return free >= total / 2
