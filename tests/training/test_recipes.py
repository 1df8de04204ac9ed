"""The recipes of Tables 1-3 against the paper's Sec. 5.2 and App. E, typed in here a second time, and their digests."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, fields, replace
from itertools import combinations
from pathlib import Path

import pytest

from training.cells.published import PUBLISHED
from training.cells.readings import READINGS, read, under
from training.cells.recipe import ENTROPY_FIELDS, Recipe, digest_of
from training.cells.recipes import (
    COMPACT_RECIPES,
    PUBLISHED_RECIPES,
    RECIPES,
    held_out,
    listing,
    over,
    recipe,
)

# Name: L, alpha, gamma_awp, epochs of plain SGD first, as App. E.1 to E.3 and F.2.1 say (- where it has none).
APPENDIX_E = """
cifar10-rn18-at                     -   -    -     0
cifar10-rn18-at-ensgd               20  .75  -     0
cifar10-rn18-at-2ndensgd            20  .75  -     0
cifar10-rn18-awp                    -   -    .01   0
cifar10-rn18-awp-ensgd              30  .75  .005  0
cifar10-rn18-awp-2ndensgd           30  .75  .005  0
cifar10-wrn-at                      -   -    -     0
cifar10-wrn-at-ensgd                30  .75  -     0
cifar10-wrn-at-2ndensgd             30  .75  -     0
cifar10-wrn-awp                     -   -    .01   0
cifar10-wrn-awp-ensgd               30  .75  .005  0
cifar10-wrn-awp-2ndensgd            30  .75  .005  0
cifar100-rn18-at                    -   -    -     0
cifar100-rn18-at-ensgd              30  .75  -     0
cifar100-rn18-at-2ndensgd           30  .75  -     0
cifar100-rn18-awp                   -   -    .01   0
cifar100-rn18-awp-ensgd             30  .75  .007  0
cifar100-rn18-awp-2ndensgd          30  .75  .007  0
svhn-rn18-at                        -   -    -     0
svhn-rn18-at-ensgd                  30  .75  -     5
svhn-rn18-at-2ndensgd               30  .75  -     5
svhn-rn18-awp                       -   -    .01   5
svhn-rn18-awp-ensgd                 30  .75  .005  5
svhn-rn18-awp-2ndensgd              30  .75  .005  5
cifar10-wrn-trades                  -   -    -     0
cifar10-wrn-trades-ensgd            20  .75  -     0
cifar10-wrn-trades-awp              -   -    .005  10
cifar10-wrn-trades-awp-ensgd        30  .3   .005  10
cifar10-wrn-trades-awp-ensgd-tuned  30  .75  .005  10
"""
# Dataset (TRADES apart): lr, epsilon, training and test step, normalisation, augmentation, attack of the table, policy.
SHARED = {
    "cifar10": (0.1, 8 / 255, 2 / 255, (0.4914, 0.2471), "reflect-crop-flip", "autoattack", "train"),
    "cifar100": (
        *(0.1, 8 / 255, 2 / 255, (0.5070751592371323, 0.2673342858792401)),
        *("zero-crop-flip-rotate", "pgd20", "train"),
    ),
    "svhn": (0.01, 8 / 255, 1 / 255, (0.5, 0.5), "none", "pgd20", "train"),
    "trades": (0.1, 0.031, 0.003, None, "zero-crop-flip", "autoattack", "eval"),
}
BOTH = {"alpha": 0.25, "inner_momentum": 0.9, "outer_momentum": 0.9, "inner_weight_decay": 5e-4}
CODE = {"preset": "code", "bn_policy_attack": "code"}
CODE_ENSGD = {**CODE, **BOTH, "outer_weight_decay": 5e-4, "refresh_bn": True}
EIGHT = {"epsilon": 8 / 255, "step_size_train": 2 / 255, "step_size_test": 2 / 255}
CODE_TRADES = {**CODE, **EIGHT, "drops": (99, 149)}
READ = [
    ("cifar10-rn18-at+code", CODE),
    ("cifar10-rn18-at-ensgd+code", CODE_ENSGD),
    ("svhn-rn18-awp+code", CODE),
    ("cifar10-wrn-trades+code", CODE_TRADES),
    ("cifar10-wrn-trades-awp+code", {**CODE_TRADES, "warmup_epochs": 9}),
    ("cifar10-wrn-trades-awp-ensgd+code", {**CODE_TRADES, **CODE_ENSGD, "warmup_epochs": 9}),
    ("cifar10-wrn-trades-awp+eps8", EIGHT),
    ("cifar10-rn18-at-ensgd+eq11", {"outer_step": "paper-eq11"}),
    ("cifar10-wrn-trades-ensgd+2nd", {"optimizer": "2ndensgd"}),
    ("svhn-rn18-awp-2ndensgd+eta-inner-decays", {"eta_inner_decays": True}),
    ("cifar10-rn18-at-ensgd+inner-momentum", {"inner_momentum": 0.9}),
    ("cifar10-rn18-at-ensgd+outer-momentum", {"outer_momentum": 0.9}),
    ("cifar10-rn18-at-ensgd+outer-decay", {"inner_weight_decay": 0.0, "outer_weight_decay": 5e-4}),
    ("cifar10-rn18-at-ensgd+no-decay", {"inner_weight_decay": 0.0}),
    ("svhn-rn18-at+lr0.1", {"lr": 0.1}),
    ("cifar10-wrn-at-2ndensgd+L20", {"inner_steps": 20}),
    ("cifar10-rn18-awp+awp0.005", {"gamma_awp": 0.005}),
    ("cifar10-rn18-at+bn-eval", {"bn_policy_attack": "eval"}),
    ("cifar10-wrn-trades+bn-train", {"bn_policy_attack": "train"}),
    ("cifar10-rn18-at+bn-frozen", {"bn_policy_attack": "frozen"}),
]


def differences(one: Recipe, base: Recipe) -> dict[str, object]:
    """Field -> value in `one`, for the fields but the name in which it differs from the base."""
    mine, its = asdict(one), asdict(base)
    return {key: mine[key] for key in mine if mine[key] != its[key] and key != "name"}


def test_each_of_the_29_cells_has_the_hyperparameters_of_appendix_e() -> None:
    rows = [line.split() for line in APPENDIX_E.split("\n") if line]
    assert len(rows) == 29 == 4 * 6 + 5
    assert {row[0] for row in rows} == {one.name for one in PUBLISHED_RECIPES}
    for name, *values in rows:
        steps, alpha, gamma_awp, warm_up = (None if value == "-" else float(value) for value in values)
        one = RECIPES[name]
        assert (one.inner_steps, one.alpha, one.gamma_awp, one.warmup_epochs) == (
            *(steps, alpha, gamma_awp),
            warm_up,
        ), name


@pytest.mark.parametrize("one", PUBLISHED_RECIPES, ids=lambda one: one.name)
def test_a_cell_shares_what_its_dataset_prescribes(one: Recipe) -> None:
    lr, epsilon, step, normalisation, augmentation, attack, policy = SHARED[
        "trades" if "trades" in one.name else one.dataset
    ]
    assert (one.lr, one.epsilon, one.step_size_train, one.step_size_test) == (lr, epsilon, step, step)
    first = one.normalisation and (one.normalisation[0][0], one.normalisation[1][0])
    assert (first, one.augmentation, one.attack, one.bn_policy_attack) == (
        *(normalisation, augmentation),
        *(attack, policy),
    )
    assert (one.epochs, one.batch, one.drops, one.momentum, one.weight_decay) == (
        *(200, 128, (100, 150)),
        *(0.9, 5e-4),
    )
    assert (one.norm, one.steps_train, one.steps_test, one.preset, one.validation) == (
        "linf",
        10,
        20,
        "paper",
        0,
    )
    assert one.beta == (6.0 if "trades" in one.name else None)
    assert one.switch_to_sgd == (150 if one.name.endswith("tuned") else None)
    assert one.model == ("wide-resnet34-10" if "-wrn-" in one.name else "preact-resnet18")


@pytest.mark.parametrize("one", [*PUBLISHED_RECIPES, *COMPACT_RECIPES], ids=lambda one: one.name)
def test_a_name_says_dataset_method_and_optimizer(one: Recipe) -> None:
    words = one.name.removesuffix("-tuned").split("-")
    assert ("2ndensgd" if "2ndensgd" in words else "ensgd" if "ensgd" in words else "sgd") == one.optimizer
    method = [word for word in words if word in ("at", "awp", "trades")]
    assert "-".join(method) == one.method
    assert words[0] == ("compact" if one.dataset == "digits" else one.dataset)


@pytest.mark.parametrize(
    "one", [one for one in PUBLISHED_RECIPES if one.optimizer != "sgd"], ids=lambda one: one.name
)
def test_entropy_sgd_has_the_constants_of_section_5_2_and_no_momentum(one: Recipe) -> None:
    settings = one.entropy_settings
    assert (settings["gamma"], settings["noise"], settings["eta_inner"]) == (0.03, 1e-4, 0.1)
    assert (settings["inner_momentum"], settings["outer_momentum"]) == (0.0, 0.0)
    assert (settings["inner_weight_decay"], settings["outer_weight_decay"]) == (5e-4, 0.0)
    assert settings["order"] == (2 if "2nd" in one.name else 1)
    assert (settings["preset"], settings["outer_step"], settings["eta_inner_decays"]) == (
        "paper",
        "paper",
        False,
    )
    assert settings["lr"] == one.lr


def test_trades_at_order_2_differs_from_order_1_as_at_does() -> None:
    pairs = [("cifar10-rn18-at-ensgd", "cifar10-rn18-at-2ndensgd")]
    pairs += [(name, f"{name}+2nd") for name in ("cifar10-wrn-trades-ensgd", "cifar10-wrn-trades-awp-ensgd")]
    for first, second in pairs:
        one, two = recipe(first).entropy_settings, recipe(second).entropy_settings
        assert {key for key in one if one[key] != two[key]} == {"order"}, second
        assert two["order"] == 2


def test_plain_sgd_has_no_entropy_settings() -> None:
    with pytest.raises(ValueError, match="plain SGD, need optimizer ensgd or 2ndensgd"):
        _ = recipe("cifar10-rn18-awp").entropy_settings


def test_every_printed_cell_has_its_recipe_and_every_recipe_knows_its_tables() -> None:
    printed: dict[str, list[str]] = {}
    for number, table in PUBLISHED.items():
        for name in table.cells:
            printed.setdefault(name, []).append(f"Table {number}")
    assert {one.name: list(one.cells) for one in PUBLISHED_RECIPES} == printed
    assert all(one.cells == () for name, one in RECIPES.items() if name not in printed)


def test_the_recipe_of_a_cell_is_measured_as_its_row_says() -> None:
    for table in PUBLISHED.values():
        for row in table.rows:
            for _, ending in table.columns:
                assert RECIPES[f"{row.stem}-{ending}"].attack == row.attack


def test_a_val_twin_holds_1000_images_out_and_is_otherwise_the_same() -> None:
    for one in PUBLISHED_RECIPES:
        twin = RECIPES[f"{one.name}-val"]
        assert differences(twin, one) == {"validation": 1000, "cells": ()}
    assert len(RECIPES) == 29 + 29 + 6


@pytest.mark.parametrize(
    ("name", "validation"),
    [
        ("cifar10-rn18-at-val500", 500),
        ("cifar10-rn18-at-val", 1000),
        ("compact-awp-val0", 0),
        ("compact-at", 200),
    ],
)
def test_another_number_of_images_can_be_held_out(name: str, validation: int) -> None:
    assert recipe(name).validation == validation
    assert recipe(name).name == name
    assert held_out(recipe(name), validation) == recipe(name)
    assert held_out(recipe(name), 77).name == f"{name.split('-val')[0]}-val77"


def test_held_out_keeps_readings_at_the_end_of_the_name() -> None:
    one = held_out(recipe("cifar10-rn18-at-ensgd+code+eta-inner-decays"), 1000)
    assert one.name == "cifar10-rn18-at-ensgd-val+code+eta-inner-decays"
    assert one == recipe(one.name)


# Name: epochs, drops, epochs of plain SGD first, switch to SGD, by hand from 200 (100, 150), or 30 (15, 22).
FEWER = [
    ("cifar10-rn18-at-e20", 20, (10, 15), 0, None),
    ("cifar10-rn18-at-e15", 15, (8, 11), 0, None),
    ("cifar10-rn18-at-ensgd-e400", 400, (200, 300), 0, None),
    ("svhn-rn18-awp-e40", 40, (20, 30), 1, None),
    ("cifar10-wrn-trades-awp-ensgd-tuned-e20", 20, (10, 15), 1, 15),
    ("compact-at-e15", 15, (8, 11), 0, None),
    ("compact-at-e4", 4, (2, 3), 0, None),
]


@pytest.mark.parametrize(
    ("name", "epochs", "drops", "warm_up", "switch"), FEWER, ids=[one[0] for one in FEWER]
)
def test_another_number_of_epochs_holds_the_whole_schedule_in_proportion(
    name: str, epochs: int, drops: tuple[int, ...], warm_up: int, switch: int | None
) -> None:
    one, base = recipe(name), recipe(name.rpartition("-e")[0])
    assert (one.epochs, one.drops, one.warmup_epochs, one.switch_to_sgd) == (epochs, drops, warm_up, switch)
    assert (one.name, one.cells) == (name, ())
    assert set(differences(one, base)) <= {"epochs", "drops", "warmup_epochs", "switch_to_sgd", "cells"}
    assert one.digest != base.digest
    assert over(base, epochs) == one
    assert over(one, base.epochs).epochs == base.epochs


def test_epochs_held_out_images_and_readings_go_together_in_one_order() -> None:
    one = recipe("cifar10-rn18-at-ensgd-e20-val500+code+eta-inner-decays")
    assert one.name == "cifar10-rn18-at-ensgd-e20-val500+code+eta-inner-decays"
    assert (one.epochs, one.validation, one.alpha, one.eta_inner_decays) == (20, 500, 0.25, True)
    assert (
        held_out(recipe("cifar10-rn18-at-ensgd-e20+code"), 500).name
        == "cifar10-rn18-at-ensgd-e20-val500+code"
    )
    assert over(recipe("cifar10-rn18-at-val500+code"), 20).name == "cifar10-rn18-at-e20-val500+code"
    assert over(recipe("cifar10-rn18-at-e20-val"), 40).name == "cifar10-rn18-at-e40-val"
    assert recipe("cifar10-rn18-at-e200") == recipe("cifar10-rn18-at")
    assert "NAME-e20" in listing()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "cifar10-rn18-at-e3",
            "epochs = 3: the drops of cifar10-rn18-at after 100, 150 of 200 epochs would come after 2, 2",
        ),
        ("compact-at-e1", "would come after 1, 1: ask for more epochs"),
        ("cifar10-rn18-at-e0", "is unknown"),
        ("cifar10-rn18-at-e", "is unknown"),
        ("cifar10-rn18-at-e20-e30", "is unknown"),
        ("nothing-e20", "is unknown"),
    ],
)
def test_epochs_without_room_for_the_schedule_are_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe(name)


def test_with_momentum_the_compact_recipes_take_the_inner_step_of_their_sgd() -> None:
    """Their eta' is lr/(1 - momentum), for steps without it."""
    plain = recipe("compact-at")
    for name in ("compact-at-ensgd+code", "compact-awp-2ndensgd+inner-momentum"):
        one = recipe(name)
        assert one.inner_momentum == plain.momentum
        assert one.eta_inner == plain.lr
    free = recipe("compact-at-ensgd")
    assert free.inner_momentum == 0.0
    assert free.eta_inner == pytest.approx(plain.lr / (1 - plain.momentum))


