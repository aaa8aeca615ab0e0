"""skorch, as its documentation uses it: everything padded to the longest, one run after another."""

import torch
from model import Classifier
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from task import BATCH, CELLS, EPOCHS, RATE, Part, given
from torch import nn


def inputs(part: Part) -> dict[str, object]:
    """Return what the classifier takes, by name."""
    return {"inputs": part.inputs, "lengths": part.lengths}


def main() -> None:
    """Train every cell with every seed."""
    task = given()
    found = {}
    for cell in CELLS:
        for seed in task.seeds:
            torch.manual_seed(seed)
            net = NeuralNetClassifier(
                Classifier,
                module__cell=cell,
                module__symbols=task.symbols,
                criterion=nn.CrossEntropyLoss,
                optimizer=torch.optim.Adam,
                lr=RATE,
                batch_size=BATCH,
                max_epochs=EPOCHS,
                iterator_train__shuffle=True,
                train_split=predefined_split(Dataset(inputs(task.test), task.test.labels)),
                verbose=0,
            )
            net.fit(inputs(task.train), task.train.labels)
            found[f"{cell}/{seed}"] = float(net.history[-1, "valid_acc"])
    task.finish(found)


if __name__ == "__main__":
    main()
