"""From a trained run to its record: AutoAttack where it is asked for, and all that was measured."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.cells.recipe import Recipe
from training.data import Dataset
from training.engine.device import Computing, accelerator, versions
from training.evaluation import AutoAttackResult, ForeignState, autoattack_accuracy
from training.models import build
from training.results.provenance import provenance
from training.results.record import Record
from training.runs.run_folder import RunFolder
from training.runs.scoring import PGD_SEED
from training.runs.selection import CHOSEN_BY
from training.runs.stopping import Stop
from training.runs.trainer import Plan, Report

AUTOATTACK_SEED = 0
# Which checkpoints AutoAttack is run on: the table's where its cell reports AutoAttack, all of them, none.
AUTOATTACK = ("table", "all", "none")
# What a record's curve takes from the history.
CURVE = (
    *("epoch", "lr", "train_loss", "train_robust", "train_clean", "test_clean", "test_pgd20"),
    *("validation_clean", "validation_pgd20", "seconds_training", "seconds_evaluation"),
)


def attacked_checkpoints(recipe: Recipe, mode: str) -> tuple[str, ...]:
    """The names of the checkpoints AutoAttack is run on, for one of AUTOATTACK."""
    if mode not in AUTOATTACK:
        raise ValueError(f"autoattack = {mode!r} is unknown: use one of {', '.join(AUTOATTACK)}")
    if mode == "all":
        return ("best_test", "last", *(["validation"] if recipe.validation else []))
    return ("best_test",) if mode == "table" and recipe.attack == "autoattack" else ()


def finish(
    trained: Mapping[str, Any],
    recipe: Recipe,
    data: Dataset,
    *,
    seed: int,
    plan: Plan,
    computing: Computing,
    folder: RunFolder,
    stop: Stop,
    report: Report,
    autoattack: str,
    autoattack_examples: int | None,
) -> Record:
    """The record of a run that `Trainer.train` has ended; AutoAttack resumes where a signal cut it.

    Raises: Stopped after a signal.
    """
    selection: dict[str, Any] = {"last": None, "best_test": None, "validation": None}
    attacked = attacked_checkpoints(recipe, autoattack)
    seconds = sum(trained["seconds"].values())
    for name, chosen in trained["selected"].items():
        result = None
        if name in attacked:
            with stop.anywhere():
                result = _autoattack(
                    chosen, recipe, data, plan, computing, folder, report, autoattack_examples
                )
            seconds += sum(result.seconds.values())
        selection[name] = _checkpoint(name, chosen, recipe, plan, result)
    threads = torch.get_num_threads()
    where = provenance(
        threads=threads,
        accelerator=accelerator(data.test_images.device),
        more=versions(computing) | trained["engine"],
    )
    return {
        "recipe": asdict(recipe),
        "digest": recipe.digest,
        "seed": seed,
        "device": computing.kind,
        "data": data.label,
        "selection": selection,
        "epochs_run": plan.epochs,
        "shortened": plan.epochs < recipe.epochs,
        **where,
        "seconds": seconds,
        "evaluated_every": plan.evaluate_every,
        "curve": _curve(trained["history"]),
    }


def restored(
    weights: Mapping[str, torch.Tensor], recipe: Recipe, data: Dataset, computing: Computing
) -> nn.Module:
    """The recipe's model with these weights, in eval mode, on the data's device."""
    mean, std = recipe.normalisation or (None, None)
    net = build(recipe.model, len(data.classes), data.train_images.shape[1], mean, std)
    net.load_state_dict(weights)
    return computing.place(net, data.test_images.device).eval()


def _autoattack(
    chosen: Mapping[str, Any],
    recipe: Recipe,
    data: Dataset,
    plan: Plan,
    computing: Computing,
    folder: RunFolder,
    report: Report,
    examples: int | None,
) -> AutoAttackResult:
    """Of a checkpoint. A state that cannot be continued, as of a training that was since repeated, is set aside."""
    n = min(examples or plan.n_test, plan.n_test)
    state_path = folder.path / f"autoattack-epoch{chosen['epoch']:04}-n{n}.json"

    def attacked() -> AutoAttackResult:
        return autoattack_accuracy(
            restored(chosen["weights"], recipe, data, computing),
            data.pixels(data.test_images[:n]),
            data.test_labels[:n],
            epsilon=recipe.epsilon,
            norm=recipe.norm,
            seed=AUTOATTACK_SEED,
            batch=computing.choice.autoattack_batch,
            state_path=state_path,
            progress=lambda stage, done, of, left: report(
                {"event": "autoattack", "stage": stage, "batch": done, "batches": of, "accuracy": left}
            ),
        )

    try:
        return attacked()
    except ForeignState as error:
        _set_aside(state_path, str(error).rpartition(": ")[0])
    return attacked()


def _set_aside(path: Path, why: str) -> None:
    number = 1
    while (aside := path.with_name(f"{path.name}.old{number}")).exists():
        number += 1
    os.replace(path, aside)
    warnings.warn(f"{why}: it now lies in {aside.name}, and AutoAttack starts anew", stacklevel=2)


def _checkpoint(
    name: str, chosen: Mapping[str, Any], recipe: Recipe, plan: Plan, result: AutoAttackResult | None
) -> dict[str, Any]:
    pgd20 = {
        "norm": recipe.norm,
        "epsilon": recipe.epsilon,
        "step_size": recipe.step_size_test,
        "steps": recipe.steps_test,
        "seed": PGD_SEED,
    }
    more: dict[str, Any] = {"selected_on": CHOSEN_BY[name][1]} if name in CHOSEN_BY else {}
    if result is not None:
        more["autoattack_stages"] = result.stages
    return {
        "epoch": chosen["epoch"],
        "clean": chosen["clean"],
        "pgd20": chosen["pgd20"],
        "autoattack": None if result is None else result.accuracy,
        "n_test": plan.n_test,
        "attacks": {"pgd20": pgd20, "autoattack": None if result is None else result.settings},
        **more,
    }


def _curve(history: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The history as equally long lists, None where an epoch was not evaluated; without columns that are all None."""
    columns = {name: [line[name] for line in history] for name in CURVE}
    return {name: values for name, values in columns.items() if any(value is not None for value in values)}
