"""The benchmark cnn on PyTorch: the best of eager and torch.compile, and of both memory layouts.

Prints its figures as JSON in the last line.
"""

from torch import nn
from torch_steps import BOTH_LAYOUTS, print_training
from torch_networks import lenet5


def small():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 10),
    )


networks = {"small": small, "lenet5": lambda: lenet5(nn.ReLU, nn.MaxPool2d)}
print_training(networks, (64, 1, 28, 28), BOTH_LAYOUTS)
