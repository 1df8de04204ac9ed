"""What stands around the curves of Figs. 3 and 6: their headings, captions and facts, all from the records."""

from __future__ import annotations

from typing import Any

import numpy as np

from figures.plate import Settings
from figures.runs import Chosen, Method, in_255ths, machines, note, plain_label
from figures.seed_curves import mean_and_deviation

SPLITS = {"train": "train_robust", "test": "test_pgd20"}  # what a record's curve calls them
TRAIN_IS = (
    "Train: the share of its examples that the training forwards of an epoch got right, so in train mode and, as in "
    "the public codes, at theta' for EntropySGD and at w + v for AWP. Test: at the anchor theta, in eval mode."
)


def curve(method: Method, column: str) -> np.ndarray:
    """A column of the records' curves, (seeds, epochs), nan where an epoch was not evaluated."""
    return np.array([record["curve"][column] for record in method.records], dtype=float)


def measured(method: Method, column: str) -> np.ndarray:
    """The epochs, as places in the curve, that every seed has a value for."""
    return np.flatnonzero(np.isfinite(curve(method, column)).all(axis=0))


def epoch(method: Method, place: int) -> int:
    """The number of finished epochs at a place of the curve."""
    return int(curve(method, "epoch")[0, place])


def heading(found: Chosen) -> str:
    record = found.records[0]
    recipe, ran = record["recipe"], record["epochs_run"]
    epochs = f"{ran} of {recipe['epochs']} epochs" if record["shortened"] else f"{ran} epochs"
    spread = ", mean ± standard deviation" if found.several else ""
    return f"{record['data']}, {recipe['model']}, {epochs}, {found.count}{spread}{found.lacks}"


def best(found: Chosen) -> str:
    words = []
    for method in found.methods:
        at = measured(method, SPLITS["test"])
        if not len(at):
            continue
        mean, deviation = mean_and_deviation(100 * curve(method, SPLITS["test"])[:, at])
        best = int(mean.argmax())
        spread = "" if deviation is None else f" ± {deviation[best]:.1f}"
        words.append(f"{plain_label(method.label)} {mean[best]:.1f}{spread} after {epoch(method, at[best])}")
    return f"The best mean test accuracy and its epoch (so selected on test): {', '.join(words)}."


def runtimes(found: Chosen, scale: float) -> str:
    return ", ".join(
        f"{plain_label(method.label)} {curve(method, 'seconds_training')[:, -1].mean() / scale:.3g}"
        for method in found.methods
    )


def differs(found: Chosen) -> str:
    record = found.records[0]
    recipe, best = record["recipe"], record["selection"]["best_test"]
    attack = (
        f"{recipe['norm']}, epsilon {in_255ths(recipe['epsilon'])} in steps of {in_255ths(recipe['step_size_test'])}, "
        f"{recipe['steps_train']} in training and {recipe['steps_test']} in the test, one random start (seed "
        f"{best['attacks']['pgd20']['seed']}), {best['n_test']:,} test images"
    )
    return (
        "The paper shows CIFAR-10, trained on a V100, and names no net. Here: "
        f"{record['data']}, {recipe['model']}, {record['epochs_run']} of {recipe['epochs']} epochs; PGD: {attack}; "
        f"made on {machines(found.records)}. {note(found)}"
    ).strip()


def unit(found: Chosen) -> tuple[str, float]:
    longest = max(record["curve"]["seconds_training"][-1] for record in found.records)
    return (
        ("hours", 3600.0) if longest > 3 * 3600 else ("minutes", 60.0) if longest > 600 else ("seconds", 1.0)
    )


def facts(found: Chosen, settings: Settings) -> dict[str, Any]:
    curves = [_curve_facts(method) for method in found.methods]
    return facts_of_runs(found, settings, "records.jsonl", curves)


def facts_of_runs(
    found: Chosen, settings: Settings, source: str, curves: list[dict[str, Any]]
) -> dict[str, Any]:
    """What the sidecar of every figure drawn from runs says: where they came from, what is missing, and its curves."""
    record = found.records[0]
    return {
        "source": source,
        "runs": settings.runs,
        "data": record["data"],
        "epochs": [record["epochs_run"], record["recipe"]["epochs"]],
        "missing": found.missing,
        "left_out": found.left_out,
        "machines": machines(found.records),
        "curves": curves,
        "error": None,
        "error_note": "mean and standard deviation over seeds, n - 1 in the denominator, null for one seed",
    }


def _curve_facts(method: Method) -> dict[str, Any]:
    facts: dict[str, Any] = {"label": plain_label(method.label), **method.facts}
    for split, column in SPLITS.items():
        at = measured(method, column)
        mean, deviation = mean_and_deviation(curve(method, column)[:, at])
        facts[split] = {
            "epoch": curve(method, "epoch")[0, at],
            "runtime": curve(method, "seconds_training")[:, at].mean(axis=0),
            "mean": mean,
            "deviation": deviation,
        }
    return facts
