"""Records of one cell under AutoAttack, as tables average them."""

from __future__ import annotations

from typing import Any

from run_records import run_record

from training.cells.recipes import recipe

AT = recipe("cifar10-rn18-at")


def auto_runs(
    name: str = "cifar10-rn18-at", right: tuple[int, ...] = (4800, 4900, 5000), **more: Any
) -> list[Any]:
    """Whole runs of seeds 0, 1, 2 with these numbers right under AutoAttack and 300 more under PGD-20."""
    return [run_record(name, seed, auto + 300, auto=auto, **more) for seed, auto in enumerate(right)]
