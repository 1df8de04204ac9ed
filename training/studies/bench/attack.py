"""Times AutoAttack on a trained net, stage by stage; resumable."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from training.cells.recipe import Recipe
from training.data import Dataset
from training.engine.device import Computing
from training.evaluation import STANDARD, autoattack_accuracy
from training.runs.checkpoint import BadCheckpoint, load
from training.runs.outcome import AUTOATTACK_SEED, restored
from training.studies.landscape.job import weights_hash


def autoattack_entry(
    used: Recipe, data: Dataset, computing: Computing, options: argparse.Namespace
) -> dict[str, Any]:
    """Seconds and accuracy of each stage on the first test images, --examples of them or 10,000.

    The state lies in --out/autoattack_bench, one of each net, and is continued; its seconds count no interruption.

    Raises: ValueError for a file that is no trained net of this recipe, or data that are not the recipe's.
    """
    weights = _weights(options.autoattack, used)
    if options.data_dir is None and used.dataset != "digits":
        raise ValueError(
            "--autoattack needs --data-dir: on random pixels no net is robust, and its time says nothing"
        )
    n = min(options.examples or 10_000, len(data.test_images))
    batch = computing.choice.autoattack_batch
    # A run that was repeated is another net: the state of the first one is not its own.
    net = weights_hash(weights["weights"])

    def progress(stage: str, done: int, of: int, left: float) -> None:
        print(f"AutoAttack {stage} {done}/{of}: {100 * left:.2f} %", file=sys.stderr, flush=True)

    result = autoattack_accuracy(
        restored(weights["weights"], used, data, computing),
        data.pixels(data.test_images[:n]),
        data.test_labels[:n],
        epsilon=used.epsilon,
        norm=used.norm,
        seed=AUTOATTACK_SEED,
        batch=batch,
        state_path=options.out / "autoattack_bench" / f"{used.name}-{computing.kind}-n{n}-{net}.json",
        progress=progress,
    )
    passed, stages = 0.0, []
    for name in STANDARD:
        passed += result.seconds[name]
        stages.append(
            {"name": name, "accuracy": result.stages[name], "seconds": result.seconds[name], "passed": passed}
        )
    return {
        "what": "autoattack",
        "images": n,
        "attack_batch": batch,
        "epoch": weights["epoch"],
        "clean": result.clean,
        "stages": stages,
        # The accuracy after the targeted APGD bounds the whole attack's from above.
        "bound": stages[1],
    }


def _weights(path: Path, used: Recipe) -> dict[str, Any]:
    """The test-selected checkpoint of a run's trained.pt."""
    try:
        content = load(path, "trained")
    except BadCheckpoint as error:
        raise ValueError(f"autoattack = {path}: {error}; give the trained.pt of a finished run") from error
    run = content["identity"]["recipe"]
    if run.partition("+")[0] != used.name.partition("+")[0]:
        raise ValueError(
            f"autoattack = {path} is a net of {run}: give one of {used.name}, or another --recipe"
        )
    return content["selected"]["best_test"]
