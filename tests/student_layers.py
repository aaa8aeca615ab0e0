"""Recurrent layers as students write them."""

LAYER = '''\
"""Layers of our own."""
import torch
from torch import nn

START = 0.0


class MyRNN(nn.Module):
    """A plain network."""

    def __init__(self, input_size, hidden_size, scale=1.0):
        super().__init__()
        self.hidden_size, self.scale = hidden_size, scale
        self.W = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, state=None):
        h = x.new_full((len(x), self.hidden_size), START)
        states = []
        for step in x.unbind(1):
            h = torch.tanh(self.scale * self.W(torch.cat([step, h], dim=1)))  # one step
            states.append(h)
        return torch.stack(states, dim=1), h
'''
