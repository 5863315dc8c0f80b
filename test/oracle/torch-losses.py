"""Losses of ten training steps of small networks in PyTorch, from weights and batches that any language can make.

Prints JSON in its last line: for every case the losses, as float32 shows them. The numbers come from a linear congruential
generator (Numerical Recipes' constants); stream n begins with state n. test/oracle/cases.ts makes the same ones.
"""

import json
import math
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.append(str(Path(__file__).resolve().parent.parent / "support"))
from torch_networks import lenet5

STEPS = 10
BATCH = 16


def numbers(stream, count, low, high):
    state = stream
    values = []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(low + (high - low) * ((state >> 8) / 2**24))
    return values


def own_parameters(module):
    """A module's own parameters in the order of ours, and whether each is made as [inputs, outputs] and turned."""
    if isinstance(module, nn.RNNBase):
        names = ("weight_ih_l0", "bias_ih_l0", "weight_hh_l0", "bias_hh_l0")
        return [(getattr(module, name), name.startswith("weight"), 0.0) for name in names]
    turned = isinstance(module, nn.Linear)
    middle = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
    return [
        (parameter, turned and name == "weight", middle if name == "weight" else 0.0)
        for name, parameter in module.named_parameters(recurse=False)
    ]


def fill(model):
    """Parameters in their order, one stream each: evenly in an interval by the number of an output's inputs."""
    stream = 0
    with torch.no_grad():
        for module in model.modules():
            for parameter, turned, middle in own_parameters(module):
                stream += 1
                shape = list(parameter.shape)
                bound = 0.1 if len(shape) == 1 else math.sqrt(3.0 / math.prod(shape[1:]))
                if turned:
                    shape.reverse()
                made = numbers(stream, math.prod(shape), middle - bound, middle + bound)
                values = torch.tensor(made, dtype=torch.float32).reshape(shape)
                parameter.copy_(values.T if turned else values)


class LastStep(nn.Module):
    """The output of a recurrent layer's last step."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0][:, -1]


class Residual(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, filters, 3, stride, 1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
            nn.BatchNorm2d(filters),
        )
        self.shortcut = (
            nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))
            if stride != 1
            else nn.Identity()
        )

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 24), nn.Tanh(), nn.Linear(24, 10))


def resnet():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        Residual(8, 8, 1),
        Residual(8, 16, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )


def recurrent(layer):
    return lambda: nn.Sequential(LastStep(layer(6, 20, batch_first=True)), nn.Linear(20, 10))


MODELS = {
    "mlp": (mlp, [1, 8, 8]),
    "lenet5": (lambda: lenet5(nn.Tanh, nn.AvgPool2d), [1, 28, 28]),
    "resnet": (resnet, [3, 16, 16]),
    "lstm": (recurrent(nn.LSTM), [9, 6]),
    "gru": (recurrent(nn.GRU), [9, 6]),
}
OPTIMIZERS = {
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.002),
}


def losses(make, shape, optimize):
    model = make()
    fill(model)
    optimizer = optimize(model.parameters())
    result = []
    for step in range(STEPS):
        count = BATCH * math.prod(shape)
        inputs = torch.tensor(numbers(1000 + step, count, 0, 1), dtype=torch.float32).reshape([BATCH, *shape])
        targets = torch.tensor([(7 * sample + step) % 10 for sample in range(BATCH)])
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        result.append(loss.item())
    return result


torch.set_num_threads(1)
cases = {
    f"{model} with {optimizer}": losses(make, shape, optimize)
    for model, (make, shape) in MODELS.items()
    for optimizer, optimize in OPTIMIZERS.items()
}
print(json.dumps({"torch": torch.__version__, "losses": cases}))
