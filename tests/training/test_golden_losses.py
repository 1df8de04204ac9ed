"""The first twenty losses of the eleven combinations of method and optimizer are the stored ones: nothing has moved."""

from __future__ import annotations

import json

import golden_losses
import pytest

from training.cells.recipes import RECIPES, recipe

STORED = json.loads(golden_losses.FILE.read_text(encoding="utf-8"))


def test_the_eleven_combinations_are_those_of_the_published_cells():
    cells = [one for one in RECIPES.values() if one.cells]
    combinations = {(one.method, one.optimizer, one.switch_to_sgd) for one in cells}
    assert len(golden_losses.COMBINATIONS) == 11
    used = [recipe(name) for name in golden_losses.COMBINATIONS]
    assert {(one.method, one.optimizer, one.switch_to_sgd) for one in used} == combinations


@pytest.mark.parametrize("name", golden_losses.COMBINATIONS)
def test_the_first_twenty_losses_are_the_stored_ones(name, tmp_path):
    losses = golden_losses.first_losses(name, tmp_path)
    stored, tolerances = STORED["losses"][name], STORED["tolerances"][name]
    assert len(losses) == golden_losses.STEPS
    assert [abs(a - b) <= c for a, b, c in zip(losses, stored, tolerances, strict=True)] == [True] * len(
        stored
    )


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("cifar10-rn18-at", {"lr": 0.101}),
        ("cifar10-rn18-at-ensgd", {"eta_inner": 0.101}),
        ("cifar10-rn18-awp-2ndensgd", {"gamma_awp": 0.00505}),
        # Its attack starts where the gradient vanishes: one ulp turns signs, and hides a change of 1 %.
        ("cifar10-wrn-trades-awp-ensgd", {"beta": 6.4}),
    ],
)
def test_a_constant_that_is_a_little_off_leaves_the_stored_losses(name, off, tmp_path):
    losses = golden_losses.first_losses(name, tmp_path, **off)
    stored, tolerances = STORED["losses"][name], STORED["tolerances"][name]
    assert any(abs(a - b) > c for a, b, c in zip(losses, stored, tolerances, strict=True))
