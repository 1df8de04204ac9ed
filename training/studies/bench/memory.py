"""How much memory a piece of work holds at once, on a GPU or on a CPU."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


@contextmanager
def peak_memory(device: torch.device) -> Iterator[list[int]]:
    """Inside, memory is watched; afterwards the list holds one number, the peak above what was in use before, in bytes.

    On a GPU it is what torch allocated, on a CPU what tensors held: the scratch memory of libraries is no tensor.
    """
    found: list[int] = []
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        yield found
        found.append(torch.cuda.max_memory_allocated(device) - before)
        return
    with _Alive() as alive:
        yield found
    found.append(alive.peak)


class _Alive(TorchDispatchMode):
    """Follows every storage that an operation inside makes until it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        for tensor in _tensors((args, tuple((kwargs or {}).values()))):
            self._note(tensor, 0)  # there before: an operation in place hands it back
        result = func(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            self._note(tensor, tensor.untyped_storage().nbytes())
        self.peak = max(self.peak, self.now)
        return result

    def _note(self, tensor: Tensor, size: int) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self._known:
            self._known.add(key)
            self.now += size
            weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def _tensors(found: Any) -> Iterator[Tensor]:
    if isinstance(found, Tensor):
        yield found
    elif isinstance(found, list | tuple):
        for one in found:
            yield from _tensors(one)
