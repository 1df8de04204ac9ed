"""What a recipe does in each epoch: its learning rate, whose step is taken, whether AWP is on."""

from __future__ import annotations

from dataclasses import dataclass

from training.cells.recipe import Recipe

DIVISOR = 10.0  # of the learning rate at every drop


@dataclass(frozen=True)
class Phase:
    """One epoch. lr: eta; entropy: EntropySGD steps, else SGD; awp: the weights are perturbed."""

    lr: float
    entropy: bool
    awp: bool


def phase(recipe: Recipe, finished: int) -> Phase:
    """The phase of the epoch after `finished` >= 0 whole epochs.

    The warm-up is plain SGD without AWP; `switch_to_sgd` ends EntropySGD and leaves AWP on. Drops and the switch are
    in force from the epoch after the number of finished epochs they name.
    """
    warming = finished < recipe.warmup_epochs
    switched = recipe.switch_to_sgd is not None and finished >= recipe.switch_to_sgd
    return Phase(
        lr=recipe.lr / DIVISOR ** sum(drop <= finished for drop in recipe.drops),
        entropy=recipe.optimizer != "sgd" and not warming and not switched,
        awp=recipe.gamma_awp is not None and not warming,
    )
