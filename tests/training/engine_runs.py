"""The runs that the engines are held against each other on, and switches of a GPU on a CPU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from pretend_graphs import PretendGraphs

from training.engine.capture import Replayed
from training.engine.choice import FAST_CUDA
from training.engine.device import Computing
from training.runs.batches import minibatches, order

# Warm-ups, drops, switches of the optimizer and a smaller last batch (100 = 3 x 32 + 4), often enough to be recorded.
RUNS: dict[str, dict[str, Any]] = {
    "cifar10-rn18-at": {},
    "cifar10-rn18-at+code": {},
    "cifar10-rn18-awp+code": {"warmup_epochs": 4},
    "cifar10-rn18-awp-2ndensgd": {"inner_steps": 3},
    "cifar10-rn18-at-ensgd+code": {"inner_steps": 3},
    "cifar10-wrn-trades": {},
    "cifar10-wrn-trades+code": {},
    "cifar10-wrn-trades-awp-ensgd-tuned": {"inner_steps": 3, "warmup_epochs": 2, "switch_to_sgd": 6},
}


SHAPE: dict[str, Any] = {"epochs": 8, "drops": (4,), "batch": 32, "augmentation": "zero-crop-flip"}


def captured(run, told=lambda reason: None) -> Replayed:
    """The trainer's steps from now on from recordings."""
    run.method.replay = Replayed(PretendGraphs(run.model), told)
    return run.method.replay


class Switched:
    """Settings of the fast engine as on a GPU, wherever it runs."""

    engine = "fast"
    choice = replace(FAST_CUDA, compiled=False)


def batches(used, data):
    generator = torch.Generator().manual_seed(0)
    return minibatches(used, data, Computing(), order(data, 0, 0), generator)
