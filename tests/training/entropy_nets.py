"""A net with weights of several shapes, and runs of EntropySGD on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from training.entropy_sgd import EntropySGD

ROUNDING = 1e-6  # a few dozen roundings of float32 numbers of size 1
LOOP: dict[str, Any] = {"lr": 0.3, "inner_steps": 4, "gamma": 0.1, "noise": 0.01, "order": 2}


class Net(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(5, width), nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.outer(torch.tanh(self.inner(x)))


def small_net(width: int = 7) -> Net:
    generator = torch.Generator().manual_seed(0)
    model = Net(width)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(generator=generator).mul_(0.5)
    return model


def backward(model: nn.Module, k: int) -> Tensor:
    """The gradients of the k-th minibatch, in place of the old ones."""
    generator = torch.Generator().manual_seed(1000 + k)
    x, y = torch.randn(8, 5, generator=generator), torch.randint(3, (8,), generator=generator)
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    return loss.detach()


def run(model: nn.Module, optimizer: torch.optim.Optimizer, minibatches: Iterable[int]) -> None:
    for k in minibatches:
        backward(model, k)
        optimizer.step()


def bits(model: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten().clone() for weight in model.parameters()])


def trained(minibatches: int, **changes: Any) -> tuple[Net, EntropySGD]:
    model = small_net()
    optimizer = EntropySGD(model.parameters(), **LOOP | changes)
    run(model, optimizer, range(minibatches))
    return model, optimizer


def anchor(model: nn.Module, optimizer: EntropySGD) -> Tensor:
    with optimizer.evaluation_weights():
        return bits(model)
