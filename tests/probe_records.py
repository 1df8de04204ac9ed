"""Records of the probe with numbers that are chosen, for the tests of its findings, its page and its figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.studies.probe.findings import findings
from training.studies.probe.page import answers

N = 4


def split(**changes: Any) -> dict[str, Any]:
    """Four images: three attacks on the sphere, one on a kink; of two B was measured."""
    positions = {"interior": 0, "sphere": 3, "faces": 0, "corner": 0, "kink": 1, "unresolved": 0}
    found = {
        "positions": positions,
        "strict": 3,
        "several": 1,
        "at_ball": 0.0,
        "at_pixels": 0.25,
        "runner_up": [0.02],
        "gap": [0.1, 0.2, 0.3],
        "top": [1.0, 2.0, 4.0],
        "c": [0.5, 1.0, 2.0],
        "c_paper": [0.1, 0.2, 0.4],
        "cross": [3.0, 6.0],
        "cross_tangent": [1.0, 4.0],
        "speed": [1.0, 2.0],
    }
    return found | changes


def record(
    recipe: str = "silu-at",
    seed: int = 0,
    *,
    norm: str = "l2",
    epoch: int = 30,
    checkpoint: str = "epoch",
    penalty: float | None = None,
    sigma: float = 2.0,
    **changes: Any,
) -> dict[str, Any]:
    """One record; `changes` are of its training images."""
    return {
        "net": {
            "recipe": recipe,
            "digest": "d",
            "seed": seed,
            "model": "small" if recipe.startswith("compact") else "small-silu",
            "penalty": penalty,
            "checkpoint": checkpoint,
            "epoch": epoch,
            "weights": f"{recipe}{seed}{epoch}{checkpoint}{penalty}",
        },
        "settings": {"norm": norm, "epsilon": 0.6, "n": N, "second": 2, "restarts": 3, "seed": 0},
        "splits": {"train": split(**changes), "test": split()},
        "smoothness": {
            "n": 3,
            "sigma": sigma,
            "fixed": sigma / 2,
            "motion": sigma / 4,
            "along_fixed": 3 * sigma / 4,
            "along_motion": sigma / 4,
            "difference": sigma,
        },
        "jumps": None,
        "commit": "c",
        "versions": {},
        "hardware": {"cpu": "a processor"},
        "threads": 1,
        "seconds": 3.0,
    }


def write_findings(folder: Path) -> Path:
    """probe.json of two methods of the smooth net and one of the ReLU net, two seeds, norms, epochs and penalties."""
    records = [
        record(recipe, seed, norm=norm, epoch=epoch, sigma=2.0 + seed + epoch / 10)
        for recipe in ("silu-at", "silu-at-ensgd", "compact-at")
        for seed in (0, 1)
        for norm in ("linf", "l2")
        for epoch in (1, 30)
    ]
    records += [record("penalty", 0, penalty=weight, sigma=7.0, top=[weight + 1]) for weight in (0.0, 3.0)]
    found = findings(records)
    found["answers"] = answers(found)
    path = folder / "probe.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    return path
