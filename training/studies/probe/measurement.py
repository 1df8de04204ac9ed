"""Serves the study of the probe: the record of one net at the first digits of the training and the test images."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.data import Dataset
from training.results.probe_record import POSITIONS
from training.results.provenance import provenance
from training.studies.probe.loss import Losses
from training.studies.probe.probe import Probe, probe

DIGITS = 6  # significant ones of the numbers in a record
STEP = 0.1  # the learning rate of the step of SGD along which jumps are looked for


@dataclass(frozen=True)
class What:
    """n : images of each split; second : of which B is measured; jumps : training images to follow over a step."""

    norm: str
    epsilon: float
    n: int
    second: int
    restarts: int
    jumps: int = 0
    seed: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """What a record says of it."""
        return {name: value for name, value in asdict(self).items() if name != "jumps"}


def measured(model: nn.Module, data: Dataset, net: Mapping[str, Any], what: What) -> dict[str, Any]:
    """The record of a net, `net` saying which it is, valid for `validate_probe`."""
    began = time.monotonic()
    found = {
        name: probe(
            model,
            *_images(data, name, what.n),
            epsilon=what.epsilon,
            norm=what.norm,
            restarts=what.restarts,
            seed=what.seed,
            second=what.second,
            whole=name == "train",
        )
        for name in ("train", "test")
    }
    smooth = found["train"].smoothness
    return {
        "net": dict(net),
        "settings": what.settings,
        "splits": {name: _split(one, what.second) for name, one in found.items()},
        "smoothness": None
        if smooth is None
        else {name: _short(value) if name != "n" else value for name, value in asdict(smooth).items()},
        "jumps": _jumps(model, data, found["train"], what) if what.jumps else None,
        **provenance(threads=torch.get_num_threads()),
        "seconds": round(time.monotonic() - began, 2),
    }


def _images(data: Dataset, split: str, n: int) -> tuple[Tensor, Tensor]:
    images, labels = (
        (data.train_images, data.train_labels) if split == "train" else (data.test_images, data.test_labels)
    )
    if n > len(images):
        raise ValueError(f"n = {n}: {data.label} has {len(images)} {split} images, ask for at most these")
    return data.pixels(images[:n]), labels[:n]


def _split(found: Probe, second: int) -> dict[str, Any]:
    attack, settled = found.attack, found.attack.converged
    orders = [one for one in found.second if one is not None]
    measured = [one for one in found.second[:second] if one is not None]
    return {
        "positions": {name: found.position.count(name) for name in POSITIONS},
        "strict": int((found.strict & settled).sum()),
        "several": int(((attack.maxima > 1) & settled).sum()),
        "at_ball": _mean(found.at_ball[settled]),
        "at_pixels": _mean(found.at_pixels[settled]),
        "runner_up": _listed(attack.runner_up[settled & (attack.maxima > 1)].tolist()),
        "gap": _listed((attack.loss - attack.plain)[settled].tolist()),
        **{name: _listed(getattr(one, name) for one in orders) for name in ("top", "c", "c_paper")},
        **{
            name: _listed(getattr(one, name) for one in measured)
            for name in ("cross", "cross_tangent", "speed")
        },
    }


def _jumps(model: nn.Module, data: Dataset, found: Probe, what: What) -> dict[str, Any] | None:
    """Over a step of SGD on the first training images, down the gradient of their adversarial loss."""
    x, y = _images(data, "train", what.jumps)
    losses = Losses(model, x, y)
    downhill = -losses.weight_gradient(found.delta[: what.jumps], torch.arange(what.jumps))
    length = STEP * float(torch.linalg.vector_norm(downhill))
    if not length > 0:
        return None
    how: dict[str, Any] = {"epsilon": what.epsilon, "norm": what.norm, "restarts": what.restarts}
    along = probe(model, x, y, second=0, whole=False, seed=what.seed, segment=(downhill, length), **how).jumps
    assert along is not None
    return {
        "n": int(along.settled.sum()),
        "moved": int(along.moved.sum()),
        "refaced": int(along.refaced.sum()),
        "leap": _listed(along.leap[along.moved].tolist()),
        "jump": _listed(along.jump[along.moved].tolist()),
    }


def _mean(values: Tensor) -> float | None:
    return _short(float(values.mean())) if len(values) else None


def _listed(values: Iterable[float]) -> list[float | None]:
    return [_short(value) for value in values]


def _short(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
