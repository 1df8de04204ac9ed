"""Stops a run whose loss is no number, or whose net only guesses, and says what to try."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from training.cells.recipe import Recipe

PATIENCE = 5  # evaluated epochs at chance: on hard data an honest run needs a few to leave it
MARGIN = 0.02  # above the share of the most common class


class TrainingFailed(RuntimeError):
    """A run that cannot go on: which recipe, which epoch, and what to try."""


def require_finite(recipe: Recipe, seed: int, epoch: int, loss: float) -> None:
    """Raises TrainingFailed for a loss that is nan or inf in an epoch, counted from 1."""
    if not math.isfinite(loss):
        raise no_number(recipe, seed, epoch, f"the loss became {loss}")


def no_number(recipe: Recipe, seed: int, epoch: int, what: str) -> TrainingFailed:
    """The failure of a run in an epoch, counted from 1, in which something became nan or inf."""
    return TrainingFailed(f"{recipe.name}, seed {seed}: {what} in epoch {epoch}; try {_remedies(recipe)}")


def require_above_chance(
    recipe: Recipe, seed: int, history: Sequence[Mapping[str, Any]], chance: float
) -> None:
    """Raises TrainingFailed where the last PATIENCE evaluated epochs are all at chance on clean test images."""
    scores = [line["test_clean"] for line in history if line["test_clean"] is not None]
    recent = scores[-PATIENCE:]
    if len(recent) == PATIENCE and max(recent) <= chance + MARGIN:
        raise TrainingFailed(
            f"{recipe.name}, seed {seed}: the net has collapsed to chance, clean test accuracy at most "
            f"{100 * max(recent):.1f} % in the last {PATIENCE} evaluations, up to epoch {history[-1]['epoch']}; try "
            f"{_remedies(recipe)}"
        )


def share_of_most_common(labels: Tensor) -> float:
    """Of labels (n,): the accuracy of always answering the same."""
    return int(labels.bincount().max()) / len(labels)


def _remedies(recipe: Recipe) -> str:
    """What to try, the likeliest first."""
    found = [f"a smaller lr than {recipe.lr:g}"]
    if recipe.optimizer != "sgd":
        found.append(f"a smaller eta_inner than {recipe.eta_inner:g}")
    if recipe.warmup_epochs == 0 and (recipe.optimizer != "sgd" or recipe.gamma_awp is not None):
        found.append("some warmup_epochs of plain SGD")
    if recipe.gamma_awp is not None:
        found.append(f"a smaller gamma_awp than {recipe.gamma_awp:g}")
    return ", ".join([*found, "--amp off if it was on, another seed"])
