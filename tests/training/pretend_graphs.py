"""For the tests of the fast engine: what a CUDA graph does, on the CPU, operation by operation and without Python.

The operations of a call are noted below autograd with the very tensors they read and wrote. A replay makes them again,
in that order, and writes every result where it was written then; no line of the function runs a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Result = TypeVar("Result")


class PretendGraphs:
    """A `training.engine.capture.Recorder`. A recording leaves the model as it was: a capture computes nothing."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.recorded = 0

    def warm_up(self, call: Callable[[], Result]) -> Result:
        return call()

    def record(self, call: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        state = [*self.model.parameters(), *self.model.buffers()]
        before = [one.detach().clone() for one in state]
        with Tape() as tape:
            result = call()
        with torch.no_grad():
            for one, value in zip(state, before, strict=True):
                one.copy_(value)
        self.recorded += 1
        return tape.replay, result


class Tape(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, tuple, dict, Any]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        written = function(*args, **(kwargs or {}))
        self.operations.append((function, args, kwargs or {}, written))
        return written

    @torch.no_grad()
    def replay(self) -> None:
        for function, args, kwargs, written in self.operations:
            again = function(*args, **kwargs)
            for old, new in zip(tree_leaves(written), tree_leaves(again), strict=True):
                # In-place operations and views have written where they should.
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.data.copy_(new)
