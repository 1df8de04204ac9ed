"""The random streams of a run, one for each use, all made from its seed, saved and restored with it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

STREAMS = ("start", "order", "augmentation", "attack", "entropy-noise", "refresh")


def derived(seed: int, stream: str, number: int = 0) -> int:
    """An integer in [0, 2^32) for a run's seed >= 0, one of STREAMS, and an epoch; independent between them."""
    if stream not in STREAMS:
        raise ValueError(f"stream = {stream!r} is unknown: use one of {', '.join(STREAMS)}")
    return int(np.random.SeedSequence([seed, STREAMS.index(stream), number]).generate_state(1)[0])


class Streams:
    """The generators of augmentation and attack, on the device of the run.

    `state` and `restore` take the process's global generators along (python, numpy, torch on every device): nothing
    here draws from them, a model with dropout would.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.augmentation = torch.Generator(device).manual_seed(derived(seed, "augmentation"))
        self.attack = torch.Generator(device).manual_seed(derived(seed, "attack"))

    def state(self) -> dict[str, Any]:
        """Tensors, lists and numbers, for a checkpoint."""
        version, words, gauss = random.getstate()
        name, keys, *rest = np.random.get_state()
        return {
            "augmentation": self.augmentation.get_state(),
            "attack": self.attack.get_state(),
            "python": [version, list(words), gauss],
            "numpy": [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest],
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if self.attack.device.type == "cuda" else [],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on as the streams of `state` would, on the same kind of device."""
        self.augmentation.set_state(state["augmentation"])
        self.attack.set_state(state["attack"])
        version, words, gauss = state["python"]
        random.setstate((version, tuple(words), gauss))
        name, keys, *rest = state["numpy"]
        np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
        torch.set_rng_state(state["torch"])
        if state["cuda"]:
            torch.cuda.set_rng_state_all(state["cuda"])
