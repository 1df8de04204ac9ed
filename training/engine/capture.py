"""Records the device work of a training step once and replays it, without Python between kernels.

A recording repeats the same kernels on the same memory. So its inputs are copied into buffers that stay, weights,
statistics and gradients keep their storages, and whatever Python decides must be equal at every replay: those
decisions are the `kind` of a call, and each kind and each shape has a recording of its own.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")
Told = Callable[[str], None]

# Calls of a kind that are computed as usual before one is recorded: libraries choose and compile their kernels in
# them, and capture allows neither. They are steps of the run like any other.
WARM_UPS = 3


class Recorder(Protocol):
    """What `Replayed` needs of a device."""

    def warm_up(self, call: Callable[[], Result]) -> Result:
        """call(), where a recording will be made."""

    def record(self, call: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        """A replay of the device work of call(), and the result that each replay writes anew. Nothing has been
        computed yet. Raises: RuntimeError where it cannot be recorded."""


@dataclass(frozen=True)
class Recording:
    """inputs: the buffers it reads. replay: runs it. result: what it writes, with the same storages every time."""

    inputs: tuple[Tensor, ...]
    replay: Callable[[], None]
    result: Any


class Replayed:
    """Calls functions of tensors, and after a few calls of one kind replays a recording of it.

    recorder : of the device
    told     : hears once, in words, why nothing is recorded where that fails; calls are then computed as usual
    """

    def __init__(self, recorder: Recorder, told: Told) -> None:
        self.recorder, self.told = recorder, told
        self.replays = 0
        self._failed = False
        self._seen: Counter[Hashable] = Counter()
        self._recordings: dict[Hashable, Recording] = {}

    def __call__(self, kind: Hashable, function: Callable[..., Result], tensors: Sequence[Tensor]) -> Result:
        """function(*tensors), which a later call of the same kind may overwrite: copy what is to be kept.

        kind : of the call; equal kinds mean equal Python decisions in `function` for tensors of equal shape
        """
        if self._failed:
            return function(*tensors)
        key = (kind, *((one.shape, one.stride(), one.dtype, one.device) for one in tensors))
        if self._seen[key] < WARM_UPS:
            self._seen[key] += 1
            return self.recorder.warm_up(lambda: function(*tensors))
        if key not in self._recordings:
            inputs = tuple(one.clone() for one in tensors)
            try:
                replay, result = self.recorder.record(lambda: function(*inputs))
            except RuntimeError as error:
                self._failed = True
                first = origin(error)
                self.told(f"{type(first).__name__}: {first_line(first)}")
                return function(*tensors)
            self._recordings[key] = Recording(inputs, replay, result)
        recording = self._recordings[key]
        torch._foreach_copy_(list(recording.inputs), list(tensors))
        recording.replay()
        self.replays += 1
        return recording.result


class CudaGraphs:
    """Recordings as CUDA graphs, all in one pool of memory: they run one after the other."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device)
        self.pool = torch.cuda.graph_pool_handle()

    def warm_up(self, call: Callable[[], Result]) -> Result:
        """On the stream of the recording, before and after everything else."""
        outside = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(outside)
        with torch.cuda.stream(self.stream):
            result = call()
        outside.wait_stream(self.stream)
        return result

    def record(self, call: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        outside = torch.cuda.current_stream(self.device)
        gc.collect()  # memory that is freed in the middle of a capture ends it
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
                result = call()
        finally:
            # A capture that cannot be ended fails before it gives the stream back.
            torch.cuda.set_stream(outside)
        return graph.replay, result


def origin(error: BaseException) -> BaseException:
    """The error that came first: the end of a capture that has failed raises one of its own, which hides the cause."""
    while (
        before := error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    ) is not None:
        error = before
    return error


def first_line(error: BaseException) -> str:
    """Of an error's message, for one line of output."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