@pytest.mark.parametrize(("name", "changed"), READ, ids=[name for name, _ in READ])
def test_a_reading_changes_exactly_what_it_says(name: str, changed: dict[str, object]) -> None:
    base = recipe(name.partition("+")[0])
    expected = {key: value for key, value in changed.items() if getattr(base, key) != value}
    assert differences(recipe(name), base) == expected
    assert recipe(name).name == name
    assert expected


def test_every_reading_is_tried_above() -> None:
    assert {name.partition("+")[2] for name, _ in READ} == set(READINGS)


@pytest.mark.parametrize(
    "name",
    [
        "cifar10-rn18-at-2ndensgd+code",
        "cifar10-rn18-at+eq11",
        "cifar10-rn18-at-2ndensgd+eq11",
        "cifar10-wrn-trades+2nd",
        "cifar10-rn18-at-ensgd+2nd",
        "cifar10-rn18-awp+eta-inner-decays",
        "cifar10-rn18-at+lr0.1",
        "cifar10-rn18-at-ensgd+L20",
        "cifar10-wrn-awp-ensgd+L20",
        "cifar10-rn18-awp-ensgd+awp0.005",
        "cifar10-wrn-trades-awp+awp0.005",
        "cifar10-rn18-at+eps8",
        "cifar10-rn18-at+bn-train",
        "cifar10-wrn-trades+bn-eval",
    ],
)
def test_a_reading_that_changes_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"changes nothing in .*: it is for"):
        recipe(name)


