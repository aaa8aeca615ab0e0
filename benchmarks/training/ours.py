"""reportgen: a suite of the same runs, from YAML to Markdown reports in two languages, or trained only.

    python ours.py data.npz answer.json --only-train 0 1

The data come from the same source as data.npz and are read and divided anew, as in any build.
"""

import sys
import tempfile
from pathlib import Path

from task import BATCH, CELLS, EMBEDDING, EPOCHS, HIDDEN, RATE, given

from reportgen.executors import forkserver

SUITE = """
title: RNN, LSTM and GRU on film-review snippets
data: {{source: movie-snippets, split: {{test: 0.2, validation: 0}}}}
model: {{hidden_size: {hidden}, embedding_size: {embedding}}}
training: {{epochs: {epochs}, batch_size: {batch}, learning_rate: {rate}, keep: last}}
runs: [{runs}]
seeds: {seeds}
formats: [md]
"""


def main() -> None:
    """Build the suite in a folder that is gone afterwards."""
    only_train = "--only-train" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--only-train"]
    task = given()
    runs = ", ".join(f"{{name: {cell}, model: {{cell: {cell}}}}}" for cell in CELLS)
    sizes = {"hidden": HIDDEN, "embedding": EMBEDDING, "epochs": EPOCHS, "batch": BATCH, "rate": RATE}
    with tempfile.TemporaryDirectory() as folder:
        forkserver.start_early(Path(folder, "build"))  # before the rest is imported, as the command does
        from reportgen import pipeline
        from reportgen.planning import plan
        from reportgen.storage.records import Store

        file = Path(folder, "suite.yaml")
        file.write_text(SUITE.format(runs=runs, seeds=task.seeds, **sizes))
        options = pipeline.Options(build=Path(folder, "build"), jobs=2)
        store = Store(options.build / "records")
        if only_train:
            loaded = pipeline.load(file)
            planned = pipeline.plan(loaded, store)
            pipeline.run(planned, store, options, lambda _: None)
        else:
            pipeline.build(file, options, lambda _: None, lambda _: None)
            planned = pipeline.plan(pipeline.load(file), store)
        found = {}
        for step in planned.steps:
            record = plan.read(store, step.key)
            if record is not None:
                found[f"{step.run.variant.name}/{step.run.seed}"] = record.epochs[-1]["heldout_accuracy"]
        task.finish(found)


if __name__ == "__main__":
    main()
