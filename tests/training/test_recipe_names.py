"""What a name says of a recipe: held-out images, fewer epochs, and which names are near an unknown one."""

from __future__ import annotations

import pytest
from recipe_differences import differences

from training.cells.readings import READINGS
from training.cells.recipes import (
    COMPACT_RECIPES,
    LAPTOP_RECIPES,
    PUBLISHED_RECIPES,
    RECIPES,
    SMOOTH_RECIPES,
    held_out,
    listing,
    over,
    recipe,
)


def test_a_val_twin_holds_1000_images_out_and_is_otherwise_the_same() -> None:
    for one in PUBLISHED_RECIPES:
        twin = RECIPES[f"{one.name}-val"]
        assert differences(twin, one) == {"validation": 1000, "cells": ()}
    assert len(RECIPES) == 29 + 29 + 6 + 6 + 6


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
    with pytest.raises(ValueError, match=r"unknown; near it: .*; --list shows all 76") as refused:
        recipe(name)
    assert near in str(refused.value)


def test_the_listing_names_every_recipe_and_every_reading() -> None:
    lines = listing().splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and "+" not in line.split()[0]]
    assert listed == [*(one.name for one in PUBLISHED_RECIPES if "Table 3" in one.cells)] + [
        one.name
        for one in (*PUBLISHED_RECIPES, *LAPTOP_RECIPES, *COMPACT_RECIPES, *SMOOTH_RECIPES)
        if "Table 3" not in one.cells
    ]
    assert [line.split()[0] for line in lines if line.startswith("  +")] == [f"+{name}" for name in READINGS]
    assert any("SGD from epoch 150" in line and "tuned" in line for line in lines)
