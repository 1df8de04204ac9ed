"""One run from its data to its record: what a `Job` is, whether it is done, doing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from training.cells.recipe import Recipe
from training.data import Dataset, load
from training.engine.device import Computing, versions
from training.results.record import Record
from training.results.records import append
from training.runs.health import TrainingFailed
from training.runs.outcome import attacked_checkpoints, finish
from training.runs.run_folder import RunFolder
from training.runs.stopping import Stop
from training.runs.trainer import Plan, Report, Trainer

SETTINGS = {"amp", "memory", "tf32"}  # of a record's versions, that an option decides
SPLIT_SEED = 0  # of the held-out images: the same ones for every seed of a run


@dataclass(frozen=True)
class Job:
    """One run to be made: a recipe with a seed, how far, how, on which data, and where its results go.

    epochs, test_examples, autoattack_examples : None for the recipe's epochs, all test images, those evaluated
    autoattack : one of `training.runs.outcome.AUTOATTACK`
    resume     : False sets an earlier state of the run aside
    """

    recipe: Recipe
    seed: int
    out: Path
    data_dir: Path | None = None
    computing: Computing = field(default_factory=Computing)
    epochs: int | None = None
    evaluate_every: int = 1
    test_examples: int | None = None
    autoattack: str = "table"
    autoattack_examples: int | None = None
    checkpoint_seconds: float = 30.0
    resume: bool = True

    @property
    def name(self) -> str:
        return f"{self.recipe.name}, seed {self.seed}"

    @property
    def epochs_run(self) -> int:
        return self.epochs or self.recipe.epochs

    @property
    def folder(self) -> Path:
        """Of its checkpoints and metrics."""
        shortened = f"-epochs{self.epochs_run}" if self.epochs_run < self.recipe.epochs else ""
        return self.out / "runs" / self.recipe.name / f"seed{self.seed}{shortened}"

    @property
    def records(self) -> Path:
        return self.out / "records.jsonl"


def run_job(job: Job, *, stop: Stop, report: Report = lambda event: None) -> Record:
    """Trains, evaluates and appends the record, which it returns; work done before is taken up again.

    Raises: Stopped after a signal, with a checkpoint saved; TrainingFailed; ValueError for input that does not fit;
    OSError where nothing can be written.
    """
    device = job.computing.prepare()
    with stop.anywhere():
        data = job_data(job)
    plan = _plan(job, data)
    identity = {
        "recipe": job.recipe.name,
        "digest": job.recipe.digest,
        "seed": job.seed,
        "data": data.label,
        "examples": len(data.train_images),
        "epochs": plan.epochs,
        "n_test": plan.n_test,
        "evaluate_every": plan.evaluate_every,
        "settings": job.computing.settings,
    }
    threads = torch.get_num_threads()
    how: dict[str, Any] = {
        "seed": job.seed,
        "plan": plan,
        "computing": job.computing,
        "stop": stop,
        "report": report,
    }
    with RunFolder(job.folder, identity, resume=job.resume, threads=threads) as folder:
        trained = folder.load_trained()
        try:
            if trained is None:
                trained = Trainer(job.recipe, data, folder=folder, **how).train()
                folder.save_trained(trained)
            record = finish(
                trained,
                job.recipe,
                data,
                folder=folder,
                autoattack=job.autoattack,
                autoattack_examples=job.autoattack_examples,
                **how,
            )
        except torch.OutOfMemoryError as error:
            raise TrainingFailed(
                f"{job.name}: out of memory on {device}; {str(error).splitlines()[0]}"
            ) from error
        append(job.records, record)
    return record


def require_data(job: Job) -> None:
    """Raises ValueError for a job without a place of its data, or with one that is not there."""
    recipe = job.recipe
    if job.data_dir is not None and not job.data_dir.exists():
        raise ValueError(f"{job.data_dir}: there is no such file or folder; name that of the data set")
    if job.data_dir is None and recipe.dataset not in ("digits", "fashion-mnist"):
        raise ValueError(
            f"{recipe.name} trains on {recipe.dataset}: give --data-dir, the folder (or archive) of its files; "
            "--download fetches them there"
        )


def job_data(job: Job) -> Dataset:
    """The data set of a job, on its device; the last one stays at hand."""
    require_data(job)
    recipe = job.recipe
    return _loaded(
        recipe.dataset, job.data_dir, job.computing.device, recipe.validation, recipe.train_examples
    )


@lru_cache(maxsize=1)
def _loaded(name: str, folder: Path | None, device: str, validation: int, train: int | None) -> Dataset:
    below = folder / name if folder is not None else None
    place = below if below is not None and below.is_dir() else folder
    return load(name, place, device=device, validation=validation, train=train, seed=SPLIT_SEED)


def satisfied(job: Job, records: Sequence[Record]) -> bool:
    """Whether a record says that this run was made here: same recipe, seed, data, epochs, evaluations and computing,
    AutoAttack on the checkpoints and as many images as asked for, and a folder of the run. Records without a folder
    came with the repository, and are no reason not to reproduce them."""
    mine = {
        "digest": job.recipe.digest,
        "seed": job.seed,
        "epochs_run": job.epochs_run,
        "device": job.computing.kind,
        "evaluated_every": job.evaluate_every,
    }
    found = [one for one in records if all(one[key] == value for key, value in mine.items())]
    if not found or not job.resume or not job.folder.is_dir():
        return False
    data = job_data(job)
    n = _plan(job, data).n_test
    attacked = min(job.autoattack_examples or n, n)
    wanted = attacked_checkpoints(job.recipe, job.autoattack)
    computed = versions(job.computing)
    return any(
        one["data"] == data.label
        and one["selection"]["last"]["n_test"] == n
        and all(
            (one["selection"][name]["attacks"]["autoattack"] or {}).get("n") == attacked for name in wanted
        )
        and one["versions"].get("engine", job.computing.engine) == job.computing.engine
        and all(
            one["versions"].get(name, computed[name]) == computed[name] for name in SETTINGS & set(computed)
        )
        for one in found
    )


def _plan(job: Job, data: Dataset) -> Plan:
    recipe = job.recipe
    if job.epochs_run > recipe.epochs:
        raise ValueError(
            f"epochs = {job.epochs_run}: {recipe.name} has {recipe.epochs}, ask for at most these"
        )
    there = len(data.test_images)
    n_test = job.test_examples or recipe.test_examples or there
    if n_test > there:
        raise ValueError(
            f"test_examples = {n_test}: {data.label} has {there} test images, ask for at most these"
        )
    images = len(data.train_images)
    if recipe.small and images % recipe.batch == 1:
        raise ValueError(
            f"validation = {recipe.validation} leaves {images} training images, whose last minibatch of {recipe.batch} "
            f"is a single one, which the batch norm of the {recipe.model} net cannot train on: hold out one more or "
            "one less"
        )
    return Plan(job.epochs_run, n_test, job.evaluate_every, job.checkpoint_seconds)
