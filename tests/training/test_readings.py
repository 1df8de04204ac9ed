"""What each reading changes in a recipe, typed in here a second time, and where it fits."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import combinations

import pytest
from recipe_differences import differences

from training.cells.readings import READINGS, read, under
from training.cells.recipes import (
    PUBLISHED_RECIPES,
    recipe,
)

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


def test_no_two_readings_make_the_same_recipe_of_any_cell() -> None:
    for one in PUBLISHED_RECIPES:
        fitting = [name for name, reading in READINGS.items() if reading.of(one)]
        made = [json.dumps({**asdict(read(one, [name])), "name": ""}) for name in fitting]
        assert all(first != second for first, second in combinations(made, 2))
