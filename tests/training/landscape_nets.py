"""The small net with statistics of its own, digits, and a direction."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.data import load
from training.models import build
from training.studies.landscape.loss import filter_normalised


def net(seed: int = 0) -> nn.Module:
    """A small net for digits whose batch norm has seen some of them, so that its two policies differ."""
    torch.manual_seed(seed)
    model = build("small", 10, 1)
    x, _ = digits(60)
    with torch.no_grad():
        for _ in range(5):
            model(0.7 * x + 0.1)
    return model.eval()


def digits(n: int) -> tuple[Tensor, Tensor]:
    data = load("digits")
    return data.pixels(data.test_images[:n]), data.test_labels[:n]


def direction(model: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    return filter_normalised(model, torch.Generator().manual_seed(seed))
