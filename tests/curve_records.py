"""Records of made-up runs with curves and landscapes, for the tests of Figs. 3, 6 and 7: every number has a formula."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from run_records import run_record

from training.cells.recipes import recipe

SIX = [f"compact-{method}{tail}" for method in ("at", "awp") for tail in ("", "-ensgd", "-2ndensgd")]
EXTRA = "compact-awp+awp0.005"
ALPHAS = [-1.0, -0.4, 0.0, 0.4, 1.0]


def curve_record(name: str, seed: int, *, epochs: int | None = None, every: int = 1) -> dict[str, Any]:
    """A record whose curve is `robust` and `seconds` of these arguments; evaluated after every `every`-th epoch."""
    record = run_record(name, seed, 100, n=200, data="digits", device="cpu", epochs=epochs)
    numbers = range(1, record["epochs_run"] + 1)
    tested = [epoch % every == 0 or epoch == record["epochs_run"] for epoch in numbers]
    test = [robust(name, seed, n) - 0.05 if asked else None for n, asked in zip(numbers, tested, strict=True)]
    record["curve"] = {
        "epoch": list(numbers),
        "train_robust": [robust(name, seed, number) for number in numbers],
        "test_pgd20": test,
        "seconds_training": [seconds(name, seed, number) for number in numbers],
    }
    record["evaluated_every"] = every
    return record


def robust(name: str, seed: int, epoch: int) -> float:
    return 0.9 - 0.5 / epoch - 0.01 * len(name) + 0.004 * seed * epoch / 30


def seconds(name: str, seed: int, epoch: int) -> float:
    return epoch * (1 + 0.03 * len(name) + 0.1 * seed)


def landscape_record(name: str, seed: int, **changes: Any) -> dict[str, Any]:
    """A record of a landscape with the losses `loss(name, seed, split, alpha)`; `changes` go into its settings."""
    run = curve_record(name, seed)
    used = recipe(name)
    kept = (*("recipe", "digest", "seed", "device", "data", "epochs_run", "shortened", "commit", "versions"),)
    settings = {
        "alphas": ALPHAS,
        "n_train": 200,
        "n_test": 150,
        "batch_norm": "running",
        "batch": 500,
        "direction": {"kind": "filter-normalised", "seed": 0},
        "attack": {"norm": "linf", "epsilon": used.epsilon, "step_size": 0.0375, "steps": 10, "seed": 0},
        **changes,
    }
    return {
        **{key: run[key] for key in (*kept, "hardware", "threads")},
        "checkpoint": {"name": "best_test", "epoch": 20 + seed, "weights": "0123456789abcdef"},
        "settings": settings,
        "loss": {
            split: [loss(name, seed, split, alpha) for alpha in settings["alphas"]]
            for split in ("train", "test")
        },
        "seconds": 2.5,
    }


def loss(name: str, seed: int, split: str, alpha: float) -> float:
    return 0.5 + 0.1 * (split == "test") + 0.02 * len(name) * alpha**2 + 0.1 * seed * (1 + alpha)


def write(
    folder: Path, records: list[dict[str, Any]], landscapes: list[dict[str, Any]] | None = None
) -> Path:
    """The files of a results folder, as plain JSON lines; tuples become lists on the way."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("records.jsonl", records), ("landscapes.jsonl", landscapes)):
        if lines is not None:
            (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def whole(folder: Path) -> Path:
    """Every method of Figs. 3, 6 and 7 with three seeds."""
    names = [*SIX, EXTRA]
    return write(
        folder,
        [curve_record(name, seed) for name in names for seed in range(3)],
        [landscape_record(name, seed) for name in names for seed in range(3)],
    )


def recipe_fields(name: str, **changes: Any) -> dict[str, Any]:
    """The fields of a recipe that was another one when its record was made."""
    return {**asdict(recipe(name)), **changes}