def test_two_readings_of_one_field_are_refused_and_the_order_of_others_does_not_matter() -> None:
    with pytest.raises(ValueError, match="'code' and 'inner-momentum' both decide inner_momentum"):
        recipe("cifar10-rn18-at-ensgd+code+inner-momentum")
    with pytest.raises(ValueError, match="'eq11' and 'eq11' both decide outer_step"):
        recipe("cifar10-rn18-at-ensgd+eq11+eq11")
    # The public code has no order 2.
    with pytest.raises(ValueError, match="'code' and '2nd' both decide preset"):
        recipe("cifar10-wrn-trades-ensgd+code+2nd")
    one, other = (recipe(f"cifar10-rn18-at-ensgd+{text}") for text in ("eq11+no-decay", "no-decay+eq11"))
    assert one == other


def test_readings_of_a_table_apply_where_they_fit_and_somewhere() -> None:
    pair = [recipe("cifar10-rn18-at"), recipe("cifar10-rn18-at-ensgd")]
    assert under(["eq11"], pair) == [pair[0], recipe("cifar10-rn18-at-ensgd+eq11")]
    assert under([], pair) == pair
    with pytest.raises(ValueError, match=r"'lr0\.1' changes none of these recipes: it is for SVHN"):
        under(["lr0.1"], pair)
    with pytest.raises(ValueError, match="'cod' is unknown: use one of code, eq11"):
        under(["cod"], pair)
    with pytest.raises(ValueError, match="'cod' is unknown: use one of code, eq11"):
        read(pair[0], ["cod"])


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("cifar10-rn18-ensgd", "cifar10-rn18-at-ensgd"),
        ("cifar10-rn18-AT", "cifar10-rn18-at"),
        ("svhn-rn18-aw", "svhn-rn18-awp"),
        ("cifar10-rn18-trades-ensgd", "cifar10-wrn-trades-ensgd"),
        ("compact", "compact-at"),
        ("", "compact-at"),
        ("zzz+code", "cifar10-rn18-at"),
    ],
)
def test_an_unknown_name_lists_those_near_it(name: str, near: str) -> None:
    with pytest.raises(ValueError, match=r"unknown; near it: .*; --list shows all 64") as refused:
        recipe(name)
    assert near in str(refused.value)


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
    assert digest_of({key: value for key, value in one.items() if key != field}) != digest_of(one)


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


