"""Whole models as students write them."""

from pathlib import Path

MODELS = """\
import torch
from torch import nn


class MyClassifier(nn.Module):
    def __init__(self, symbols, classes, hidden=6):
        super().__init__()
        self.embedding = nn.Embedding(symbols, 4, padding_idx=0)
        self.lstm = nn.LSTM(4, hidden, batch_first=True)
        self.output = nn.Linear(hidden, classes)

    def forward(self, tokens, lengths):
        states, _ = self.lstm(self.embedding(tokens))
        last = states[torch.arange(len(states)), lengths - 1]
        return self.output(last)


class MyForecaster(nn.Module):
    def __init__(self, hidden=5):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.output = nn.Linear(hidden, 1)

    def forward(self, points, state=None):
        states, state = self.gru(points, state)
        return self.output(states), state


class MyAdder(nn.Module):
    def __init__(self, hidden=5):
        super().__init__()
        self.rnn = nn.RNN(20, hidden, batch_first=True)
        self.output = nn.Linear(hidden, 10)

    def forward(self, pairs):
        digits = nn.functional.one_hot(pairs, 10).flatten(2)
        return self.output(self.rnn(digits.float())[0])


class MyCell(nn.Module):
    def __init__(self, input_size, hidden_size, scale=1.0):
        super().__init__()
        self.scale = scale
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)

    def forward(self, x, state=None):
        return self.rnn(x * self.scale, state)
"""


LOSSES = """\
def focal(logits, labels, gamma=2.0):
    log_p = logits.log_softmax(1).gather(1, labels[:, None])[:, 0]
    return -((1 - log_p.exp()) ** gamma) * log_p
"""


CLASSIFY = """\
title: Ours
data: {source: surnames, languages: [Greek, Tamil], limit: 60}
training: {epochs: 1}
model: {hidden_size: 6, layers: 1}
runs:
  - {name: lstm, model: {cell: lstm}}
  - {name: whole, model: {module: "my_models.py:MyClassifier", arguments: {hidden: 7}}}
  - {name: focal, baseline: lstm, model: {cell: lstm}, training: {loss: "my_losses.py:focal"}}
seeds: [0]
device: cpu
languages: [en]
formats: [md]
"""


def lab(folder: Path, suite: str = CLASSIFY, models: str = MODELS, losses: str = LOSSES) -> Path:
    """Write a suite with models and losses beside it."""
    (folder / "my_models.py").write_text(models, "utf-8")
    (folder / "my_losses.py").write_text(losses, "utf-8")
    (folder / "suite.yaml").write_text(suite, "utf-8")
    return folder / "suite.yaml"
