"""What one recipe has otherwise than another."""

from __future__ import annotations

from dataclasses import asdict

from training.cells.recipe import Recipe


def differences(one: Recipe, base: Recipe) -> dict[str, object]:
    """Field -> value in `one`, for the fields but the name in which it differs from the base."""
    mine, its = asdict(one), asdict(base)
    return {key: mine[key] for key in mine if mine[key] != its[key] and key != "name"}
