"""Writes resnet50.onnx: ResNet-50 as PyTorch's exporter describes it, without the 100 MB of its weights.

Made with torch 2.13 and onnx 1.23: python make_resnet50.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
from torch import nn


class Bottleneck(nn.Module):
    """Three convolutions around which the input goes (He, Zhang, Ren, Sun 2015, figure 5)."""

    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1, self.bn1, self.relu1 = nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2, self.relu2 = nn.BatchNorm2d(width), nn.ReLU()
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.downsample = nn.Identity()
        if stride != 1 or channels != 4 * width:
            shortcut = nn.Conv2d(channels, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width))
        self.relu3 = nn.ReLU()

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        return self.relu3(self.bn3(self.conv3(y)) + self.downsample(x))


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)]):
            layers = []
            for block in range(blocks):
                layers.append(Bottleneck(channels, width, 2 if stage > 0 and block == 0 else 1))
                channels = 4 * width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.avgpool, self.flatten, self.fc = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.flatten(self.avgpool(x)))


with TemporaryDirectory() as folder:
    whole = Path(folder) / "whole.onnx"
    torch.onnx.export(
        ResNet50(),
        (torch.zeros(1, 3, 224, 224),),
        whole,
        dynamo=False,
        opset_version=17,
        input_names=["x"],
        dynamic_axes={"x": {0: "batch"}},
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )
    model = onnx.load(whole)
    model.graph.name = "ResNet-50 from PyTorch"
    small = Path(folder) / "resnet50.onnx"
    # The weights go into a file of their own, which is left behind.
    onnx.save(model, small, save_as_external_data=True, location="resnet50.onnx.data", size_threshold=0)
    (Path(__file__).parent / "resnet50.onnx").write_bytes(small.read_bytes())
