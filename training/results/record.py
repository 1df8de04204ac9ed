"""What the record of a run holds, and the check that it is complete, finite and agrees with itself.

A record holds

    recipe, digest : all fields of the recipe, and their hash (`training.cells.recipe.digest_of`)
    seed, device   : of the run, such as 0 and "cuda"
    data           : the dataset's label, such as "CIFAR-10 (JPEG copy)"
    selection      : the checkpoints, {"last": E, "best_test": E, "validation": E or None}; in the last two E says
                     "selected_on": "test" or "validation"
    epochs_run, shortened : shortened is true where epochs_run is less than the recipe's epochs
    commit, versions, hardware, threads : see `training.results.provenance`
    seconds        : of training and evaluation, above 0
    curve          : optional, equally long lists, "epoch" (increasing) among them, for Figures 3 and 6

and a checkpoint E holds

    epoch          : number of finished epochs it was taken after
    clean, pgd20, autoattack : accuracies in [0, 1] on test examples; autoattack may be None
    n_test         : test examples behind clean and pgd20
    attacks        : {"pgd20": {"norm", "epsilon", "step_size", "steps", "seed"},
                     "autoattack": {"norm", "epsilon", "n", "seed", "version"} or None}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from support.json_places import Place
from support.shapes import COUNT, INDEX, NOT_NEGATIVE, SHARE, Shape, fit
from training.cells.recipe import METHODS, OPTIMIZERS, digest_of

Record = dict[str, Any]


def validate(record: Any) -> None:
    """Passes a record that is complete, finite and agrees with itself.

    Raises: ValueError naming the field, its value and what is required.
    """
    _object(record, "record")
    _finite(record, "")
    _typed(record, FIELDS, "")
    fit(record, INSIDE)
    _fit_there(record, PERHAPS)
    _fit_there(record["hardware"], HARDWARE, ("hardware",))
    recipe = record["recipe"]
    if digest_of(recipe) != record["digest"]:
        raise ValueError(
            f"digest = {record['digest']!r}, but that of the recipe beside it is {digest_of(recipe)!r}"
        )
    _at_least(record, {"seed": 0, "epochs_run": 1, "threads": 1}, "")
    if record["seconds"] <= 0:
        raise ValueError(f"seconds = {record['seconds']!r}, need a positive number")
    if record["epochs_run"] > recipe["epochs"]:
        raise ValueError(f"epochs_run = {record['epochs_run']}, need at most the recipe's {recipe['epochs']}")
    if record["shortened"] != (record["epochs_run"] < recipe["epochs"]):
        raise ValueError(
            f"shortened = {record['shortened']}, but {record['epochs_run']} of {recipe['epochs']} epochs were run"
        )
    _check_selection(record["selection"], record)
    if "curve" in record:
        _check_curve(record["curve"])


FIELDS: dict[str, tuple[type, ...]] = {
    "recipe": (dict,),
    "digest": (str,),
    "seed": (int,),
    "device": (str,),
    "data": (str,),
    "selection": (dict,),
    "epochs_run": (int,),
    "shortened": (bool,),
    "commit": (str,),
    "versions": (dict,),
    "hardware": (dict,),
    "seconds": (int, float),
    "threads": (int,),
}
# What tables, figures and comparisons take from inside of these.
INSIDE: dict[str, Shape] = {
    "recipe": {
        **dict.fromkeys(("name", "dataset", "model", "norm"), str),
        **dict.fromkeys(("epsilon", "step_size_train", "step_size_test"), float),
        **dict.fromkeys(("epochs", "steps_train", "steps_test"), COUNT),
        "validation": INDEX,
        "method": frozenset(METHODS),
        "optimizer": frozenset(OPTIMIZERS),
        "drops": ([int], tuple),
        "switch_to_sgd": (int, None),
    },
    "versions": {str: (str, float, bool, None)},
    "hardware": {str: (str, float, None)},
}
PERHAPS: dict[str, Shape] = {"evaluated_every": COUNT, "curve": dict}
HARDWARE: dict[str, Shape] = dict.fromkeys(("cpu", "system", "accelerator"), (str, None))
ACCURACIES = ("train_robust", "test_clean", "test_pgd20", "validation_clean", "validation_pgd20")
COLUMNS: dict[str, Shape] = {
    "epoch": [INDEX, ...],
    **{f"seconds_{what}": [NOT_NEGATIVE] for what in ("training", "evaluation")},
    **{name: [(SHARE, None)] for name in ACCURACIES},
}
CHECKPOINT: dict[str, tuple[type, ...]] = {
    "epoch": (int,),
    "clean": (int, float),
    "pgd20": (int, float),
    "autoattack": (int, float, type(None)),
    "n_test": (int,),
    "attacks": (dict,),
}
PGD: dict[str, tuple[type, ...]] = {
    "norm": (str,),
    "epsilon": (float,),
    "step_size": (float,),
    "steps": (int,),
    "seed": (int,),
}
AUTOATTACK: dict[str, tuple[type, ...]] = {
    "norm": (str,),
    "epsilon": (float,),
    "n": (int,),
    "seed": (int,),
    "version": (str,),
}
# What an attack at evaluation shares with the recipe: its own name for it, and the recipe's.
SHARED = {"norm": "norm", "epsilon": "epsilon", "step_size": "step_size_test", "steps": "steps_test"}
WHOLE = 0.01  # an accuracy times its n is this close to an integer: float32 of 26,032 examples errs by 0.001


def _check_selection(selection: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    if set(selection) != {"last", "best_test", "validation"}:
        raise ValueError(f"selection holds {sorted(selection)}, need last, best_test and validation")
    if (selection["validation"] is None) != (record["recipe"]["validation"] == 0):
        raise ValueError("selection.validation needs to be null exactly where the recipe holds nothing out")
    sizes = set()
    for name, checkpoint in selection.items():
        if checkpoint is None and name == "validation":
            continue
        where = f"selection.{name}"
        _object(checkpoint, where)
        _check_checkpoint(checkpoint, record, where)
        chosen = {"last": None, "best_test": "test", "validation": "validation"}[name]
        if checkpoint.get("selected_on") != chosen:
            raise ValueError(f"{where}.selected_on = {checkpoint.get('selected_on')!r}, need {chosen!r}")
        sizes.add(checkpoint["n_test"])
    if selection["last"]["epoch"] != record["epochs_run"]:
        raise ValueError(
            f"selection.last.epoch = {selection['last']['epoch']}, but epochs_run = {record['epochs_run']}"
        )
    if len(sizes) > 1:
        raise ValueError(
            f"selection mixes n_test {sorted(sizes)}: evaluate every checkpoint on the same examples"
        )


def _check_checkpoint(checkpoint: Mapping[str, Any], record: Mapping[str, Any], where: str) -> None:
    _typed(checkpoint, CHECKPOINT, f"{where}.")
    _at_least(checkpoint, {"epoch": 0, "n_test": 1}, f"{where}.")
    if checkpoint["epoch"] > record["epochs_run"]:
        raise ValueError(f"{where}.epoch = {checkpoint['epoch']}, but epochs_run = {record['epochs_run']}")
    if "autoattack_stages" in checkpoint:
        fit(checkpoint["autoattack_stages"], {str: SHARE}, (f"{where}.autoattack_stages",))
    attacks = checkpoint["attacks"]
    if set(attacks) != {"pgd20", "autoattack"}:
        raise ValueError(
            f"{where}.attacks holds {sorted(attacks)}, need pgd20 and autoattack (null if not run)"
        )
    if (attacks["autoattack"] is None) != (checkpoint["autoattack"] is None):
        raise ValueError(f"{where}: autoattack and attacks.autoattack need to be null together")
    for name, fields in (("pgd20", PGD), ("autoattack", AUTOATTACK)):
        settings, place = attacks[name], f"{where}.attacks.{name}"
        if settings is None and name == "autoattack":
            continue
        _object(settings, place)
        _typed(settings, fields, f"{place}.")
        for mine, recipes in SHARED.items():
            if mine in fields and settings[mine] != record["recipe"][recipes]:
                raise ValueError(
                    f"{place}.{mine} = {settings[mine]!r}, but the recipe says {record['recipe'][recipes]!r}"
                )
    n_attacked = attacks["autoattack"]["n"] if attacks["autoattack"] else 0
    for name, n in (
        ("clean", checkpoint["n_test"]),
        ("pgd20", checkpoint["n_test"]),
        ("autoattack", n_attacked),
    ):
        if checkpoint[name] is not None:
            _check_accuracy(checkpoint[name], n, f"{where}.{name}")


def _check_accuracy(value: float, n: int, where: str) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{where} = {value!r}, need a fraction in [0, 1], not percent")
    if n < 1 or abs(value * n - round(value * n)) > WHOLE:
        raise ValueError(f"{where} = {value!r} is no number of right answers out of n = {n}")


def _check_curve(curve: Any) -> None:
    _object(curve, "curve")
    lengths = {name: len(values) if isinstance(values, list) else None for name, values in curve.items()}
    if "epoch" not in curve or None in lengths.values() or len(set(lengths.values())) != 1:
        raise ValueError(f"curve holds lists of lengths {lengths}, need equally long lists, epoch among them")
    fit(curve, {str: [(float, None)]}, ("curve",))
    _fit_there(curve, COLUMNS, ("curve",))
    if any(later <= earlier for earlier, later in zip(curve["epoch"], curve["epoch"][1:], strict=False)):
        raise ValueError("curve.epoch needs to increase")


def _fit_there(values: Mapping[str, Any], shapes: Mapping[str, Shape], place: Place = ()) -> None:
    """The fields that may be absent."""
    fit(values, {name: shape for name, shape in shapes.items() if name in values}, place)


def _object(value: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is a {type(value).__name__}, need an object")


def _typed(record: Mapping[str, Any], fields: Mapping[str, tuple[type, ...]], where: str) -> None:
    for field, types in fields.items():
        if field not in record:
            raise ValueError(f"{where}{field} is missing, need {_words(types)}")
        # A bool is an int to isinstance: 1 epoch is a number, True is not.
        if type(record[field]) is not bool and isinstance(record[field], types):
            continue
        if type(record[field]) is not bool or bool not in types:
            raise ValueError(f"{where}{field} = {record[field]!r}, need {_words(types)}")


def _words(types: tuple[type, ...]) -> str:
    return " or ".join(
        {"NoneType": "null", "dict": "an object"}.get(one.__name__, one.__name__) for one in types
    )


def _at_least(record: Mapping[str, Any], bounds: Mapping[str, int], where: str) -> None:
    for field, least in bounds.items():
        if record[field] < least:
            raise ValueError(f"{where}{field} = {record[field]!r}, need at least {least}")


def _finite(value: Any, where: str) -> None:
    """Refuses NaN and infinities wherever they stand."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} = {value!r}, need a finite number: a run that failed leaves no record")
    if isinstance(value, Mapping):
        for key, entry in value.items():
            _finite(entry, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for place, entry in enumerate(value):
            _finite(entry, f"{where}[{place}]")
