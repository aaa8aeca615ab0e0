"""The loop of a tutorial: a Dataset, a DataLoader, all padded to the longest, one run after another."""

import torch
from model import Classifier
from task import BATCH, CELLS, EPOCHS, RATE, Part, given
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Snippets(Dataset):
    """Examples one by one."""

    def __init__(self, part: Part) -> None:
        self.part = part

    def __len__(self) -> int:
        return len(self.part.labels)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int, int]:
        return torch.tensor(self.part.inputs[i]), int(self.part.lengths[i]), int(self.part.labels[i])


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """Return the share that the model gets right, and work out its loss on the way."""
    model.eval()
    right, loss_sum = 0, 0.0
    with torch.no_grad():
        for inputs, lengths, labels in loader:
            logits = model(inputs, lengths)
            loss_sum += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
            right += (logits.argmax(1) == labels).sum().item()
    return right / len(loader.dataset)


def main() -> None:
    """Train every cell with every seed."""
    task = given()
    found = {}
    for cell in CELLS:
        for seed in task.seeds:
            torch.manual_seed(seed)
            train = DataLoader(Snippets(task.train), BATCH, shuffle=True)
            test = DataLoader(Snippets(task.test), BATCH)
            model = Classifier(cell, task.symbols)
            optimizer = torch.optim.Adam(model.parameters(), RATE)
            for _ in range(EPOCHS):
                model.train()
                for inputs, lengths, labels in train:
                    optimizer.zero_grad()
                    loss = nn.functional.cross_entropy(model(inputs, lengths), labels)
                    loss.backward()
                    optimizer.step()
                found[f"{cell}/{seed}"] = accuracy(model, test)
    task.finish(found)


if __name__ == "__main__":
    main()
