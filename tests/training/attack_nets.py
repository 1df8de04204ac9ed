"""The budget of the attacks, and a small net with a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from training.models import build

FLOAT = 1e-5  # a few hundred float32 operations on numbers of size 1
BUDGET: dict[str, Any] = {"epsilon": 0.15, "step_size": 0.04, "steps": 10}


def small_batch(seed: int = 0, n: int = 6) -> tuple[Any, Tensor, Tensor]:
    torch.manual_seed(seed)
    return build("small", 10, 1, (0.3,), (0.4,)), torch.rand(n, 1, 8, 8), torch.randint(0, 10, (n,))
