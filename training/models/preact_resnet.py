"""PreActResNet-18 for images of 32 x 32, the paper's "ResNet-18"."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512)


class PreActResNet18(nn.Module):
    """PreActResNet-18 (He et al., 2016b): (N, channels, 32, 32) -> logits (N, classes); torch's default start.

    A 3x3 stem to 64, four stages of two blocks with widths 64, 128, 256, 512 at strides 1, 2, 2, 2, then
    batch norm, relu, 4x4 average pooling and a linear layer: 11,172,170 parameters at 3 channels, 10 classes.
    """

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False)
        stages: list[nn.Module] = []
        width = WIDTHS[0]
        for stage, out in enumerate(WIDTHS):
            stages += [PreActBlock(width, out, stride=2 if stage else 1), PreActBlock(out, out, stride=1)]
            width = out
        self.blocks = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(width)
        self.linear = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.blocks(self.stem(x))))
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


class PreActBlock(nn.Module):
    """Batch norm, relu and a 3x3 convolution, twice, added to the shortcut.

    The shortcut is x itself where the shape stays, and else a 1x1 convolution of relu(norm1(x)), without a
    batch norm of its own.
    """

    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, out, 3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        changes = stride != 1 or width != out
        self.shortcut = nn.Conv2d(width, out, 1, stride=stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.norm1(x))
        shortcut = x if self.shortcut is None else self.shortcut(active)
        return self.conv2(F.relu(self.norm2(self.conv1(active)))) + shortcut
