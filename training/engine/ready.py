"""Serves the fast engine: what it compiles and records for a run of Tables 1-3 is there before the run's clock starts,
so that the seconds of its training are those of steps alone."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from training.engine.capture import WARM_UPS, Replayed
from training.engine.machine import plainly
from training.methods.step import Kind
from training.runs.parts import Parts


def prepares(parts: Parts) -> bool:
    """Whether the engine compiles or records; on a CPU it does neither, and nothing is to be made ready."""
    return parts.method.replay is not plainly or parts.computed is not parts.model


def make_ready(parts: Parts, x: Tensor, y: Tensor, kinds: Iterable[Kind]) -> None:
    """Computes a step without its update for every kind, until nothing is left to compile or record for such a batch.

    x, y  : a minibatch in the run's own size and memory format
    kinds : of the run's steps (`Method.kind`)

    Weights and running statistics are as before, to the bit; no gradient is left, and nothing random is drawn.
    """
    method = parts.method
    saved = [(buffer, buffer.clone()) for buffer in parts.model.buffers()]
    calls = WARM_UPS + 1 if isinstance(method.replay, Replayed) else 1
    try:
        for kind in dict.fromkeys(kinds):
            for _ in range(calls):
                method.replayed(kind, x, y, torch.zeros_like(x))
        if method.code_forwards and not method.trades:
            method.forward_after(x)
    finally:
        for buffer, value in saved:
            buffer.copy_(value)
        for weight in parts.model.parameters():
            weight.grad = None
    if x.device.type == "cuda":
        torch.cuda.synchronize(x.device)
