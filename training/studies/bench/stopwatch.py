"""Puts an engine under the clock: its steps, their pieces, an evaluation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from statistics import median, quantiles
from typing import Any

import torch
from torch import Tensor

from training.cells.recipe import Recipe
from training.data import Dataset
from training.engine.device import Computing
from training.evaluation import pgd_accuracy
from training.runs.batches import minibatches, order
from training.runs.parts import Parts
from training.runs.randomness import derived
from training.runs.scoring import PGD_SEED
from training.studies.bench.memory import peak_memory
from training.studies.bench.work import clock, synchronise

# Steps before the clock starts: libraries choose kernels, the fast engine compiles and records.
WARM_UPS = {"cuda": 8, "cpu": 1}
# Each piece of a step is clocked at least so often, and on until so many seconds are over.
PIECES, PIECES_SECONDS = 5, 0.5


class Stopwatch:
    """Steps a recipe under an engine, AWP and EntropySGD being on from the first step, and clocks it.

    tf32_convolutions : torch's default on a GPU: convolutions may round to TF32, products do as `computing` says
    start_up : seconds until the warm-up steps were made, compilation and recording among them
    memory   : bytes at the peak of building the engine and warming up, above what was in use before (`peak_memory`)
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Dataset,
        computing: Computing,
        seed: int = 0,
        *,
        tf32_convolutions: bool = False,
    ) -> None:
        self.recipe, self.data, self.computing = recipe, data, computing
        self.tf32_convolutions = tf32_convolutions
        self.device = self._prepare()
        began = time.perf_counter()
        with peak_memory(self.device) as memory:
            self.parts = Parts(recipe, data, computing, seed)
            self.parts.model.train()
            self.optimizer = self.parts.optimizer(entropy=recipe.optimizer != "sgd")
            self.attack = torch.Generator(self.device).manual_seed(derived(seed, "attack"))
            self.batches = _batches(recipe, data, computing, seed)
            self._steps(WARM_UPS[self.device.type])
        self.start_up = time.perf_counter() - began
        self.memory = memory[0]

    def block(self, steps: int) -> float:
        """Seconds a step, minibatch included, over `steps` steps that nothing waits for in between."""
        self._prepare()
        return self._clocked(lambda: self._steps(steps)) / steps

    def pieces(self) -> dict[str, float]:
        """Seconds of a step's pieces, each clocked by itself: "data", "attack", "update", and "other", what is left of
        the loss, its gradient and AWP. Recorded where the engine records.
        """
        self._prepare()
        method, replay = self.parts.method, self.parts.machine.replay()
        x, y = next(self.batches)
        start = method.start(x, self.attack)
        kind = method.kind(entropy=self.recipe.optimizer != "sgd", awp=True)

        def attack() -> Any:
            return replay("attack", lambda x, y, start: method.attack(x, y, start), (x, y, start))

        def gradients() -> Any:
            return method.replayed(kind, x, y, start)

        for weight, gradient in gradients()[1]:
            weight.grad = gradient
        calls: dict[str, Callable[[], object]] = {
            "data": lambda: next(self.batches),
            "attack": attack,
            "update": self.optimizer.step,
            "whole": gradients,
        }
        found = self._medians(calls)
        whole = found.pop("whole")
        return {**found, "other": max(0.0, whole - found["attack"])}

    def evaluation(self, images: int) -> float:
        """Seconds of PGD with the recipe's test steps on the first test images, as an epoch's end makes it."""
        self._prepare()
        recipe, batch = self.recipe, self.computing.choice.evaluation_batch

        def attacked(n: int) -> None:
            pgd_accuracy(
                self.parts.computed,
                self.data.pixels(self.data.test_images[:n]),
                self.data.test_labels[:n],
                epsilon=recipe.epsilon,
                step_size=recipe.step_size_test,
                steps=recipe.steps_test,
                norm=recipe.norm,
                seed=PGD_SEED,
                batch=batch,
                weight_gradients=self.computing.choice.weight_gradients,
            )

        if self.device.type == "cuda":
            attacked(min(images, batch))  # compiles, and chooses kernels
        return self._clocked(lambda: attacked(images))

    def _prepare(self) -> torch.device:
        """The device set up anew: several engines take turns in the process."""
        device = self.computing.prepare()
        torch.backends.cudnn.allow_tf32 |= self.tf32_convolutions
        return device

    def _steps(self, number: int) -> None:
        for x, y in islice(self.batches, number):
            self.parts.method.step(self.optimizer, x, y, generator=self.attack)

    def _clocked(self, call: Callable[[], object]) -> float:
        now = clock(self.device)
        synchronise(self.device)
        began = now()
        call()
        synchronise(self.device)
        return now() - began

    def _medians(self, calls: dict[str, Callable[[], object]]) -> dict[str, float]:
        """Of the seconds of each call, which take turns."""
        taken: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(WARM_UPS[self.device.type]):
            for call in calls.values():
                call()
        while len(taken["attack"]) < PIECES or sum(map(sum, taken.values())) < PIECES_SECONDS:
            for name, call in calls.items():
                taken[name].append(self._clocked(call))
        return {name: median(values) for name, values in taken.items()}


def spread(values: Sequence[float]) -> dict[str, float]:
    """ "median", and "low" and "high", the quartiles; of fewer than four values the least and the largest."""
    low, _, high = quantiles(values, n=4) if len(values) >= 4 else (min(values), 0.0, max(values))
    return {"median": median(values), "low": low, "high": high}


def _batches(
    recipe: Recipe, data: Dataset, computing: Computing, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Whole minibatches of epoch after epoch: the smaller last one of an epoch would blur the clock."""
    generator = torch.Generator(data.train_images.device).manual_seed(derived(seed, "augmentation"))
    for epoch in count():
        for x, y in minibatches(recipe, data, computing, order(data, seed, epoch), generator):
            if len(y) == recipe.batch:
                yield x, y
