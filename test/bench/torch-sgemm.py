"""The benchmark sgemm on PyTorch. Prints its figures as JSON in the last line."""

import json
import statistics
import time

import torch

figures = {}
for threads, word in ((1, "OneThread"), (2, "TwoThreads")):
    torch.set_num_threads(threads)
    for size in (128, 256, 512, 1024):
        a, b = torch.rand(size, size), torch.rand(size, size)
        c = torch.empty(size, size)
        end = time.perf_counter() + 0.5
        while time.perf_counter() < end:
            torch.matmul(a, b, out=c)
        samples = []
        end = time.perf_counter() + 1
        while time.perf_counter() < end:
            before = time.perf_counter()
            torch.matmul(a, b, out=c)
            samples.append(time.perf_counter() - before)
        figures[f"square{size}{word}FlopsPerSecond"] = 2 * size**3 / statistics.median(samples)
print(json.dumps(figures))
