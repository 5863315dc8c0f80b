"""The benchmark cnn on PyTorch: the best of eager and torch.compile, and of both memory layouts.

Prints its figures as JSON in the last line.
"""

import json
import statistics
import sys
import time

import torch
from torch import nn

batch = 64


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


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def step_seconds(make, compiled, layout):
    torch.manual_seed(1)
    model = make().to(memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_of = nn.CrossEntropyLoss()
    source = torch.rand(batch, 1, 28, 28).to(memory_format=layout)
    inputs = torch.empty_like(source)
    targets = torch.arange(batch) % 10

    def forward(x, y):
        return loss_of(model(x), y)

    if compiled:
        forward = torch.compile(forward)

    def step():
        inputs.copy_(source)
        optimizer.zero_grad(set_to_none=True)
        loss = forward(inputs, targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    end = time.perf_counter() + 1
    while time.perf_counter() < end:
        step()
    samples = []
    end = time.perf_counter() + 2
    while time.perf_counter() < end:
        before = time.perf_counter()
        step()
        samples.append(time.perf_counter() - before)
    return statistics.median(samples)


figures = {}
for threads, word in ((1, "OneThread"), (2, "TwoThreads")):
    torch.set_num_threads(threads)
    for name, make in (("small", small), ("lenet5", lenet5)):
        candidates = []
        for layout in (torch.contiguous_format, torch.channels_last):
            candidates.append(step_seconds(make, False, layout))
            try:
                candidates.append(step_seconds(make, True, layout))
            except Exception as error:  # torch.compile needs a C++ compiler, which not every machine has.
                print(f"torch.compile is not available: {type(error).__name__}", file=sys.stderr)
        seconds = min(candidates)
        figures[f"{name}{word}StepSeconds"] = seconds
        figures[f"{name}{word}SamplesPerSecond"] = batch / seconds
print(json.dumps(figures))
