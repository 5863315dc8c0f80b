"""What the benchmarks' scripts on PyTorch share: calls and training steps, timed as ours are."""

import json
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import nn

sys.path.append(str(Path(__file__).resolve().parent.parent / "support"))

THREADS = ((1, "OneThread"), (2, "TwoThreads"))
PLANAR = (torch.contiguous_format,)
BOTH_LAYOUTS = (torch.contiguous_format, torch.channels_last)


def median_seconds(call, warm_up, seconds, group=1):
    """Median seconds of a call; calls are timed in groups."""
    end = time.perf_counter() + warm_up
    while True:
        call()
        if time.perf_counter() >= end:
            break
    samples = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 3:
        before = time.perf_counter()
        for _ in range(group):
            call()
        samples.append((time.perf_counter() - before) / group)
    return statistics.median(samples)


def training_step(model, source, targets, compiled):
    """A function that copies the batch in, goes forward and backward, updates by SGD, and reads the loss."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_of = nn.CrossEntropyLoss()
    inputs = torch.empty_like(source)

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

    return step


def step_seconds(make, shape, layouts, modes=(False, True), warm_up=1, seconds=2, group=1):
    """Seconds of one step of the best of some layouts, and of eager (False) and torch.compile (True)."""
    candidates = []
    for layout in layouts:
        for compiled in modes:
            torch.manual_seed(1)
            model, source = make(), torch.rand(shape)
            if layout is not torch.contiguous_format:
                model, source = model.to(memory_format=layout), source.to(memory_format=layout)
            step = training_step(model, source, torch.arange(shape[0]) % 10, compiled)
            try:
                candidates.append(median_seconds(step, warm_up, seconds, group))
            except Exception as error:
                # torch.compile needs a C++ compiler, which not every machine has.
                if not compiled:
                    raise
                print(f"torch.compile is not available: {type(error).__name__}", file=sys.stderr)
    return min(candidates)


def print_training(networks, shape, layouts, group=1):
    """Prints the figures of `trainingFigures` for networks by name, as JSON in the last line."""
    figures = {}
    for threads, word in THREADS:
        torch.set_num_threads(threads)
        for name, make in networks.items():
            seconds = step_seconds(make, shape, layouts, group=group)
            figures[f"{name}{word}StepSeconds"] = seconds
            figures[f"{name}{word}SamplesPerSecond"] = shape[0] / seconds
    print(json.dumps(figures))
