"""Lightning, with its own loop and loggers off: everything padded to the longest, one run after another."""

import lightning
import torch
from model import Classifier
from task import BATCH, CELLS, EPOCHS, RATE, Part, given
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Lit(lightning.LightningModule):
    """The classifier with its loss, its optimizer and its evaluation."""

    def __init__(self, cell: str, symbols: int) -> None:
        super().__init__()
        self.model = Classifier(cell, symbols)

    def training_step(self, batch: list[Tensor]) -> Tensor:
        """Return the loss of a batch."""
        inputs, lengths, labels = batch
        return nn.functional.cross_entropy(self.model(inputs, lengths), labels)

    def validation_step(self, batch: list[Tensor]) -> None:
        """Add a batch to the loss and the accuracy of the epoch."""
        inputs, lengths, labels = batch
        logits = self.model(inputs, lengths)
        right = (logits.argmax(1) == labels).float().mean()
        self.log("loss", nn.functional.cross_entropy(logits, labels), batch_size=len(labels))
        self.log("accuracy", right, batch_size=len(labels))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam."""
        return torch.optim.Adam(self.parameters(), RATE)


def loader(part: Part, *, shuffle: bool) -> DataLoader:
    """Return the part in batches."""
    return DataLoader(TensorDataset(*map(torch.from_numpy, part)), BATCH, shuffle=shuffle)


def main() -> None:
    """Train every cell with every seed."""
    task = given()
    found = {}
    for cell in CELLS:
        for seed in task.seeds:
            lightning.seed_everything(seed, verbose=False)
            trainer = lightning.Trainer(
                max_epochs=EPOCHS,
                accelerator="cpu",
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                num_sanity_val_steps=0,
            )
            train, test = loader(task.train, shuffle=True), loader(task.test, shuffle=False)
            trainer.fit(Lit(cell, task.symbols), train, test)
            found[f"{cell}/{seed}"] = float(trainer.callback_metrics["accuracy"])
    task.finish(found)


if __name__ == "__main__":
    main()
