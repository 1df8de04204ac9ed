"""A small net in float64, its loss on a batch, and the v that AWP finds there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.methods.awp import AdversarialWeights

ROUNDING = 1e-13  # a few dozen roundings of float64 numbers of size 1 to 10
GAMMA_AWP = 0.05
WEIGHT_DECAY = 0.02


class Net(nn.Module):
    """A convolution, batch norm and a linear layer, each with a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.norm(self.conv(x))).flatten(1))


def net(dtype: torch.dtype = torch.float64) -> Net:
    generator = torch.Generator().manual_seed(0)
    model = Net().to(dtype)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.empty(weight.shape).normal_(generator=generator))
    return model


def batch(seed: int = 1, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(6, 1, 4, 4, generator=generator), torch.randint(4, (6,), generator=generator)
    return x.to(dtype), y


def loss_of(model: nn.Module, seed: int = 1) -> Tensor:
    x, y = batch(seed, next(model.parameters()).dtype)
    return nn.functional.cross_entropy(model(x), y)


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def shift_in(model: nn.Module, gamma_awp: float = GAMMA_AWP, **arguments: Any) -> dict[str, np.ndarray]:
    """The v of every parameter, read off inside the block."""
    before = snapshot(model)
    with AdversarialWeights(model, gamma_awp, **arguments).perturbed(lambda: loss_of(model)):
        return {
            name: (value.detach() - before[name]).numpy().copy() for name, value in model.named_parameters()
        }
