"""The data set a training run sees, on its device, and what readers hand over for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.data.catalogue import Published
from training.data.integrity import DataError


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """What a reader returns: images (N, C, H, W) of uint8 levels 0..levels, labels (N,) of int64 that index `classes`.

    `label`: what a table calls the data. `source`: which files they came from and how they were checked.
    `formats`: of images that had to be decoded.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    label: str
    source: str
    levels: int = 255
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A data set on one device: images uint8 (N, C, H, W) with levels 0..levels, labels int64 (N,).

    name, label : "cifar10", and what a table has to call it, such as "CIFAR-10 (JPEG copy)"
    source      : the files it came from and how they were checked
    classes     : names in the order of the labels
    levels      : the value of a white pixel, 255 except for the digits (16)
    validation_images, validation_labels : held out of the training images; of length 0 where nothing was

    The first n test images are a fair sample of all: no reader leaves them sorted by class.
    """

    name: str
    label: str
    source: str
    classes: tuple[str, ...]
    levels: int
    train_images: Tensor
    train_labels: Tensor
    validation_images: Tensor
    validation_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def pixels(self, images: Tensor) -> Tensor:
        """float32 pixels in [0, 1] of uint8 images of this data set, on their device: `images / levels`."""
        # A divisor on the device is divided by; a Python number is turned into a factor on a GPU, and rounded twice.
        return images.to(torch.float32).div_(torch.full((), float(self.levels), device=images.device))

    @cached_property
    def mean(self) -> tuple[float, ...]:
        """Mean per channel of the training pixels in [0, 1], without the ones held out."""
        return _moments(self.train_images, self.levels)[0]

    @cached_property
    def std(self) -> tuple[float, ...]:
        """Standard deviation (dividing by n) per channel of the training pixels in [0, 1]."""
        return _moments(self.train_images, self.levels)[1]


def on_device(
    name: str, arrays: Arrays, *, device: torch.device, validation: int, train: int | None = None, seed: int
) -> Dataset:
    """The data set on a device, with `validation` training images held out as `held_out` chooses them, and `train` of
    the others kept, which it chooses too; None keeps all of them."""
    out = held_out(arrays.train_labels, validation, seed)
    kept: Any = ~out if validation else slice(None)  # a slice copies nothing
    if train is not None:
        kept = _some(arrays.train_labels, ~out, train, seed)

    def moved(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(device)

    return Dataset(
        name=name,
        label=arrays.label,
        source=arrays.source,
        classes=arrays.classes,
        levels=arrays.levels,
        train_images=moved(arrays.train_images[kept]),
        train_labels=moved(arrays.train_labels[kept]),
        validation_images=moved(arrays.train_images[out]),
        validation_labels=moved(arrays.train_labels[out]),
        test_images=moved(arrays.test_images),
        test_labels=moved(arrays.test_labels),
    )


def _some(labels: np.ndarray, there: np.ndarray, number: int, seed: int) -> np.ndarray:
    """The mask `there` over the labels with only `number` of its True left, as `held_out` draws them.

    Raises: ValueError where there are not so many.
    """
    places = np.flatnonzero(there)
    if not 1 <= number <= len(places):
        raise ValueError(
            f"train={number}: keep 1 to {len(places)} training images, those that are not held out"
        )
    if number < len(places):
        places = places[held_out(labels[places], number, seed)]
    mask = np.zeros(len(labels), dtype=bool)
    mask[places] = True
    return mask


def held_out(labels: np.ndarray, number: int, seed: int) -> np.ndarray:
    """A mask over the labels with `number` True, drawn at random within each class.

    A class of c among N images gives floor(number c / N), and the classes with the largest remainders (the first
    of equal ones) one more until the sum is `number`. The draw is that of numpy's `RandomState(seed)`, whose stream
    never changes between versions.

    `number`: 0 to N - 1; `seed`: 0 to 2**32 - 1. Raises: ValueError outside these.
    """
    total = len(labels)
    if not 0 <= number < total:
        raise ValueError(
            f"validation={number}: hold out at least 0 of the {total} training images and fewer than all"
        )
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed={seed}: a seed of the split lies between 0 and 2**32 - 1")
    counts = np.bincount(labels)
    shares, remainders = np.divmod(number * counts, total)
    shares[np.argsort(-remainders, kind="stable")[: number - shares.sum()]] += 1
    random = np.random.RandomState(seed)
    mask = np.zeros(total, dtype=bool)
    for label, share in enumerate(shares):
        mask[random.permutation(np.flatnonzero(labels == label))[:share]] = True
    return mask


def require_published(arrays: Arrays, published: Published, where: object) -> None:
    """Raises DataError unless counts, size, classes and labels are those of the published data set."""
    for split, images, labels, number in (
        ("training", arrays.train_images, arrays.train_labels, published.train),
        ("test", arrays.test_images, arrays.test_labels, published.test),
    ):
        if len(images) != number or len(labels) != number:
            raise DataError(
                f"{where}: {len(images)} {split} images with {len(labels)} labels, but {published.title} has {number}:"
                " it is cut short or another data set; fetch it again"
            )
        if images.shape[1:] != published.shape:
            raise DataError(
                f"{where}: {split} images of (channels, height, width) {images.shape[1:]}, but {published.title} has"
                f" {published.shape}; fetch the published files"
            )
        if sorted(set(labels.tolist())) != list(range(len(published.classes))):
            raise DataError(
                f"{where}: {len(set(labels.tolist()))} different {split} labels from {labels.min()} to {labels.max()},"
                f" but {published.title} has 0 to {len(published.classes) - 1}, all of them; fetch the published files"
            )


def pixel_statistics(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(means, standard deviations) per channel of uint8 images (N, C, H, W) with levels 0..255, scaled to [0, 1]."""
    return _moments(torch.from_numpy(images), 255)


def _moments(images: Tensor, levels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """From counts of each level, so that no sum is rounded."""
    histogram = torch.stack([channel.reshape(-1).bincount(minlength=256) for channel in images.unbind(1)])
    value = torch.arange(256, device=images.device)
    count = images[:, 0].numel()
    first = (histogram * value).sum(1)
    second = (histogram * value * value).sum(1)
    mean = [a / (count * levels) for a in first.tolist()]
    std = [
        math.sqrt(count * b - a * a) / (count * levels)
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    return tuple(mean), tuple(std)
