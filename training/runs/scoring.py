"""The accuracies after an epoch, taken at the weights that are to be judged, without a trace in the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from training.cells.recipe import Recipe
from training.data import Dataset
from training.engine.device import Computing
from training.entropy_sgd import EntropySGD
from training.evaluation import accuracy, pgd_accuracy
from training.methods.batch_norm import move_statistics
from training.runs.batches import minibatches, order
from training.runs.randomness import derived

PGD_SEED = 0  # of the starts of every PGD evaluation: each epoch and run meets the same ones


class Scorer:
    """Judges a model on the first n_test test images and, where some are held out, on the validation images."""

    def __init__(self, recipe: Recipe, data: Dataset, n_test: int, computing: Computing, seed: int) -> None:
        self.recipe, self.data, self.n_test, self.computing, self.seed = recipe, data, n_test, computing, seed

    def scores(self, model: nn.Module) -> dict[str, float]:
        """Fractions "clean" and "pgd20" on test images, and "validation_clean", "validation_pgd20" where held out."""
        data, n = self.data, self.n_test
        found = self._accuracies(model, data.test_images[:n], data.test_labels[:n])
        if len(data.validation_images):
            held = self._accuracies(model, data.validation_images, data.validation_labels)
            found |= {f"validation_{name}": value for name, value in held.items()}
        return found

    @contextmanager
    def judged(self, model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int) -> Iterator[None]:
        """Inside, the weights are the anchor theta of EntropySGD, and the running statistics those of one pass over
        the training set where the recipe renews them (`refresh_bn`); afterwards all is as before, to the bit.

        epoch : decides the order and the augmentation of that pass
        """
        entropy = optimizer if isinstance(optimizer, EntropySGD) else None
        with entropy.evaluation_weights() if entropy else nullcontext():
            saved = [buffer.clone() for buffer in model.buffers()]
            try:
                if entropy and self.recipe.refresh_bn:
                    self._refresh(model, epoch)
                yield
            finally:
                for buffer, value in zip(model.buffers(), saved, strict=True):
                    buffer.copy_(value)

    def _refresh(self, model: nn.Module, epoch: int) -> None:
        rows = order(self.data, self.seed, epoch)
        generator = torch.Generator(rows.device).manual_seed(derived(self.seed, "refresh", epoch))
        passed = minibatches(self.recipe, self.data, self.computing, rows, generator)
        move_statistics(model, (x for x, _ in passed))

    def _accuracies(self, model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float]:
        x, recipe = self.data.pixels(images), self.recipe
        batch = self.computing.choice.evaluation_batch
        robust = pgd_accuracy(
            model,
            x,
            labels,
            epsilon=recipe.epsilon,
            step_size=recipe.step_size_test,
            steps=recipe.steps_test,
            norm=recipe.norm,
            seed=PGD_SEED,
            batch=batch,
            weight_gradients=self.computing.choice.weight_gradients,
        )
        return {"clean": accuracy(model, x, labels, batch), "pgd20": robust}
