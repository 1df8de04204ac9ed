"""Models for the tests of the probe whose attacks and constants are known: quadratics, the linear model, small nets."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.studies.probe import probe


class Quadratic(nn.Module):
    """x -> x.Q x / 2 + (M theta + b).x, so that grad_x^2 l = Q and grad_theta grad_x l = M at every point."""

    Q: Tensor
    M: Tensor
    b: Tensor

    def __init__(self, Q: Tensor, M: Tensor, b: Tensor, theta: Tensor) -> None:
        super().__init__()
        for name, value in (("Q", Q), ("M", M), ("b", b)):
            self.register_buffer(name, value)
        self.theta = nn.Parameter(theta)

    def forward(self, x: Tensor) -> Tensor:
        return (x * (x @ self.Q)).sum(1) / 2 + x @ (self.M @ self.theta + self.b)


class Linear(nn.Module):
    """x -> theta.x; with `logistic` the paper's linear model."""

    def __init__(self, theta: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(theta)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.theta


class Swish(Linear):
    """x -> u sigmoid(u), u = theta.x: the net of the paper's Figs. 2(d)-(f)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(super().forward(x))


def output(outputs: Tensor, y: Tensor) -> Tensor:
    """The output as the loss."""
    return outputs


def logistic(outputs: Tensor, y: Tensor) -> Tensor:
    return F.softplus(-y * outputs)


def small_net(seed: int, inputs: int, hidden: int = 4, classes: int = 3, activation: type = nn.SiLU) -> Any:
    """A net of one hidden layer with weights from the seed, in float64."""
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Linear(inputs, hidden), activation(), nn.Linear(hidden, classes)).double()
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(1.5 * torch.randn(weight.shape, generator=generator, dtype=torch.float64))
    return net


def batch(seed: int, n: int, inputs: int, classes: int = 3) -> tuple[Tensor, Tensor]:
    """n points of the unit cube, some of their coordinates at its ends, and labels."""
    generator = torch.Generator().manual_seed(1000 + seed)
    x = (1.4 * torch.rand(n, inputs, generator=generator, dtype=torch.float64) - 0.2).clamp(0, 1)
    return x, torch.randint(classes, (n,), generator=generator)


def probed(*batch: Any, **settings: Any) -> Any:
    """What `probe` finds, of a type that takes every question."""
    return probe(*batch, **settings)
