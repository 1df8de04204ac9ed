"""Serves every run of Tables 1-3, its timing and its parity check: model, method and optimizer under an engine."""

from __future__ import annotations

import torch

from training.cells.recipe import Recipe
from training.data import Dataset
from training.engine.device import Computing, TrainingForward
from training.engine.machine import Machine
from training.entropy_sgd import EntropySGD
from training.methods.step import Method
from training.models import build
from training.runs.randomness import derived


class Parts:
    """What a recipe trains with, from a seed, on the device of the data.

    model    : the net, at its start, on the device in the engine's memory format
    computed : what evaluations call: the same weights and modules, compiled where the engine compiles
    method   : steps it, under autocast and from a recording where the engine has them
    machine  : the engine at work
    """

    def __init__(self, recipe: Recipe, data: Dataset, computing: Computing, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        device = data.train_images.device
        torch.manual_seed(derived(seed, "start"))
        mean, std = recipe.normalisation or (None, None)
        net = build(recipe.model, len(data.classes), data.train_images.shape[1], mean, std)
        self.machine = Machine(computing, device)
        self.model = computing.place(net, device)
        # Compiled for whole batches of training and evaluation.
        self.computed = self.machine.model(self.model, (recipe.batch, computing.choice.evaluation_batch))
        self.method = Method(
            recipe,
            TrainingForward(self.computed, computing, device),
            weight_gradients=computing.choice.weight_gradients,
            precise=self.computed if computing.amp == "bf16" else None,
            replay=self.machine.replay(),
        )

    def optimizer(self, *, entropy: bool) -> torch.optim.Optimizer:
        """A new one at the recipe's first learning rate, which an eta' that decays refers to, without momentum."""
        weights, recipe = self.model.parameters(), self.recipe
        if entropy:
            return EntropySGD(weights, seed=derived(self.seed, "entropy-noise"), **recipe.entropy_settings)
        settings = {"lr": recipe.lr, "momentum": recipe.momentum, "weight_decay": recipe.weight_decay}
        return self.machine.sgd(weights, **settings)