def test_the_compact_recipes_are_the_methods_of_table_3_on_digits() -> None:
    endings = [ending for _, ending in PUBLISHED["3"].columns]
    assert [one.name for one in COMPACT_RECIPES] == [f"compact-{ending}" for ending in endings]
    for one, ending in zip(COMPACT_RECIPES, endings, strict=True):
        paper = RECIPES[f"cifar10-rn18-{ending}"]
        assert (one.method, one.optimizer, one.gamma_awp) == (paper.method, paper.optimizer, paper.gamma_awp)
        assert (one.dataset, one.model, one.epsilon, one.test_examples) == ("digits", "small", 0.15, 200)
        assert one.step_size_train / one.epsilon == pytest.approx(paper.step_size_train / paper.epsilon)
        assert 0 < one.validation < 500
        assert one.drops[-1] < one.epochs
    tuned = {"lr", "eta_inner"}
    for field in set(ENTROPY_FIELDS) - tuned:
        assert getattr(RECIPES["compact-at-ensgd"], field) == getattr(RECIPES["cifar10-rn18-at-ensgd"], field)


def test_the_listing_names_every_recipe_and_every_reading() -> None:
    lines = listing().splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and "+" not in line.split()[0]]
    assert listed == [*(one.name for one in PUBLISHED_RECIPES if "Table 3" in one.cells)] + [
        one.name for one in (*PUBLISHED_RECIPES, *COMPACT_RECIPES) if "Table 3" not in one.cells
    ]
    assert [line.split()[0] for line in lines if line.startswith("  +")] == [f"+{name}" for name in READINGS]
    assert any("SGD from epoch 150" in line and "tuned" in line for line in lines)


def test_no_two_readings_make_the_same_recipe_of_any_cell() -> None:
    for one in PUBLISHED_RECIPES:
        fitting = [name for name, reading in READINGS.items() if reading.of(one)]
        made = [json.dumps({**asdict(read(one, [name])), "name": ""}) for name in fitting]
        assert all(first != second for first, second in combinations(made, 2))
