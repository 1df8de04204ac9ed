"""A recipe (training/cells/recipe.py): its digest, what it refuses, and that it stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, fields, replace
from pathlib import Path

import pytest

from training.cells.recipe import LATER, Recipe, digest_of
from training.cells.recipes import (
    RECIPES,
    recipe,
)


def test_digests_differ_between_recipes_and_agree_between_processes() -> None:
    digests = {name: one.digest for name, one in RECIPES.items()}
    assert len(set(digests.values())) == len(RECIPES)
    program = (
        "import json\nfrom training.cells.recipes import RECIPES\n"
        "print(json.dumps({name: one.digest for name, one in RECIPES.items()}))"
    )
    root = str(Path(__file__).parents[2])
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": root}
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
        )
        assert json.loads(run.stdout) == digests


def test_a_digest_is_the_sha256_of_the_fields_as_json() -> None:
    text = b'{"drops":[100,150],"lr":0.1,"name":"a","beta":null}'
    ordered = b'{"beta":null,"drops":[100,150],"lr":0.1,"name":"a"}'
    found = digest_of({"name": "a", "lr": 0.1, "drops": (100, 150), "beta": None})
    assert found == hashlib.sha256(ordered).hexdigest()[:16] != hashlib.sha256(text).hexdigest()[:16]
    one = recipe("cifar100-rn18-awp-ensgd")
    assert digest_of(json.loads(json.dumps(asdict(one)))) == one.digest


@pytest.mark.parametrize("field", [field.name for field in fields(Recipe)])
def test_a_change_of_any_field_changes_the_digest(field: str) -> None:
    one = asdict(recipe("cifar10-wrn-trades-awp-ensgd-tuned"))
    assert digest_of({**one, field: "changed"}) != digest_of(one)
    without = {key: value for key, value in one.items() if key != field}
    # One that came later does not count where it is not set: records from before it keep their digest.
    assert (digest_of(without) == digest_of(one)) is (field in LATER)


def test_a_change_in_the_last_digit_changes_the_digest() -> None:
    one = recipe("cifar10-rn18-at")
    assert replace(one, epsilon=0.031372549019607850).digest != one.digest
    assert replace(one, epsilon=8 / 255).digest == one.digest


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("cifar10-rn18-at", {"dataset": "cifar"}, "dataset = 'cifar', need one of cifar10"),
        ("cifar10-rn18-at", {"model": "resnet"}, "model = 'resnet', need one of preact-resnet18"),
        (
            "cifar10-rn18-at",
            {"epsilon": 8},
            "epsilon = 8, need a fraction of the pixel range below 1, such as 8/255",
        ),
        ("cifar10-rn18-at", {"epsilon": 1.0}, "epsilon = 1.0, need a fraction of the pixel range below 1"),
        ("cifar10-rn18-at", {"epsilon": 0.0}, "epsilon = 0.0, need a positive number"),
        ("cifar10-rn18-at", {"epsilon": "8/255"}, "epsilon = '8/255', need a positive number"),
        ("cifar10-rn18-at", {"epsilon": float("nan")}, "epsilon = nan, need a positive number"),
        ("cifar10-rn18-at", {"lr": -0.1}, "lr = -0.1, need a positive number"),
        ("cifar10-rn18-at", {"lr": None}, "lr = None, need a positive number"),
        ("cifar10-rn18-at", {"epochs": 0}, "epochs = 0, need an integer of at least 1"),
        ("cifar10-rn18-at", {"epochs": 200.0}, "epochs = 200.0, need an integer of at least 1"),
        ("cifar10-rn18-at", {"batch": True}, "batch = True, need an integer of at least 1"),
        ("cifar10-rn18-at", {"validation": -1}, "validation = -1, need an integer of at least 0"),
        ("cifar10-rn18-at", {"drops": (150, 100)}, "drops = .*, need increasing numbers"),
        ("cifar10-rn18-at", {"drops": (0, 100)}, "drops = .*, need increasing numbers"),
        ("cifar10-rn18-at", {"momentum": 1.0}, r"momentum = 1.0, need a number in \[0, 1\)"),
        ("cifar10-rn18-at", {"weight_decay": -1e-4}, "weight_decay = -0.0001, need a number of at least 0"),
        (
            "cifar10-rn18-at",
            {"normalisation": ((0.5,), (0.0,))},
            "normalisation = .*, need means and positive",
        ),
        (
            "cifar10-rn18-at",
            {"normalisation": ((0.5,), (1.0, 1.0))},
            "normalisation = .*, need means and positive",
        ),
        ("cifar10-rn18-at", {"inner_steps": 20}, "inner_steps = 20, need a value with EntropySGD and None"),
        ("cifar10-rn18-at", {"optimizer": "ensgd"}, "inner_steps = None, need a value with EntropySGD"),
        ("cifar10-rn18-at", {"gamma_awp": 0.01}, "gamma_awp = 0.01, need a value with awp and None without"),
        ("cifar10-rn18-awp", {"gamma_awp": None}, "gamma_awp = None, need a value with awp"),
        ("cifar10-rn18-at", {"beta": 6.0}, "beta = 6.0, need a value with trades"),
        ("cifar10-wrn-trades", {"beta": None}, "beta = None, need a value with trades"),
        ("cifar10-rn18-at", {"refresh_bn": True}, "refresh_bn = True, need False with plain SGD"),
        (
            "cifar10-rn18-at",
            {"warmup_epochs": 5},
            "warmup_epochs = 5, need 0 where neither AWP nor EntropySGD",
        ),
        ("cifar10-rn18-at", {"switch_to_sgd": 150}, "switch_to_sgd = 150, need a number"),
        (
            "cifar10-wrn-trades-awp-ensgd",
            {"switch_to_sgd": 10},
            "switch_to_sgd = 10, need .* after the warm-up",
        ),
        ("cifar10-rn18-at-ensgd", {"alpha": 1.5}, r"alpha = 1.5, need a number in \(0, 1\]"),
        ("cifar10-rn18-at-ensgd", {"alpha": 0.0}, r"alpha = 0.0, need a number in \(0, 1\]"),
        ("cifar10-rn18-at-ensgd", {"gamma": 0.0}, "gamma = 0.0, need a positive number"),
        ("cifar10-rn18-at-ensgd", {"noise": -1.0}, "noise = -1.0, need a number of at least 0"),
        ("cifar10-rn18-at-ensgd", {"eta_inner_decays": 1}, "eta_inner_decays = 1, need True or False"),
        ("cifar10-rn18-at-ensgd", {"outer_step": "eq11"}, "outer_step = 'eq11', need paper, or with order 1"),
        ("cifar10-rn18-at-2ndensgd", {"outer_step": "paper-eq11"}, "outer_step = 'paper-eq11', need paper"),
    ],
)
def test_a_recipe_that_cannot_be_run_as_it_says_is_refused(
    name: str, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=f"recipe '{name}': {message}"):
        replace(recipe(name), **change)  # type: ignore[arg-type]


def test_a_recipe_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        recipe("cifar10-rn18-at").lr = 0.2  # type: ignore[misc]


def test_an_l2_radius_may_exceed_one() -> None:
    assert replace(recipe("cifar10-rn18-at"), norm="l2", epsilon=1.5).epsilon == 1.5
