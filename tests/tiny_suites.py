"""The tiny suite in other languages."""

TINY_IN = """
title: Klein
cover: {author: "Ä. Müller", date: 2026-11-21}
data: {source: surnames, languages: [Chinese, Greek, Russian], limit: 300}
training: {epochs: 3, batch_size: 32, learning_rate: 0.01}
model: {hidden_size: 12}
runs:
  - {name: rnn, label: RNN, model: {cell: rnn}}
  - {name: lstm, label: "LSTM 2", model: {cell: handwritten_lstm}}
sweeps:
  - {base: rnn, grid: {training.epochs: [1]}}
seeds: [0, 1]
device: cpu
"""
"""The tiny suite with its texts in no language, so that it can be printed in any."""
