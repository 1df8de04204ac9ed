"""Puts together what a recipe trains with, model, method and optimizer, under an engine."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from training.cells.recipe import Recipe
from training.data import Dataset
from training.engine.device import Computing, TrainingForward
from training.engine.machine import Machine
from training.engine.ready import calls_until_ready, left_as_it_was, prepares
from training.entropy_sgd import EntropySGD
from training.methods.step import Kind, Method
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

    @property
    def prepares(self) -> bool:
        """Whether the engine compiles or records; on a CPU it does neither, and nothing is to be made ready."""
        return prepares(self.method.replay, compiled=self.computed is not self.model)

    def make_ready(self, x: Tensor, y: Tensor, kinds: Iterable[Kind]) -> None:
        """Computes a step without its update for every kind, until nothing is left to compile or record for it.

        x, y  : a minibatch in the run's own size and memory format
        kinds : of the run's steps (`Method.kind`)

        Weights and running statistics are as before, to the bit; no gradient is left, and nothing random is drawn.
        """
        method = self.method
        with left_as_it_was(self.model, x.device):
            for kind in dict.fromkeys(kinds):
                for _ in range(calls_until_ready(method.replay)):
                    method.replayed(kind, x, y, torch.zeros_like(x))
            if method.code_forwards and not method.trades:
                method.forward_after(x)
