"""The noise of Algorithm 1, line 11: drawn where the weights live, the same on every rank, saved and restored."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

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
        self._begun = False

    def at(self, devices: Sequence[torch.device]) -> None:
        """Have generators on these devices, seeded in this order; none on others that nothing was drawn on yet."""
        if not self._begun:
            self._generators = {}
        for device in devices:
            self._on(device)

    def like(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """A fresh N(0, I) of the shape, type, device and memory layout of each."""
        self._begun = True
        return [torch.empty_like(weight).normal_(generator=self._on(weight.device)) for weight in weights]

    def state(self) -> list[list[str]]:
        """[kind of device, state in hexadecimal] of each generator, in the order in which they were seeded."""
        return [
            [device.type, bytes(generator.get_state().tolist()).hex()]
            for device, generator in self._generators.items()
        ]

    def restore(self, saved: list[list[Any]], devices: Sequence[torch.device]) -> None:
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
            # A tensor in older files, which `torch.load` may have mapped anywhere: it belongs on the host.
            words = (
                state.cpu()
                if isinstance(state, Tensor)
                else torch.tensor(list(bytes.fromhex(state)), dtype=torch.uint8)
            )
            self._on(device).set_state(words)
        self._begun = True

    def _on(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            seed = self.seed + len(self._generators)
            self._generators[device] = torch.Generator(device).manual_seed(seed)
        return self._generators[device]
