"""The benchmark mlp on PyTorch: the best of eager and torch.compile. Prints its figures as JSON in the last line."""

import json
import statistics
import sys
import time

import torch
from torch import nn

batch = 64


def shallow():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def deep():
    widths = [784] + [64] * 8
    hidden = [layer for a, b in zip(widths, widths[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(64, 10))


def step_seconds(make, compiled):
    torch.manual_seed(1)
    model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_of = nn.CrossEntropyLoss()
    source = torch.rand(batch, 784)
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
        for _ in range(5):
            step()
        samples.append((time.perf_counter() - before) / 5)
    return statistics.median(samples)


figures = {}
for threads, word in ((1, "OneThread"), (2, "TwoThreads")):
    torch.set_num_threads(threads)
    for name, make in (("shallow", shallow), ("deep", deep)):
        candidates = [step_seconds(make, False)]
        try:
            candidates.append(step_seconds(make, True))
        except Exception as error:  # torch.compile needs a C++ compiler, which not every machine has.
            print(f"torch.compile is not available: {type(error).__name__}", file=sys.stderr)
        seconds = min(candidates)
        figures[f"{name}{word}StepSeconds"] = seconds
        figures[f"{name}{word}SamplesPerSecond"] = batch / seconds
print(json.dumps(figures))
