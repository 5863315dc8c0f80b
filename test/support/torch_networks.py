"""Networks in PyTorch that more than one script needs. In here nothing is seeded, trained or timed."""

from torch import nn


def lenet5(activation, pool):
    """LeNet-5 on one channel of 28 × 28, with the activation and pooling layers that are given (as classes)."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        activation(),
        pool(2),
        nn.Conv2d(6, 16, 5),
        activation(),
        pool(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        activation(),
        nn.Linear(120, 84),
        activation(),
        nn.Linear(84, 10),
    )
