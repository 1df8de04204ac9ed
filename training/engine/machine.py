"""An engine at work on one device, and the account of what it could in fact use."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from training.engine.capture import CudaGraphs, Recorder, Replayed
from training.engine.choice import Choice, left_out

Result = TypeVar("Result")
Replay = Callable[[Hashable, Callable[..., Any], Sequence[Tensor]], Any]


class Settings(Protocol):
    """Of `training.engine.device.Computing`, what an engine needs."""

    @property
    def engine(self) -> str: ...
    @property
    def choice(self) -> Choice: ...


class Machine:
    """An engine on a device.

    computing : names the engine and holds its choices
    device    : there and set up
    recorder  : what records training steps where they are captured; None for CUDA graphs

    `used` says what runs are computed with, in words for a record. What turns out not to work is computed plainly,
    with one warning, and `used` says so from then on.
    """

    def __init__(
        self, computing: Settings, device: torch.device, *, recorder: Recorder | None = None
    ) -> None:
        self.choice, self.device = computing.choice, device
        self.used = {
            "engine": computing.engine,
            "attack_gradients": "input and weights" if self.choice.weight_gradients else "input",
            "update": self.choice.update,
            "compiled": "yes" if self.choice.compiled else "no",
            "captured": "yes" if self.choice.captured else "no",
        }
        self._recorder = recorder

    @property
    def note(self) -> str | None:
        """What the fast engine goes without on this device, one line; None where there is nothing to say."""
        missing = left_out(self.choice) if self.used["engine"] == "fast" else []
        return f"engine fast on {self.device.type} goes without {', '.join(missing)}" if missing else None

    def model(self, net: nn.Module, batches: Collection[int]) -> nn.Module:
        """The net, compiled for these batch sizes where the engine compiles."""
        if not self.choice.compiled:
            return net
        # Here, as it takes a second that only a GPU gets back.
        from training.engine.compiled import Compiled

        return Compiled(net, batches, lambda reason: self._without("compiled", reason))

    def replay(self) -> Replay:
        """Calls function(*tensors) of some kind, from a recording where the engine captures (`Replayed`)."""
        if not self.choice.captured:
            return plainly
        reason = "the device has no CUDA graphs"
        if self._recorder is not None or self.device.type == "cuda":
            try:
                recorder = self._recorder or CudaGraphs(self.device)
                return Replayed(recorder, lambda reason: self._without("captured", reason))
            except RuntimeError as error:
                reason = str(error)
        self._without("captured", reason)
        return plainly

    def sgd(self, weights: Any, **settings: Any) -> torch.optim.SGD:
        """torch's SGD with the engine's kind of update."""
        update = self.choice.update
        return torch.optim.SGD(weights, **settings, foreach=update == "foreach", fused=update == "fused")

    def _without(self, what: str, reason: str) -> None:
        words = {"compiled": "compilation", "captured": "capture of training steps"}[what]
        reason = " ".join(reason.split())
        self.used[what] = f"no: {reason}"
        warnings.warn(f"engine fast goes on without {words} ({reason})", stacklevel=2)


def plainly(kind: Hashable, function: Callable[..., Result], tensors: Sequence[Tensor]) -> Result:
    """function(*tensors)."""
    return function(*tensors)
