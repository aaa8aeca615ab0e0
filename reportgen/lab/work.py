"""One run carried out: data, model, training, and a record of whatever came of it."""

import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch
from torch import nn
from torchinfo import summary

from reportgen.errors import ReportgenError
from reportgen.lab.dataset import Dataset, prepare
from reportgen.lab.environment import collect
from reportgen.lab.introspection import arguments_in_use
from reportgen.lab.key import THREADS, key_of
from reportgen.lab.losses import outputs_for
from reportgen.lab.mistakes import confident_mistakes
from reportgen.lab.models import SequenceClassifier
from reportgen.lab.record import Record
from reportgen.lab.training import Diverged, Epoch, train
from reportgen.lab.vectors import Vectors, vectors_for
from reportgen.suite.settings import ModelSettings, RunSettings


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """Raised by the callbacks of a run to end it without a record."""


def carry_out(
    settings: RunSettings,
    seed: int,
    parts: dict[str, Any],
    *,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    on_batch: Callable[[], None] = lambda: None,
) -> Record:
    """Train and test one model; a run that diverges or raises is a record, too.

    Args:
        settings: what to train, on what, and how.
        seed: of the initial weights, the order of the examples, and dropout.
        parts: what the run's key is made of.
        on_epoch: called after each epoch.
        on_batch: called before each batch; both may raise Cancelled.
    """
    torch.set_num_threads(THREADS)
    device = torch.device(settings.device)
    record: dict[str, Any] = {
        "key": key_of(parts),
        "parts": parts,
        "settings": settings.told(),
        "seed": seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": collect().as_json(),
        "status": "finished",
        "error": "",
        "model": {},
        "data": {},
    }
    began = time.perf_counter()
    try:
        data = prepare(settings.data)
        if parts.get("data", data.facts.digest) != data.facts.digest:  # the record would lie under another's key
            raise ReportgenError("the data have changed since the build began; run the same command again")
        record["data"] = data.facts.as_json()
        record["heldout"] = "validation" if len(data.parts["validation"]) else "test"
        with _seeded(seed, device):
            vectors = vectors_for(settings.model.vectors, settings.data) if settings.model.vectors else None
            model = build(settings.model, data, settings.training.loss, vectors).to(device)
            record["model"] = describe(model, data)
            if vectors is not None:
                record["model"]["vectors"] = vectors.facts.as_json()
            random = torch.Generator().manual_seed(seed)
            trained = train(
                model,
                data,
                settings.training,
                random=random,
                device=device,
                on_epoch=on_epoch,
                on_batch=on_batch,
            )
        record["epochs"] = [asdict(epoch) for epoch in trained.epochs]
        record["kept_epoch"] = trained.kept_epoch
        record["predictions"] = vars(trained.test)
        record["mistakes"] = confident_mistakes(trained.test, data)
    except Cancelled:
        raise
    except Diverged as diverged:
        record |= {"status": "diverged", "error": str(diverged)}
        record["epochs"] = [asdict(epoch) for epoch in diverged.epochs]
    except Exception as error:
        record |= {"status": "failed", "error": "".join(traceback.format_exception(error, limit=-4)).strip()}
    return Record(**record, seconds=time.perf_counter() - began)


class _seeded:  # noqa: N801 - reads as a with-statement
    """Seeds torch's global generators, which layers draw their weights from, and puts them back."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed = seed
        self.fork = torch.random.fork_rng(devices=[0] if device.type == "cuda" else [])

    def __enter__(self) -> None:
        self.fork.__enter__()
        torch.manual_seed(self.seed)

    def __exit__(self, *exception: Any) -> None:
        self.fork.__exit__(*exception)


def build(
    settings: ModelSettings, data: Dataset, loss: str = "cross_entropy", vectors: Vectors | None = None
) -> nn.Module:
    """Return the model with fresh weights, drawn from torch's global generator, and word vectors if it has any."""
    outputs = outputs_for(loss, len(data.facts.classes))
    return SequenceClassifier(data.facts.vocabulary, outputs, **{**settings.model_dump(), "vectors": vectors})


def describe(model: nn.Module, data: Dataset) -> dict[str, Any]:
    """Return print(model) to the letter, torchinfo's summary, the parameter count, and what its layers take.

    The summary is that for a batch of one.

    The summary ends with its parameter totals: the operation and memory counts that torchinfo adds hold for
    torch.nn's layers alone, and are nearly nothing for a cell written out by hand.
    """
    device = next(model.parameters()).device
    lengths = torch.tensor([data.inputs.shape[1]], device=device)
    indices = torch.ones(1, data.inputs.shape[1], dtype=torch.int64, device=device)
    table = summary(
        model,
        input_data=[indices, lengths],
        col_names=("output_size", "num_params"),
        col_width=20,
        depth=4,
        row_settings=("var_names",),
        verbose=0,
    )
    return {
        "printout": str(model),
        "summary": "\n".join(line.rstrip() for line in str(table).split("Total mult-adds")[0].splitlines()),
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "arguments": arguments_in_use(model),
    }
