"""For the tests of the trainer: tiny runs on digits, in this process, and in processes that can be killed."""

from __future__ import annotations

import math
import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from training.cells.recipe import Recipe
from training.cells.recipes import recipe
from training.data import Dataset
from training.data import load as load_data
from training.engine.device import Computing
from training.run import main
from training.runs.checkpoint import load
from training.runs.run_folder import RunFolder
from training.runs.stopping import Stop
from training.runs.trainer import Plan, Report, Trainer

# What a process of the trainer imports, some of it only on the way: a preloaded server forks them in milliseconds.
PRELOADED = [
    "training.runs.workers",
    "training.runs.progress",
    "training.run",
    "torch._dynamo",
    "sklearn.datasets",
]


def few_digits(examples: int, *, test: int = 20, held: int = 0) -> Dataset:
    """Digits with that many training, test and validation images."""
    data = load_data("digits", validation=200)
    return replace(
        data,
        train_images=data.train_images[:examples],
        train_labels=data.train_labels[:examples],
        validation_images=data.validation_images[:held],
        validation_labels=data.validation_labels[:held],
        test_images=data.test_images[:test],
        test_labels=data.test_labels[:test],
    )


def tiny(name: str, **changes: Any) -> Recipe:
    """A recipe, such as that of a published cell, on digits with the small net and few attack steps."""
    small = {
        "dataset": "digits",
        "model": "small",
        "normalisation": None,
        "augmentation": "none",
        "cells": (),
    }
    sizes = {"batch": 32, "steps_train": 2, "steps_test": 2, "epsilon": 0.15, "step_size_train": 0.0375}
    return replace(recipe(name), **{**small, **sizes, "step_size_test": 0.0375, **changes})


def trainer(
    used: Recipe,
    data: Dataset,
    folder: Path,
    *,
    seed: int = 0,
    epochs: int | None = None,
    evaluate_every: int = 1,
    checkpoint_seconds: float = 1e9,
    computing: Computing | None = None,
    report: Report = lambda event: None,
) -> Trainer:
    """One whose folder is entered and never left, so that no second one may enter it."""
    plan = Plan(epochs or used.epochs, len(data.test_images), evaluate_every, checkpoint_seconds)
    identity = dict.fromkeys(("recipe", "digest", "seed", "data", "examples", "epochs", "n_test"), 0)
    whole = {**identity, "digest": used.digest, "evaluate_every": evaluate_every, "settings": {}}
    entered = RunFolder(folder, whole, resume=True, threads=torch.get_num_threads()).__enter__()
    return Trainer(
        used,
        data,
        seed=seed,
        plan=plan,
        computing=computing or Computing(),
        folder=entered,
        stop=Stop(),
        report=report,
    )


def started(arguments: Sequence[str], output: Path) -> Any:
    """A process that runs the trainer's command line and writes what it says to a file; `exitcode` is its status."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=command, args=(list(arguments), str(output)))
    process.start()
    return process


def command(arguments: list[str], output: str) -> None:
    """In the process: the command line on one thread, its output in a file."""
    torch.set_num_threads(1)
    with open(output, "w", encoding="utf-8", buffering=1) as file:
        sys.stdout = sys.stderr = file
        sys.exit(main(arguments))


def same_to_the_bit(one: Any, other: Any) -> bool:
    """Whether two nested structures agree in every tensor and value; entries named `seconds...` are not compared."""
    if isinstance(one, dict) and isinstance(other, dict):
        kept = [key for key in one if not str(key).startswith("seconds")]
        return one.keys() == other.keys() and all(same_to_the_bit(one[key], other[key]) for key in kept)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same_to_the_bit, one, other))
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other


def trained(folder: Path) -> dict[str, Any]:
    """What a finished run left in its folder."""
    return load(folder / "trained.pt", "trained")
