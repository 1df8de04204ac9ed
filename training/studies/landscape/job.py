"""From the weights a run selected to the record of their adversarial loss along a direction, one curve of Figure 7."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.cells.recipe import Recipe
from training.data import Dataset
from training.engine.device import Computing, accelerator, versions
from training.results.landscape_record import landscape_key
from training.results.provenance import provenance
from training.runs.job import Job, job_data
from training.runs.outcome import restored
from training.studies.landscape.finished_runs import FinishedRun
from training.studies.landscape.loss import adversarial_loss, filter_normalised, losses_along

HASHED = 16  # hexadecimal digits


@dataclass(frozen=True)
class Landscape:
    """What is to be measured; the arguments of `training.studies.landscape.loss` that are not here are the recipe's.

    examples : the first ones of the training images, plain, and of the test images; all where there are fewer
    steps    : of the attack; None for those of the recipe's training attack, whose step size it has
    """

    alphas: tuple[float, ...]
    examples: int
    steps: int | None
    batch_norm: str
    batch: int
    direction_seed: int
    attack_seed: int
    checkpoint: str


def measure(
    run: FinishedRun,
    what: Landscape,
    computing: Computing,
    data_dir: Path | None,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Any]:
    """The record of a run, valid for `validate_landscape`.

    report : called with the number of losses that are found, and of all of them

    Raises: ValueError for a checkpoint the run does not have, data it was not trained on, or weights of another net.
    """
    began = time.monotonic()
    computing = _like(run, computing)
    device = computing.prepare()
    data, chosen = _data(run, data_dir, computing), _chosen(run, what.checkpoint)
    record = _begun(run, what, computing, data, chosen)
    settings, points = record["settings"], len(what.alphas)
    model = _model(run, chosen["weights"], data, computing)
    direction = filter_normalised(model, torch.Generator().manual_seed(what.direction_seed))
    loss = partial(
        adversarial_loss, **settings["attack"], batch_norm=settings["batch_norm"], batch=settings["batch"]
    )
    losses: dict[str, list[float]] = {}
    for split, (images, labels) in _splits(data, what).items():
        x, before = computing.inputs(data.pixels(images)), points * len(losses)
        losses[split] = losses_along(
            model,
            direction,
            what.alphas,
            partial(loss, x=x, y=labels),
            lambda done, before=before: report(before + done, 2 * points),  # type: ignore[misc]
        )
    return {
        **record,
        "loss": losses,
        **provenance(
            threads=torch.get_num_threads(), accelerator=accelerator(device), more=versions(computing)
        ),
        "seconds": time.monotonic() - began,
    }


def key_of(run: FinishedRun, what: Landscape, computing: Computing, data_dir: Path | None) -> dict[str, Any]:
    """`landscape_key` of the record that `measure` would return; arguments and raises as there."""
    computing = _like(run, computing)
    data = _data(run, data_dir, computing)
    return landscape_key(_begun(run, what, computing, data, _chosen(run, what.checkpoint)))


def _begun(
    run: FinishedRun, what: Landscape, computing: Computing, data: Dataset, chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """What of the record is known before any loss."""
    recipe, epochs = run.recipe, run.identity["epochs"]
    sizes = {split: len(labels) for split, (_, labels) in _splits(data, what).items()}
    return {
        "recipe": asdict(recipe),
        "digest": recipe.digest,
        "seed": run.identity["seed"],
        "device": computing.kind,
        "data": data.label,
        "epochs_run": epochs,
        "shortened": epochs < recipe.epochs,
        "checkpoint": {
            "name": what.checkpoint,
            "epoch": chosen["epoch"],
            "weights": weights_hash(chosen["weights"]),
        },
        "settings": _settings(recipe, what, sizes),
    }


def _splits(data: Dataset, what: Landscape) -> dict[str, tuple[Tensor, Tensor]]:
    n = what.examples
    return {
        "train": (data.train_images[:n], data.train_labels[:n]),
        "test": (data.test_images[:n], data.test_labels[:n]),
    }


def _model(
    run: FinishedRun, weights: Mapping[str, Tensor], data: Dataset, computing: Computing
) -> torch.nn.Module:
    try:
        return restored(weights, run.recipe, data, computing)
    except RuntimeError as error:
        raise ValueError(
            f"{run.folder}: the weights do not fit the net {run.recipe.model!r}, which has changed since: train that "
            "run again with training/run.py --no-resume"
        ) from error


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """16 hexadecimal digits that change with any weight or statistic: a run that was repeated is another net."""
    found = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        found.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        found.update(value.numpy().tobytes())
    return found.hexdigest()[:HASHED]


def _settings(recipe: Recipe, what: Landscape, sizes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "alphas": list(what.alphas),
        "n_train": sizes["train"],
        "n_test": sizes["test"],
        "batch_norm": what.batch_norm,
        "batch": what.batch,
        "direction": {"kind": "filter-normalised", "seed": what.direction_seed},
        "attack": {
            "norm": recipe.norm,
            "epsilon": recipe.epsilon,
            "step_size": recipe.step_size_train,
            "steps": what.steps or recipe.steps_train,
            "seed": what.attack_seed,
        },
    }


def _like(run: FinishedRun, computing: Computing) -> Computing:
    """In the run's memory format, and on one thread where the net is so small that more gain nothing."""
    threads = computing.threads or (1 if run.recipe.small else None)
    return replace(computing, channels_last=run.identity["settings"]["channels_last"], threads=threads)


def _data(run: FinishedRun, data_dir: Path | None, computing: Computing) -> Dataset:
    seed = run.identity["seed"]
    data = job_data(Job(run.recipe, seed, run.folder, data_dir=data_dir, computing=computing))
    if (data.label, len(data.train_images)) != (run.identity["data"], run.identity["examples"]):
        raise ValueError(
            f"{run.name} was trained on {run.identity['examples']:,} images of {run.identity['data']}, but --data-dir "
            f"holds {len(data.train_images):,} of {data.label}: give the data it was trained on"
        )
    return data


def _chosen(run: FinishedRun, name: str) -> Mapping[str, Any]:
    selected = run.load()["selected"]
    if name not in selected:
        raise ValueError(f"checkpoint = {name!r}: {run.name} has {', '.join(selected)}; choose one of these")
    return selected[name]
