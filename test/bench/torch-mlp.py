"""The benchmark mlp on PyTorch: the best of eager and torch.compile. Prints its figures as JSON in the last line."""

from torch import nn
from torch_steps import PLANAR, print_training


def shallow():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def deep():
    widths = [784] + [64] * 8
    hidden = [layer for a, b in zip(widths, widths[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(64, 10))


print_training({"shallow": shallow, "deep": deep}, (64, 784), PLANAR, group=5)
