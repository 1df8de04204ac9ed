"""Records of made-up runs for the tests of records and tables: every number is given by the test that asks for it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from training.cells.recipe import Recipe
from training.cells.recipes import recipe


def run_record(
    name: str | Recipe,
    seed: int,
    right: int,
    *,
    clean: int | None = None,
    auto: int | None = None,
    n: int = 10_000,
    data: str = "CIFAR-10",
    epochs: int | None = None,
    device: str = "cuda",
) -> dict[str, Any]:
    """A whole record whose test-selected checkpoint gets `right` of n under PGD-20, `auto` under AutoAttack (None: not
    run) and `clean` (default all n) without attack; the last checkpoint gets 10 fewer under PGD-20, the validation one
    5 fewer."""
    used = recipe(name) if isinstance(name, str) else name
    ran = epochs or used.epochs
    best = checkpoint(used, ran - 1, right, n, clean=clean, auto=auto)
    validation = checkpoint(used, ran - 1, right - 5, n, clean=clean)
    return {
        "recipe": asdict(used),
        "digest": used.digest,
        "seed": seed,
        "device": device,
        "data": data,
        "selection": {
            "last": checkpoint(used, ran, right - 10, n, clean=clean),
            "best_test": {**best, "selected_on": "test"},
            "validation": {**validation, "selected_on": "validation"} if used.validation else None,
        },
        "epochs_run": ran,
        "shortened": ran < used.epochs,
        "commit": "0123456789abcdef",
        "versions": {"python": "3.11.7", "torch": "2.6.0"},
        "hardware": {"cpu": "Some CPU", "accelerator": "Some GPU" if device == "cuda" else None},
        "seconds": 12.5,
        "threads": 2,
    }


def checkpoint(
    used: Recipe, epoch: int, right: int, n: int, *, clean: int | None = None, auto: int | None = None
) -> dict[str, Any]:
    shared = {"norm": used.norm, "epsilon": used.epsilon, "seed": 0}
    pgd20 = {**shared, "step_size": used.step_size_test, "steps": used.steps_test}
    return {
        "epoch": epoch,
        "clean": (n if clean is None else clean) / n,
        "pgd20": right / n,
        "autoattack": None if auto is None else auto / n,
        "n_test": n,
        "attacks": {
            "pgd20": pgd20,
            "autoattack": None if auto is None else {**shared, "n": n, "version": "pyautoattack 0.2.0"},
        },
    }
