"""Figs. 3 and 6: robust accuracy against epochs and runtime, from the curves in the records of the trainer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from figures import style
from figures.plate import Absent, Caption, Drawn, Settings
from figures.runs import FIGURE6, Chosen, Method, averaged, chosen, reading
from figures.seed_curves import label_ends, mean_and_band
from figures.training_words import (
    SPLITS,
    TRAIN_IS,
    best,
    curve,
    differs,
    epoch,
    facts,
    heading,
    measured,
    runtimes,
    unit,
)
from training.results.records import Record

COMMAND = "`python training/run.py`"
LINE = 0.15  # inches of a second line in the heading
DOTTED = "Dotted: the learning rate falls. The axes begin where the first tenth of the epochs ends."
# What must agree within a figure: of the recipe, and of the record.
RECIPE = ("model", "epochs", "norm", "epsilon", "validation", "steps_train", "steps_test", "step_size_test")
RECORD = ("data", "epochs_run", "device")


def figure3(settings: Settings) -> Drawn:
    """Fig. 3: training and test accuracy under PGD, (a) against epochs and (b) against the seconds of training."""
    found = _chosen(settings, lambda record: reading(record) != FIGURE6)
    figure = style.sheet(4.45 + LINE * bool(found.missing))
    style.heading(figure, "Fig. 3", heading(found))
    units, scale = unit(found)
    for row, split in enumerate(SPLITS):
        bottom = 0.4 + 1.98 * (1 - row)
        left = style.axes_at(figure, 0.5, bottom, 2.2, 1.6, label=f"{split} epochs")
        right = style.axes_at(figure, 4.25, bottom, 2.4, 1.6, label=f"{split} runtime", sharey=left)
        _against_epochs(left, found, split, f"(a) {_title(found, split)}")
        for method in found.methods:
            runtime = curve(method, "seconds_training").mean(axis=0) / scale
            at = measured(method, SPLITS[split])
            mean_and_band(right, runtime[at], 100 * curve(method, SPLITS[split])[:, at], method.look)
        right.set_xlim(0, None)
        right.set_xlabel(f"training time in {units}" if row else "")
        right.set_title(f"(b) {_title(found, split)}", loc="left")
        right.grid(True)
        left.set_xlabel("epochs" if row else "")
    caption = Caption(
        "Robust accuracy in percent against (a) epochs and (b) runtime, the seconds spent on training alone, averaged "
        f"over seeds epoch by epoch. {averaged(found)} {DOTTED} {TRAIN_IS}",
        f"{best(found)} Training took {runtimes(found, scale)} {units}.",
        f"{differs(found)} Runs that share a machine slow each other down.",
    )
    return Drawn(figure, "Fig. 3 Robust accuracy against epochs and runtime", caption, facts(found, settings))


def figure6(settings: Settings) -> Drawn:
    """Fig. 6: Fig. 3(a) with the curve of AWP with SGD at gamma_awp = 0.005."""
    found = _chosen(settings)
    if not any(reading(record) == FIGURE6 for record in found.records):
        found = Chosen(found.methods, (*found.missing, "AWP with gamma_awp 0.005"), found.left_out)
    figure = style.sheet(2.75 + LINE * bool(found.missing))
    style.heading(figure, "Fig. 6", heading(found))
    for left, split in ((0.5, "train"), (3.8, "test")):
        axes = style.axes_at(figure, left, 0.4, 1.87, 1.9, label=f"{split} epochs")
        _against_epochs(axes, found, split, f"{'(a)' if split == 'train' else '(b)'} {_title(found, split)}")
        axes.set_xlabel("epochs")
    caption = Caption(
        "Robust accuracy in percent against epochs, as in Fig. 3, with AWP and SGD also at gamma_awp = 0.005, the "
        f"radius of AWP+EnSGD. {averaged(found)} {DOTTED} {TRAIN_IS}",
        best(found),
        differs(found),
    )
    return Drawn(
        figure, "Fig. 6 Robust accuracy with AWP at the smaller radius", caption, facts(found, settings)
    )


def _chosen(settings: Settings, fits: Callable[[Record], bool] = lambda record: True) -> Chosen:
    found = chosen(settings.results / "records.jsonl", settings, _experiment, COMMAND, fits=fits)
    methods = tuple(
        Method(method.label, method.look, tuple(one for one in method.records if _has_curve(one)))
        for method in found.methods
    )
    bare = len(found.records) - sum(len(method.records) for method in methods)
    left_out = (*found.left_out, *([f"{bare} without a curve"] if bare else []))
    missing = tuple(
        method.label for method in methods if not method.records and method.label not in found.missing
    )
    kept = tuple(method for method in methods if method.records)
    if not kept:
        raise Absent(f"the records in {settings.results} hold no curve: run {COMMAND} anew")
    return Chosen(kept, (*found.missing, *missing), left_out)


def _has_curve(record: Record) -> bool:
    columns = {"epoch", "seconds_training", *SPLITS.values()}
    return columns <= record.get("curve", {}).keys()


def _experiment(record: Record) -> tuple[Any, ...]:
    return (
        *(record["recipe"][name] for name in RECIPE),
        *(record[name] for name in RECORD),
        record["selection"]["best_test"]["n_test"],
        record.get("evaluated_every"),
    )


def _against_epochs(axes: Axes, found: Chosen, split: str, title: str) -> None:
    column, ends = SPLITS[split], []
    for method in found.methods:
        at = measured(method, column)
        if not len(at):
            continue
        epochs = curve(method, "epoch")[0, at]
        values = 100 * curve(method, column)[:, at]
        mean_and_band(axes, epochs, values, method.look)
        ends.append((method, float(epochs[-1]), float(values[:, -1].mean())))
    drops = {tuple(record["recipe"]["drops"]) for record in found.records}
    last = max(record["epochs_run"] for record in found.records)
    for drop in drops.pop() if len(drops) == 1 else ():
        if drop < last:
            axes.axvline(drop, color=style.FAINT, linewidth=0.7, linestyle=":", zorder=0)
    axes.set_xlim(0, last)
    axes.set_ylim(_floor(found, column), None)
    axes.set_ylabel("robust accuracy in %")
    axes.set_title(title, loc="left")
    axes.grid(True)
    label_ends(axes, ends, found.count)


def _floor(found: Chosen, column: str) -> float | None:
    """Just below the lowest curve after a tenth of the epochs: the steep beginning would flatten the rest."""
    after = found.records[0]["epochs_run"] / 10
    means = [
        100 * curve(method, column)[:, place].mean()
        for method in found.methods
        for place in measured(method, column)
        if epoch(method, place) >= after
    ]
    return 5 * np.floor(min(means) / 5) - 2.5 if means else None


def _title(found: Chosen, split: str) -> str:
    recipe = found.records[0]["recipe"]
    return f"{split}, PGD-{recipe['steps_train' if split == 'train' else 'steps_test']}"
