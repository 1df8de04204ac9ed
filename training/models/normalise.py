"""The standardisation of Secs. E.1-E.3 as a net's first layer, so that attacks live in pixel space."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Normalise(nn.Module):
    """(x - mean) / std channel by channel, for x of shape (N, channels, H, W)."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """`mean`, `std`: one number a channel, in the units of x; std > 0. Raises: ValueError otherwise."""
        super().__init__()
        if len(mean) != len(std) or not mean:
            raise ValueError(
                f"mean = {list(mean)} and std = {list(std)}; they must hold one number for each channel: "
                "pass equally many"
            )
        for name, values, least in (("mean", mean, -math.inf), ("std", std, 0.0)):
            if not all(least < value < math.inf for value in values):
                raise ValueError(
                    f"{name} = {list(values)}; its numbers must be finite{'' if name == 'mean' else ' and > 0'}: "
                    "pass those of the data set on the scale of its pixels"
                )
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std
