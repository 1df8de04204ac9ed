"""A net of 24,842 parameters for the 8 x 8 digits that scikit-learn ships."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

FILTERS = 16
HIDDEN = 92


class SmallNet(nn.Module):
    """A 3x3 convolution at stride 2 and a hidden layer, each with batch norm and relu, and a linear layer.

    (N, channels, 8, 8) -> logits (N, classes). At 1 channel and 10 classes 144 weights in the convolution, 23,552 in
    the hidden layer, 216 in batch norm and 930 in the last layer. One convolution is there for the clock of a CPU: a
    second one in place of the hidden layer doubles the time and gains nothing on such images.
    """

    activation = staticmethod(F.relu)

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, FILTERS, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(FILTERS)
        self.hidden = nn.Linear(FILTERS * 4 * 4, HIDDEN, bias=False)
        self.norm2 = nn.BatchNorm1d(HIDDEN)
        self.linear = nn.Linear(HIDDEN, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.norm1(self.conv(x)))
        x = self.activation(self.norm2(self.hidden(x.flatten(1))))
        return self.linear(x)


class SmoothNet(SmallNet):
    """The same net with x sigmoid(x) in place of relu: its loss has derivatives of every order in x and the weights,
    as Lemmas 4 and 5 of the paper ask, where that of `SmallNet` has kinks."""

    activation = staticmethod(F.silu)
