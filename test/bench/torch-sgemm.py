"""The benchmark sgemm on PyTorch. Prints its figures as JSON in the last line."""

import json

import torch
from torch_steps import THREADS, median_seconds

figures = {}
for threads, word in THREADS:
    torch.set_num_threads(threads)
    for size in (128, 256, 512, 1024):
        a, b = torch.rand(size, size), torch.rand(size, size)
        c = torch.empty(size, size)
        seconds = median_seconds(lambda: torch.matmul(a, b, out=c), warm_up=0.5, seconds=1)
        figures[f"square{size}{word}FlopsPerSecond"] = 2 * size**3 / seconds
print(json.dumps(figures))
