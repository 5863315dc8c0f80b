"""Writes networks with random weights as ONNX files, by both of torch's exporters, with inputs and torch's outputs.

Made for torch 2.13, onnx 1.23 and onnxscript: python torch_models.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
folder = Path(sys.argv[1])


class Block(nn.Module):
    """A residual block of two convolutions, or a bottleneck of three (He et al. 2015)."""

    def __init__(self, channels, width, stride, bottleneck):
        super().__init__()
        inner = width // 4 if bottleneck else width
        shapes = [(1, 1), (3, stride), (1, 1)] if bottleneck else [(3, stride), (3, 1)]
        body = []
        for index, (kernel, step) in enumerate(shapes):
            last = index == len(shapes) - 1
            out = width if last else inner
            body += [nn.Conv2d(channels if index == 0 else inner, out, kernel, step, kernel // 2, bias=False), nn.BatchNorm2d(out)]
            body += [] if last else [nn.ReLU()]
        self.body = nn.Sequential(*body)
        same = stride == 1 and channels == width
        self.shortcut = nn.Identity() if same else nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


def resnet(counts, bottleneck):
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage, (count, width) in enumerate(zip(counts, [64, 128, 256, 512])):
        out = 4 * width if bottleneck else width
        for block in range(count):
            layers.append(Block(channels, out, 2 if stage > 0 and block == 0 else 1, bottleneck))
            channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(channels, 1000))


def vgg16():
    layers, channels = [], 3
    for count, width in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]:
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, 1, 1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2, 2))
    hidden = [nn.Linear(512, 512), nn.ReLU(), nn.Dropout(), nn.Linear(512, 512), nn.ReLU(), nn.Dropout()]
    return nn.Sequential(*layers, nn.Flatten(), *hidden, nn.Linear(512, 1000))


def lenet5():
    features = [nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)]
    classes = [nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)]
    return nn.Sequential(*features, nn.Flatten(), *classes)


class Sequence(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.cell = kind(5, 8, batch_first=True)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        states, _ = self.cell(x)
        return self.fc(states[:, -1])


class Transformer(nn.Module):
    """One encoder block, normalised first: attention by hand, then two dense layers with the exact GELU."""

    def __init__(self, width=16, heads=2):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.joint, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.words, self.head = nn.Embedding(13, width), nn.Linear(width, 5)

    def forward(self, tokens):
        x = self.words(tokens.long())
        _, length, width = x.shape
        query, key, value = self.joint(self.norm1(x)).reshape(-1, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        later = torch.triu(torch.ones(length, length, dtype=torch.bool), diagonal=1)
        scores = (query @ key.transpose(-1, -2) / (width // self.heads) ** 0.5).masked_fill(later, float("-inf"))
        x = x + self.out((scores.softmax(-1) @ value).transpose(1, 2).reshape(-1, length, width))
        x = x + self.mlp(self.norm2(x))
        return self.head(x.mean(1))


models = {
    "mlp": (nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)), [1, 28, 28]),
    "lenet5": (lenet5(), [1, 28, 28]),
    "resnet18": (resnet([2, 2, 2, 2], False), [3, 64, 64]),
    "resnet50": (resnet([3, 4, 6, 3], True), [3, 224, 224]),
    "vgg16": (vgg16(), [3, 32, 32]),
    "lstm": (Sequence(nn.LSTM), [7, 5]),
    "gru": (Sequence(nn.GRU), [7, 5]),
    "rnn": (Sequence(nn.RNN), [7, 5]),
    "transformer": (Transformer(), [6]),
}

for name, (model, shape) in models.items():
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, nn.LayerNorm):
            # Weights that are alike would be written once.
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
    x = torch.randint(0, 13, (2, *shape)).float() if name == "transformer" else torch.randn(2, *shape)
    with torch.no_grad():
        y = model(x)
    new = {"dynamo": True, "external_data": False, "dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},), "verbose": False}
    # Normalisation and dropout stay in the file, which the newer exporter folds away.
    old = {"dynamo": False, "opset_version": 17, "dynamic_axes": {"x": {0: "batch"}}}
    old |= {"do_constant_folding": False, "training": torch.onnx.TrainingMode.PRESERVE}
    for exporter, options in (("dynamo", new), ("script", old)):
        torch.onnx.export(model, (x,), folder / f"{name}-{exporter}.onnx", input_names=["x"], **options)
    folded = sum(m.num_features for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    facts = {
        "torch": torch.__version__,
        "parameters": sum(p.numel() for p in model.parameters()),
        # Of two vectors for each channel one is folded into filters, the other becomes a bias.
        "folded": folded,
        "shape": list(x.shape),
        "input": x.flatten().tolist(),
        "output": y.flatten().tolist(),
    }
    (folder / f"{name}.json").write_text(json.dumps(facts))
