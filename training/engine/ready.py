"""Lets an engine compile and record before a run's clock starts, so that its seconds are those of steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from training.engine.capture import WARM_UPS, Replayed
from training.engine.machine import Replay, plainly


def prepares(replay: Replay, *, compiled: bool) -> bool:
    """Whether there is anything to compile or record; on a CPU there is not."""
    return compiled or replay is not plainly


def calls_until_ready(replay: Replay) -> int:
    """How often a piece of work is called until nothing of it is left to compile or record."""
    return WARM_UPS + 1 if isinstance(replay, Replayed) else 1


@contextmanager
def left_as_it_was(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Inside, work that moves no weight may be tried out: after it the buffers are as before, to the bit, no gradient
    is left, and the device has finished."""
    saved = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        for buffer, value in saved:
            buffer.copy_(value)
        for weight in model.parameters():
            weight.grad = None
    if device.type == "cuda":
        torch.cuda.synchronize(device)
