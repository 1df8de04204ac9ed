"""Trains: epochs of a method's steps, evaluated, saved, resumed to the bit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from training.cells.recipe import Recipe
from training.cells.schedule import Phase, phase
from training.data import Dataset
from training.engine.device import Computing
from training.entropy_sgd import EntropySGD
from training.evaluation import NonFiniteLogits
from training.runs.batches import minibatches, order
from training.runs.health import no_number, require_above_chance, require_finite, share_of_most_common
from training.runs.parts import Parts
from training.runs.randomness import Streams
from training.runs.run_folder import RunFolder
from training.runs.scoring import Scorer
from training.runs.selection import Selection
from training.runs.stopping import Stop, Stopped

SUMMED = 3  # loss, robust right, clean right
VALIDATION = ("validation_clean", "validation_pgd20")
Report = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Plan:
    """How far a run goes and how often it looks up.

    epochs             : to train, at most the recipe's
    n_test             : test images evaluated, the first ones
    evaluate_every     : epochs between evaluations; the last epoch is evaluated in any case
    checkpoint_seconds : between checkpoints; the end of the training and a signal make one in any case
    """

    epochs: int
    n_test: int
    evaluate_every: int = 1
    checkpoint_seconds: float = 30.0


class Trainer:
    """One run of a recipe with a seed on a data set.

    recipe, seed : decide it, together with data, device and number of threads
    data         : on the device, with recipe.validation images held out
    folder       : entered; checkpoints are read from it and written to it
    stop         : entered; asked after every minibatch
    report       : told {"event": "note" | "batch" | "epoch", ...} as the run goes on

    The evaluation sees the anchor theta of EntropySGD, with running statistics renewed where the recipe says so, and
    leaves no trace in the run: weights, statistics and random streams go on as if it had not been.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Dataset,
        *,
        seed: int,
        plan: Plan,
        computing: Computing,
        folder: RunFolder,
        stop: Stop,
        report: Report = lambda event: None,
    ) -> None:
        self.recipe, self.data, self.seed, self.plan = recipe, data, seed, plan
        self.computing, self.folder, self.stop, self.report = computing, folder, stop, report
        self.device = data.train_images.device
        self.parts = Parts(recipe, data, computing, seed)
        self.model, self.method = self.parts.model, self.parts.method
        self.scorer = Scorer(recipe, data, plan.n_test, computing, seed)
        self.streams = Streams(seed, self.device)
        self.selection = Selection()
        self.history: list[dict[str, Any]] = []
        self.epoch = self.batch = 0  # whole epochs, and minibatches of the next one, that are finished
        self.sums = torch.zeros(SUMMED, dtype=torch.float64, device=self.device)
        self.seconds = {"start_up": 0.0, "training": 0.0, "evaluation": 0.0, "checkpoints": 0.0}
        self.chance = share_of_most_common(data.test_labels[: plan.n_test])
        self.phase: Phase = phase(recipe, 0)
        self.optimizer = self._new_optimizer()
        self._engine_before: dict[str, str] = {}
        self._saved = time.monotonic()
        self._ticked = time.perf_counter()

    def train(self) -> dict[str, Any]:
        """Trains from the newest checkpoint, or from the start, to the end: {"selected", "history", "seconds"}.

        "seconds" holds the parts of the time, which a record sums: "start_up" is compilation and recording before the
        first step, at every resumption anew; "training" is steps alone, "evaluation" and "checkpoints" the rest.

        Raises: Stopped after a signal, with a checkpoint saved, `at_once` with the last one left as it was;
        TrainingFailed for a loss that is no number or a net that only guesses, without one; OSError where the folder
        cannot be written to.
        """
        state = self.folder.load_checkpoint()
        if state is not None:
            self.load_state_dict(state)
        self.folder.write_metrics(self.history)
        self.model.train()
        if self.parts.machine.note:
            self.report({"event": "note", "text": self.parts.machine.note})
        self._make_ready()
        self._saved, self._ticked = time.monotonic(), time.perf_counter()
        try:
            while self.epoch < self.plan.epochs:
                self._train_epoch()
                self._end_epoch()
                self._checkpoint_if_due()
        except Stopped as stopped:
            # At once means in the middle of a step or of an epoch's end, where the state is torn.
            if not stopped.at_once:
                self._checkpoint()
            raise
        return {
            "selected": self.selection.chosen,
            "history": self.history,
            "seconds": dict(self.seconds),
            "engine": self._engine(),
        }

    def state_dict(self) -> dict[str, Any]:
        """Everything the rest of the run depends on, as `run_folder.STATE` has it: tensors and plain values."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "streams": self.streams.state(),
            "sums": self.sums,
            "selected": self.selection.chosen,
            "history": self.history,
            "seconds": self.seconds,
            "engine": self._engine(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.epoch, self.batch = state["epoch"], state["batch"]
        self.model.load_state_dict(state["model"])
        # The optimizer of the phase in which the state was taken: at an epoch's end that is the finished one's.
        self.phase = phase(self.recipe, max(0, self.epoch - (self.batch == 0)))
        self.optimizer = self._new_optimizer()
        self.optimizer.load_state_dict(state["optimizer"])
        self.streams.restore(state["streams"])
        self.sums.copy_(state["sums"])
        self.selection = Selection(state["selected"])
        self.history = list(state["history"])
        self.seconds = dict(state["seconds"])
        self.seconds.setdefault("start_up", 0.0)  # a checkpoint from before it was told apart
        self._engine_before = dict(state["engine"])

    def _engine(self) -> dict[str, str]:
        """What the engine used, and what it used before a checkpoint where that was something else."""
        used, before = self.parts.machine.used, self._engine_before
        history = {name: before.get(name, now) for name, now in used.items()}
        return {
            name: was if was.endswith(used[name]) else f"{was}, then {used[name]}"
            for name, was in history.items()
        }

    def _make_ready(self) -> None:
        """What the engine compiles and records for the rest of the run; without a trace in it, and none on a CPU."""
        if not self.parts.prepares or self.epoch >= self.plan.epochs:
            return
        self._ticked = time.perf_counter()
        left = [phase(self.recipe, epoch) for epoch in range(self.epoch, self.plan.epochs)]
        kinds = [self.method.kind(entropy=one.entropy, awp=one.awp) for one in left]
        rows, aside = order(self.data, self.seed, self.epoch), torch.Generator(self.device).manual_seed(0)
        with self.stop.anywhere():
            x, y = next(minibatches(self.recipe, self.data, self.computing, rows, aside))
            self.parts.make_ready(x, y, kinds)
        self._tick("start_up")

    def _train_epoch(self) -> None:
        """What is left of the epoch, minibatch by minibatch; nothing in a step waits for the device."""
        self._enter_phase()
        rows, generator = order(self.data, self.seed, self.epoch), self.streams.augmentation
        for x, y in minibatches(self.recipe, self.data, self.computing, rows, generator, self.batch):
            outcome = self.method.step(
                self.optimizer, x, y, generator=self.streams.attack, awp=self.phase.awp
            )
            clean = outcome.loss.new_zeros(()) if outcome.clean_right is None else outcome.clean_right
            parts = (outcome.loss * len(y), outcome.robust_right, clean)
            self.sums += torch.stack([part.double() for part in parts])
            self.batch += 1
            self._tick("training")
            self.report(self._batch_event())
            self.stop.check()
            self._checkpoint_if_due()

    def _batch_event(self) -> dict[str, Any]:
        n = len(self.data.train_images)
        batches = {"batch": self.batch, "batches": math.ceil(n / self.recipe.batch), "examples": n}
        return {"event": "batch", "epoch": self.epoch, "epochs": self.plan.epochs, **batches}

    def _enter_phase(self) -> None:
        """The learning rate of the epoch; at a switch to or from SGD a new optimizer, which starts from theta."""
        before, self.phase = self.phase, phase(self.recipe, self.epoch)
        if before.entropy != self.phase.entropy:
            if isinstance(self.optimizer, EntropySGD):
                self.optimizer.discard_inner_loop()
            self.optimizer = self._new_optimizer()
        for group in self.optimizer.param_groups:
            group["lr"] = self.phase.lr

    def _new_optimizer(self) -> torch.optim.Optimizer:
        return self.parts.optimizer(entropy=self.phase.entropy)

    def _end_epoch(self) -> None:
        """Evaluates, chooses, and counts the epoch as finished."""
        finished = self.epoch + 1
        loss, robust, clean = (self.sums / len(self.data.train_images)).tolist()
        self._tick("training")
        require_finite(self.recipe, self.seed, finished, loss)
        line: dict[str, Any] = {
            "epoch": finished,
            "lr": self.phase.lr,
            "train_loss": loss,
            "train_robust": robust,
            "train_clean": clean if self.method.forwards_clean else None,
            **dict.fromkeys(("test_clean", "test_pgd20", "validation_clean", "validation_pgd20")),
        }
        last = finished == self.plan.epochs
        if last or finished % self.plan.evaluate_every == 0:
            line |= self._evaluate(finished, last)
        line |= {f"seconds_{name}": value for name, value in self.seconds.items()}
        line |= diagnostics(self.optimizer)
        self.history.append(line)
        require_above_chance(self.recipe, self.seed, self.history, self.chance)
        self.folder.append_metrics(line)
        self.report({**line, "event": "epoch", "epochs": self.plan.epochs})
        self.epoch, self.batch = finished, 0
        self.sums.zero_()

    def _evaluate(self, finished: int, last: bool) -> dict[str, float]:
        """The accuracies after an epoch, from which the selection takes its weights."""
        with self.scorer.judged(self.model, self.optimizer, self.epoch):
            try:
                with self.stop.anywhere():
                    scores = self.scorer.scores(self.parts.computed)
            except NonFiniteLogits as error:
                words = "the logits at evaluation became nan or inf"
                raise no_number(self.recipe, self.seed, finished, words) from error
            except Stopped:
                self._tick("evaluation")
                raise
            self.selection.offer(finished, scores, self._weights, last=last)
        self._tick("evaluation")
        return {name if name in VALIDATION else f"test_{name}": value for name, value in scores.items()}

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}

    def _checkpoint_if_due(self) -> None:
        if time.monotonic() - self._saved >= self.plan.checkpoint_seconds:
            self._checkpoint()

    def _checkpoint(self) -> None:
        loss = float(self.sums[0])  # waits for the steps in the device's queue, whose time is the training's
        self._tick("training")
        require_finite(self.recipe, self.seed, self.epoch + 1, loss)
        self.folder.save_checkpoint(self.state_dict())
        self._saved = time.monotonic()
        self._tick("checkpoints")

    def _tick(self, what: str) -> None:
        """Counts the time since the last tick as spent on this."""
        now = time.perf_counter()
        self.seconds[what] += now - self._ticked
        self._ticked = now


def diagnostics(optimizer: torch.optim.Optimizer) -> dict[str, float | None]:
    """EntropySGD's measurements of its last outer step, None for what is not finite; {} for SGD and before one."""
    if not isinstance(optimizer, EntropySGD) or not optimizer.outer_steps:
        return {}
    found = optimizer.diagnostics
    measured = {name: getattr(found, name) for name in ("distance", "h_min", "h_max", "force_ratio")}
    finite = {f"ensgd_{name}": value if math.isfinite(value) else None for name, value in measured.items()}
    return {"outer_steps": found.outer_step, **finite}
