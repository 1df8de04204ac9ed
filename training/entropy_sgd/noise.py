"""The noise of Algorithm 1, line 11: drawn where the weights live, the same on every rank, saved and restored."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor


class Noise:
    """N(0, I) from generators of its own, one a device, untouched by any other draw.

    They sit on the devices of the weights so that nothing waits for the host. Equal seeds give equal bits on equal
    devices: not on a CPU and a GPU, nor on GPUs of different models.

    seed: 0 <= seed < 2^32. The i-th device takes seed + i.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._generators: dict[torch.device, torch.Generator] = {}

    def at(self, devices: Sequence[torch.device]) -> None:
        """Have generators on these devices, seeded in this order."""
        for device in devices:
            self._on(device)

    def like(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """A fresh N(0, I) of the shape, type, device and memory layout of each."""
        return [torch.empty_like(weight).normal_(generator=self._on(weight.device)) for weight in weights]

    def state(self) -> list[list]:
        """[kind of device, state] of each generator, in the order in which they were seeded."""
        return [[device.type, generator.get_state()] for device, generator in self._generators.items()]

    def restore(self, saved: list[list], devices: Sequence[torch.device]) -> None:
        """Draw as the generators of `saved` would, the i-th now on the i-th of `devices`, whatever its number was.

        Where the kinds differ it starts anew from the seed, with a warning.
        """
        self._generators = {}
        kinds = [kind for kind, _ in saved]
        if kinds != [device.type for device in devices]:
            warnings.warn(
                f"the noise was drawn on {', '.join(kinds)}, the parameters are on {', '.join(map(str, devices))}: "
                f"it starts anew from seed {self.seed}, and the run cannot go on to the bit",
                stacklevel=4,
            )
            return
        for device, (_, state) in zip(devices, saved, strict=True):
            # A generator's state belongs on the host, wherever `torch.load` has mapped it.
            self._on(device).set_state(state.cpu())

    def _on(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            seed = self.seed + len(self._generators)
            self._generators[device] = torch.Generator(device).manual_seed(seed)
        return self._generators[device]
