"""WideResNet-34-10 for images of 32 x 32, the paper's "WRN"."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from training.models.preact_resnet import PreActBlock

WIDTHS = (160, 320, 640)
BLOCKS_A_STAGE = 5


class WideResNet34x10(nn.Module):
    """WideResNet-34-10 (Zagoruyko and Komodakis, 2016): (N, channels, 32, 32) -> logits (N, classes); no dropout.

    A 3x3 stem to 16, three stages of five pre-activation blocks with widths 160, 320, 640 at strides 1, 2, 2,
    then batch norm, relu, 8x8 average pooling and a linear layer: 46,160,474 parameters at 3 channels, 10
    classes. Convolutions start from N(0, 2 / fan_out), the bias from 0, the linear weights from torch's default.
    """

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        blocks: list[nn.Module] = []
        width = 16
        for stage, out in enumerate(WIDTHS):
            for index in range(BLOCKS_A_STAGE):
                blocks.append(PreActBlock(width, out, stride=2 if stage and not index else 1))
                width = out
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(width)
        self.linear = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.blocks(self.stem(x))))
        return self.linear(F.avg_pool2d(x, 8).flatten(1))
