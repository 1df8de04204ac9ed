"""Device, threads and precision of a run, stated explicitly and put on record."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from training.engine.choice import Choice, choice

AMP = ("off", "bf16")
KINDS = ("cpu", "cuda")
MOST_THREADS = 1024  # OpenMP ends the process where it cannot make as many as it is told


@dataclass(frozen=True)
class Computing:
    """How a run computes.

    device        : "cpu", "cuda", "cuda:1", ...
    engine        : "fast" or "reference" (`training.engine`)
    amp           : "bf16" runs the training forwards under autocast; weights, perturbations, the optimizer and every
                    reported accuracy stay float32
    channels_last : memory format of images and convolutions
    tf32          : whether float32 products on a GPU may round their factors to TF32
    threads       : of torch on the CPU; None keeps what torch has

    `Computing.of` takes the engine's own amp, memory format and TF32 where none is given.

    Raises: ValueError naming the argument.
    """

    device: str = "cpu"
    amp: str = "off"
    channels_last: bool = False
    tf32: bool = False
    threads: int | None = None
    engine: str = "fast"

    def __post_init__(self) -> None:
        if self.amp not in AMP:
            raise ValueError(f"amp = {self.amp!r} is unknown: use one of {', '.join(AMP)}")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise ValueError(f"threads = {self.threads}, need at least 1 and at most {MOST_THREADS}")
        choice(self.engine, self.kind)

    @classmethod
    def of(
        cls,
        device: str = "cpu",
        engine: str = "fast",
        *,
        amp: str | None = None,
        channels_last: bool | None = None,
        tf32: bool | None = None,
        threads: int | None = None,
    ) -> Computing:
        """As the engine computes on the device, save for what is given. Raises: ValueError naming the argument."""
        own = choice(engine, device.partition(":")[0])
        return cls(
            device=device,
            amp=own.amp if amp is None else amp,
            channels_last=own.channels_last if channels_last is None else channels_last,
            tf32=own.tf32 if tf32 is None else tf32,
            threads=threads,
            engine=engine,
        )

    @property
    def choice(self) -> Choice:
        """What the engine does on the device, with amp, memory format and TF32 as they are here."""
        own = choice(self.engine, self.kind)
        return replace(own, amp=self.amp, channels_last=self.channels_last, tf32=self.tf32)

    @property
    def kind(self) -> str:
        """ "cpu" or "cuda": what a record calls the device."""
        return self.device.partition(":")[0]

    @property
    def settings(self) -> dict[str, Any]:
        """What must agree between a run and its continuation."""
        return {
            "device": self.kind,
            "engine": self.engine,
            "amp": self.amp,
            "channels_last": self.channels_last,
            "tf32": self.tf32,
        }

    def prepare(self) -> torch.device:
        """The device, there and set up.

        Raises: ValueError where it is not there.
        """
        if self.kind not in KINDS:
            raise ValueError(f"device {self.device!r} is not known: use {' or '.join(KINDS)}, or cuda:1")
        try:
            device = torch.device(self.device)
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            first = str(error).splitlines()[0].rstrip(": ")
            raise ValueError(f"device {self.device!r} is not there ({first}): use cpu") from error
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        # torch's own defaults differ between convolutions and products: both are set, either way.
        torch.backends.cuda.matmul.allow_tf32 = self.tf32
        torch.backends.cudnn.allow_tf32 = self.tf32
        torch.backends.cudnn.benchmark = device.type == "cuda"
        return device

    def inputs(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in the memory format."""
        return x.contiguous(memory_format=self._format)

    def place(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model on the device in the memory format."""
        return model.to(device=device, memory_format=self._format)  # type: ignore[call-overload]

    @property
    def _format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


class TrainingForward(nn.Module):
    """A model whose forward runs under bf16 autocast where asked, and whose logits are float32 in any case.

    It holds the model's own weights. Nothing cached by autocast outlives a forward, so weights may change in between.
    """

    def __init__(self, model: nn.Module, computing: Computing, device: torch.device) -> None:
        super().__init__()
        self.model = model
        self.amp = computing.amp == "bf16"
        self.device_type = device.type

    def forward(self, x: Tensor) -> Tensor:
        if not self.amp:
            return self.model(x)
        with torch.autocast(self.device_type, dtype=torch.bfloat16):
            logits = self.model(x)
        return logits.float()


def accelerator(device: torch.device) -> str | None:
    """The name of the GPU, None on the CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def versions(computing: Computing) -> dict[str, str]:
    """Versions and settings that decide the last bits of a result and that only torch knows."""
    found = {"amp": computing.amp, "memory": "channels-last" if computing.channels_last else "contiguous"}
    if computing.kind == "cuda":
        found |= {
            "tf32": "on" if computing.tf32 else "off",
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
        }
    else:
        found["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
    return found


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
