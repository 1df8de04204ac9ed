"""Serves the study of the probe: the trained nets it measures, found where they are or else trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from training.cells.recipes import recipe
from training.data import Dataset
from training.engine.device import Computing
from training.models import build
from training.runs.job import Job, job_data, run_job
from training.runs.outcome import restored
from training.runs.stopping import Stop
from training.studies.landscape.finished_runs import run_at
from training.studies.landscape.job import weights_hash
from training.studies.probe.penalty import PENALTIES, RECIPE, trained_with_penalty

SELECTED = "best_test"


@dataclass(frozen=True)
class Wanted:
    """A net to be measured: a recipe's, trained with a seed, after `epoch` epochs, None for the selected checkpoint; or
    one trained with an input-gradient penalty of weight `penalty`."""

    recipe: str
    seed: int
    epoch: int | None
    penalty: float | None = None

    @property
    def name(self) -> str:
        if self.penalty is not None:
            return f"penalty {self.penalty:g}, seed {self.seed}"
        when = "selected" if self.epoch is None else f"epoch {self.epoch}"
        return f"{self.recipe}, seed {self.seed}, {when}"


@dataclass(frozen=True)
class Shelf:
    """Where nets are: `places` are searched for those of recipes, results folders of training/run.py; what none has is
    trained into `own`."""

    places: Sequence[Path]
    own: Path

    def take(self, wanted: Wanted, stop: Stop) -> tuple[nn.Module, Dataset, dict[str, Any]]:
        """The net in eval mode, its data, and which net it is, as a record of the probe says it."""
        one = recipe(RECIPE if wanted.penalty is not None else wanted.recipe)
        computing = Computing.of("cpu", "fast", threads=1)
        job = Job(one, wanted.seed, self.own, computing=computing, epochs=wanted.epoch, autoattack="none")
        data = job_data(job)
        about = {"seed": wanted.seed, "model": one.model, "penalty": wanted.penalty}
        if wanted.penalty is not None:
            weights = trained_with_penalty(data, wanted.penalty, wanted.seed, self.own / "penalty", stop)
            net = build(one.model, len(data.classes), data.train_images.shape[1])
            net.load_state_dict(weights)
            about |= {"recipe": "penalty", "digest": "", "checkpoint": "epoch", "epoch": one.epochs}
            return net.eval(), data, about | {"weights": weights_hash(weights)}
        chosen = self._selected(job, wanted, stop)
        name = "epoch" if wanted.epoch is not None else SELECTED
        about |= {"recipe": one.name, "digest": one.digest, "checkpoint": name, "epoch": chosen["epoch"]}
        weights = chosen["weights"]
        return restored(weights, one, data, computing), data, about | {"weights": weights_hash(weights)}

    def _selected(self, job: Job, wanted: Wanted, stop: Stop) -> dict[str, Any]:
        """The weights of a run that is there, or of one that is now made; runs to an earlier epoch count as such."""
        inside = job.folder.relative_to(self.own)
        for place in (*self.places, self.own):
            path = place / inside / "trained.pt"
            run = run_at(path) if path.exists() else None
            if run is not None and run.identity["digest"] == job.recipe.digest:
                return run.load()["selected"]["last" if wanted.epoch else SELECTED]
        every = 1 if wanted.epoch in (None, job.recipe.epochs) else job.epochs_run
        run_job(
            Job(
                job.recipe,
                job.seed,
                self.own,
                computing=job.computing,
                epochs=job.epochs,
                evaluate_every=every,
                autoattack="none",
            ),
            stop=stop,
        )
        run = run_at(job.folder / "trained.pt")
        assert run is not None
        return run.load()["selected"]["last" if wanted.epoch else SELECTED]


def along_training(
    recipes: Sequence[str], seeds: Sequence[int], epochs: Sequence[int | None]
) -> Iterator[Wanted]:
    """Every recipe with every seed after each of the epochs, None for the selected one."""
    yield from (Wanted(name, seed, epoch) for epoch in epochs for seed in seeds for name in recipes)


def with_penalties(seeds: Sequence[int]) -> Iterator[Wanted]:
    """The nets trained with an input-gradient penalty of rising weight."""
    for seed in seeds:
        yield from (Wanted("penalty", seed, None, weight) for weight in PENALTIES)
