"""RNN, LSTM and GRU with two seeds each, whole process against whole process, beside what else one would use.

    python benchmarks/training.py --python /tmp/peers/bin/python [--peers plain,ours] [--repeat 3]

The other interpreter has what benchmarks/requirements.txt names; reportgen runs in this one. Data, model, batch,
epochs and evaluation are the same for all (benchmarks/training/task.py). Each repetition runs every peer once,
with seeds 0 and 1, then 1 and 2, then 2 and 0; the accuracies are means over the seeds that were run.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from measuring import Cost, cost_of, machine, median, table

from reportgen.tasks.classification.data import prepare
from reportgen.tasks.classification.settings import MovieSnippetsSettings, SplitSettings

FOLDER = Path(__file__).parent / "training"
OURS = ("ours", "ours, training only")
PEERS = {
    "plain": ["plain.py"],
    "lightning": ["with_lightning.py"],
    "skorch": ["with_skorch.py"],
    "keras": ["with_keras.py"],
    "careful": ["careful.py"],
    "ours": ["ours.py"],
    "ours, training only": ["ours.py", "--only-train"],
}
CELLS = ("rnn", "lstm", "gru")
SEEDS = ((0, 1), (1, 2), (2, 0))


def export(file: Path) -> None:
    """Write the data as reportgen divides and numbers them."""
    split = SplitSettings(test=0.2, validation=0.0)
    data = prepare(MovieSnippetsSettings(source="movie-snippets", split=split))
    arrays = {
        f"{part}_{name}": values[data.parts[part]]
        for part in ("train", "test")
        for name, values in (("inputs", data.inputs), ("lengths", data.lengths), ("labels", data.labels))
    }
    np.savez(file, symbols=data.facts.vocabulary + 2, **arrays)


def run(peer: str, python: str, data: Path, seeds: tuple[int, ...]) -> tuple[Cost, dict[str, float]]:
    """Run a peer once; return what it took, and the accuracy of each run."""
    script, *options = PEERS[peer]
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        interpreter = sys.executable if peer in OURS else python
        command = [interpreter, str(FOLDER / script), str(data), str(answer), *options, *map(str, seeds)]
        paths = {"PYTHONPATH": str(FOLDER.parents[1])} if peer in OURS else {"PYTHONPATH": ""}
        cost = cost_of(command, paths)
        return cost, json.loads(answer.read_text())


def accuracies(found: dict[str, float]) -> list[str]:
    """Return the mean over the seeds, and the smallest and greatest, of each cell."""
    cells = []
    for cell in CELLS:
        own = [accuracy for run, accuracy in found.items() if run.startswith(f"{cell}/")]
        cells.append(f"{statistics.mean(own):.3f} ({min(own):.3f}–{max(own):.3f})")
    return cells


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the other peers")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    peers = [
        name
        for name in PEERS
        if name in options.peers.split(",") or name.split(",")[0] in options.peers.split(",")
    ]
    costs: dict[str, list[Cost]] = defaultdict(list)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data.npz")
        export(data)
        for repetition in range(options.repeat):
            for peer in peers:
                cost, answers = run(peer, options.python, data, SEEDS[repetition % len(SEEDS)])
                costs[peer].append(cost)
                found[peer] |= answers
                print(f"{peer}: {cost.wall:.1f} s, {cost.cpu:.1f} CPU s", file=sys.stderr)
    walls = {peer: median(cost.wall for cost in own) for peer, own in costs.items()}
    rows = [
        [
            peer,
            f"{walls[peer]:.1f}",
            f"{median(cost.cpu for cost in own):.1f}",
            f"{median(cost.peak for cost in own):.0f}",
            f"{walls[peer] / walls['ours']:.2f}" if "ours" in walls else "",
            *accuracies(found[peer]),
            ", ".join(f"{cost.wall:.1f}" for cost in own),
        ]
        for peer, own in costs.items()
    ]
    print(machine(["torch"]))
    print(f"Medians of {options.repeat}; accuracies are means over the seeds (lowest–highest).\n")
    head = ["peer", "wall, s", "CPU, s", "peak, MiB", "wall / ours"]
    print(table([*head, *(f"{cell.upper()} accuracy" for cell in CELLS), "wall of each, s"], rows))


if __name__ == "__main__":
    main()
