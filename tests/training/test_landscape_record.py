"""What a record of a landscape must hold (training/results/landscape_record.py)."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from curve_records import landscape_record, recipe_fields

from training.results.landscape_record import validate_landscape


def test_a_whole_record_of_a_landscape_is_accepted():
    validate_landscape(landscape_record("compact-at", 0))


def spoilt(path: str, value: Any) -> dict[str, Any]:
    """A record with one field, such as `settings.alphas`, set to something else, or without it for None."""
    record = json.loads(json.dumps(landscape_record("compact-at", 0)))
    *parents, last = path.split(".")
    place = record
    for name in parents:
        place = place[name]
    place.pop(last) if value is None else place.__setitem__(last, value)
    return record


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("loss", None, "loss is missing"),
        ("loss.train", None, "need train and test"),
        ("loss.train", [1.0], "holds 1 values, need one each of 5 alphas"),
        ("loss.test", [1.0, 2.0, math.inf, 2.0, 1.0], "need a list of finite numbers"),
        ("loss.test", [1.0, 2.0, -0.1, 2.0, 1.0], "a cross-entropy is at least 0"),
        ("settings.alphas", [-1.0, -0.4, 0.1, 0.4, 1.0], "0 among them"),
        ("settings.alphas", [-1.0, 0.0, -0.4, 0.4, 1.0], "need increasing numbers"),
        ("settings.batch_norm", "train", "need running or batch"),
        ("settings.n_train", 0, "n_train = 0, need at least 1"),
        ("settings.attack.steps", True, "steps = True, need int"),
        ("settings.attack.seed", None, "seed is missing"),
        ("checkpoint.name", "best", "need one of best_test, last, validation"),
        ("seed", "0", "seed = '0', need int"),
        ("shortened", True, "30 of 30 epochs ran"),
        ("recipe", recipe_fields("compact-at", lr=0.2), "but that of the recipe beside it is"),
    ],
)
def test_a_spoilt_record_of_a_landscape_is_refused(path, value, message):
    with pytest.raises(ValueError, match=message):
        validate_landscape(spoilt(path, value))
