"""What a record of an adversarial loss along a direction (Figure 7) holds, and its check.

A record holds

    recipe, digest, seed, device, data, epochs_run, shortened, commit, versions, hardware, threads, seconds :
                 as in `training.results.record`, of the run; device, commit and what follows of this computation
    checkpoint : {"name": "best_test" | "last" | "validation", "epoch", "weights": hash of the weights}
    settings   : {"alphas": increasing, 0 among them; "n_train", "n_test": examples, the first ones; "batch_norm":
                 "running" | "batch"; "batch": examples at once; "direction": {"kind": "filter-normalised", "seed"};
                 "attack": {"norm", "epsilon", "step_size", "steps", "seed"}}
    loss       : {"train": [...], "test": [...]}, the mean adversarial cross-entropy, one value an alpha
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from support.shapes import fit
from training.cells.recipe import digest_of
from training.results.record import INSIDE

CHECKPOINTS = ("best_test", "last", "validation")
FIELDS: dict[str, tuple[type, ...]] = {
    "recipe": (dict,),
    "digest": (str,),
    "seed": (int,),
    "device": (str,),
    "data": (str,),
    "epochs_run": (int,),
    "shortened": (bool,),
    "checkpoint": (dict,),
    "settings": (dict,),
    "loss": (dict,),
    "commit": (str,),
    "versions": (dict,),
    "hardware": (dict,),
    "threads": (int,),
    "seconds": (int, float),
}
CHECKPOINT: dict[str, tuple[type, ...]] = {"name": (str,), "epoch": (int,), "weights": (str,)}
SETTINGS: dict[str, tuple[type, ...]] = {
    "alphas": (list,),
    "n_train": (int,),
    "n_test": (int,),
    "batch_norm": (str,),
    "batch": (int,),
    "direction": (dict,),
    "attack": (dict,),
}
ATTACK: dict[str, tuple[type, ...]] = {
    "norm": (str,),
    "epsilon": (float,),
    "step_size": (float,),
    "steps": (int,),
    "seed": (int,),
}
# What tells two records apart: the same of all of these is the same curve.
KEY = ("digest", "seed", "data", "epochs_run", "device", "checkpoint", "settings")


def validate_landscape(record: Any) -> None:
    """Passes a record of a landscape that is complete, finite and agrees with itself.

    Raises: ValueError naming the field, its value and what is required.
    """
    _typed(record, FIELDS, "landscape")
    fit(record, {name: INSIDE[name] for name in ("recipe", "versions", "hardware")})
    _typed(record["checkpoint"], CHECKPOINT, "checkpoint")
    settings = record["settings"]
    _typed(settings, SETTINGS, "settings")
    _typed(settings["attack"], ATTACK, "settings.attack")
    _typed(settings["direction"], {"kind": (str,), "seed": (int,)}, "settings.direction")
    if digest_of(record["recipe"]) != record["digest"]:
        raise ValueError(
            f"digest = {record['digest']!r}, but that of the recipe beside it is {digest_of(record['recipe'])!r}"
        )
    if record["shortened"] != (record["epochs_run"] < record["recipe"]["epochs"]):
        raise ValueError(
            f"shortened = {record['shortened']}, but {record['epochs_run']} of {record['recipe']['epochs']} epochs ran"
        )
    if record["checkpoint"]["name"] not in CHECKPOINTS:
        raise ValueError(
            f"checkpoint.name = {record['checkpoint']['name']!r}, need one of {', '.join(CHECKPOINTS)}"
        )
    if settings["batch_norm"] not in ("running", "batch"):
        raise ValueError(f"settings.batch_norm = {settings['batch_norm']!r}, need running or batch")
    for name in ("n_train", "n_test", "batch"):
        if settings[name] < 1:
            raise ValueError(f"settings.{name} = {settings[name]}, need at least 1")
    _check_values(settings["alphas"], record["loss"])


def landscape_key(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record is of; two with the same key hold the same curve."""
    return {name: record[name] for name in KEY}


def _check_values(alphas: list[Any], loss: Mapping[str, Any]) -> None:
    _numbers(alphas, "settings.alphas")
    if 0 not in alphas or any(later <= earlier for earlier, later in pairwise(alphas)):
        raise ValueError(f"settings.alphas = {alphas}, need increasing numbers, 0 among them")
    if set(loss) != {"train", "test"}:
        raise ValueError(f"loss holds {sorted(loss)}, need train and test")
    for split, values in loss.items():
        _numbers(values, f"loss.{split}")
        if len(values) != len(alphas):
            raise ValueError(
                f"loss.{split} holds {len(values)} values, need one each of {len(alphas)} alphas"
            )
        if min(values) < 0:
            raise ValueError(f"loss.{split} = {min(values)}, a cross-entropy is at least 0")


def _numbers(values: Any, where: str) -> None:
    if not isinstance(values, list) or not all(
        type(value) in (int, float) and math.isfinite(value) for value in values
    ):
        raise ValueError(f"{where} = {values!r}, need a list of finite numbers")


def _typed(record: Any, fields: Mapping[str, tuple[type, ...]], where: str) -> None:
    if not isinstance(record, Mapping):
        raise ValueError(f"{where} is a {type(record).__name__}, need an object")
    for field, types in fields.items():
        if field not in record:
            raise ValueError(f"{where}: {field} is missing")
        value = record[field]
        if (type(value) is bool and bool not in types) or not isinstance(value, types):
            need = " or ".join(one.__name__ for one in types)
            raise ValueError(f"{where}: {field} = {value!r}, need {need}")
