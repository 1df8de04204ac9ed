"""The minibatches of an epoch, in an order that seed and epoch fix, augmented, on the device of the data."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from training.cells.recipe import Recipe
from training.data import Dataset
from training.data.augmentation import augment
from training.engine.device import Computing
from training.runs.randomness import derived


def order(data: Dataset, seed: int, epoch: int) -> Tensor:
    """The rows (n,) of the training set in the order of an epoch, a function of seed and epoch alone.

    It is drawn on the CPU, so all methods on all devices see the same batches at the same seed.
    """
    generator = torch.Generator().manual_seed(derived(seed, "order", epoch))
    return torch.randperm(len(data.train_images), generator=generator).to(data.train_images.device)


def minibatches(
    recipe: Recipe,
    data: Dataset,
    computing: Computing,
    rows: Tensor,
    generator: torch.Generator,
    start: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """x float32 (N, C, H, W) in [0, 1] and y (N,) of every minibatch from the start-th on, in the order of `rows`.

    The last, smaller one is kept. `generator`: of the augmentation, on the device; it is drawn from batch by batch.
    """
    for index in rows.split(recipe.batch)[start:]:
        images = augment(recipe.augmentation, data.train_images[index], generator)
        yield computing.inputs(data.pixels(images)), data.train_labels[index]
