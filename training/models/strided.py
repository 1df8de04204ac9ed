"""Serves the laptop table: two convolutions at stride 2 and a wide hidden layer for images of 32 x 32."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

FILTERS = (32, 64)
HIDDEN = 512


class StridedNet(nn.Module):
    """(N, channels, 32, 32) -> logits (N, classes): 3x3 convolutions at stride 2 of 32 and 64 filters, a hidden layer
    of 512 on their 8 x 8 places, each with batch norm and relu, and a linear layer.

    2,122,794 parameters at 3 channels and 10 classes; a forward is 3.5 million multiply-adds, a hundred and sixtieth
    of PreActResNet-18's. The hidden layer is there because it is cheap and memorises: with a third convolution in its
    place adversarial training learns more slowly in the same time.
    """

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        first, second = FILTERS
        self.conv1 = nn.Conv2d(channels, first, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(second)
        self.hidden = nn.Linear(second * 8 * 8, HIDDEN, bias=False)
        self.norm3 = nn.BatchNorm1d(HIDDEN)
        self.linear = nn.Linear(HIDDEN, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm1(self.conv1(x)))
        x = F.relu(self.norm2(self.conv2(x)))
        x = F.relu(self.norm3(self.hidden(x.flatten(1))))
        return self.linear(x)
