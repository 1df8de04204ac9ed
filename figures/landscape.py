"""Fig. 7: the adversarial loss of the trained nets along a filter-normalised direction, from records of the trainer."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from figures import style
from figures.plate import Caption, Drawn, Settings
from figures.runs import (
    FIGURE6,
    Chosen,
    Method,
    averaged,
    chosen,
    in_255ths,
    machines,
    note,
    plain_label,
    reading,
)
from figures.seed_curves import label_ends, mean_and_band, mean_and_deviation
from figures.training_words import facts_of_runs
from training.results.records import Record, validate_landscape

COMMAND = "`python -m training.studies.landscape`"
NEAR = 0.4  # of alpha, in the lower panels
LINE = 0.15  # inches of a second line in the heading
CHECKPOINTS = {"best_test": "best on test", "last": "last epoch", "validation": "best on validation"}


def figure7(settings: Settings) -> Drawn:
    """Fig. 7: the loss over alpha on training and on test images, at the weights of the best test accuracy; below the
    same near alpha = 0."""
    path = settings.results / "landscapes.jsonl"
    found = chosen(
        path, settings, _experiment, COMMAND, validate_landscape, lambda one: reading(one) != FIGURE6
    )
    record = found.records[0]
    figure = style.sheet(4.4 + LINE * bool(found.missing))
    style.heading(figure, "Fig. 7", _heading(found))
    for row, reach in enumerate((1.0, NEAR)):
        first = None
        for left, split in ((0.45, "train"), (3.75, "test")):
            place = (left, 0.4 + 2.0 * (1 - row), 1.88, 1.55)
            axes = style.axes_at(figure, *place, label=f"{split}{' near 0' * row}", sharey=first)
            _panel(axes, found, split, reach)
            if row == 0:
                letter = "(a)" if split == "train" else "(b)"
                axes.set_title(f"{letter} {split}, {record['settings'][f'n_{split}']:,} images", loc="left")
            else:
                axes.set_xlabel(r"$\alpha$")
            if first is None:
                axes.set_ylabel(r"$L_\varepsilon(w+\alpha\,\frac{d}{\|d\|}\|w\|)$")
            first = first or axes
    for axes in figure.axes:
        split, _, near = str(axes.get_label()).partition(" ")
        ends = _ends(found, split, NEAR if near else 1.0)
        label_ends(axes, ends, found.count)
    caption = Caption(
        "Top: the adversarial loss at w + alpha d/||d|| ||w||, d one random direction, scaled filter by filter, the "
        f"attack found anew at every alpha; bottom: the same near 0. {averaged(found)} {_nets(record)}",
        f"{_values(found, 'train')} {_values(found, 'test')}",
        _differs(found),
    )
    return Drawn(
        figure, "Fig. 7 The adversarial loss around the trained weights", caption, _facts(found, settings)
    )


def _panel(axes: Axes, found: Chosen, split: str, reach: float) -> None:
    for method in found.methods:
        alphas, values = _within(method, split, reach)
        mean_and_band(axes, alphas, values, method.look)
    axes.set_xlim(alphas[0], alphas[-1])
    axes.axvline(0, color=style.FAINT, linewidth=0.7, linestyle=":", zorder=0)
    axes.grid(True)


def _ends(found: Chosen, split: str, reach: float) -> list[tuple[Method, float, float]]:
    """Every method with the point at which its curve ends."""
    within = [(method, *_within(method, split, reach)) for method in found.methods]
    return [(method, float(alphas[-1]), float(values[:, -1].mean())) for method, alphas, values in within]


def _within(method: Method, split: str, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The alphas up to a reach, all where fewer than three would be left, and the losses there (seeds, alphas)."""
    alphas = np.array(method.records[0]["settings"]["alphas"])
    inside = np.abs(alphas) <= reach + 1e-9
    inside = inside if inside.sum() >= 3 else np.ones(len(alphas), dtype=bool)
    return alphas[inside], losses(method, split)[:, inside]


def losses(method: Method, split: str) -> np.ndarray:
    """The losses of the records, (seeds, alphas)."""
    return np.array([record["loss"][split] for record in method.records])


def _experiment(record: Record) -> str:
    recipe = record["recipe"]
    parts = [recipe[name] for name in ("model", "epochs", "validation")]
    parts += [record[name] for name in ("data", "epochs_run", "device")]
    return repr([*parts, record["checkpoint"]["name"], sorted(record["settings"].items(), key=str)])


def _heading(found: Chosen) -> str:
    record = found.records[0]
    attack = record["settings"]["attack"]
    words = f"{record['data']}, {record['recipe']['model']}, PGD-{attack['steps']} anew at every "
    words += rf"$\alpha$, {CHECKPOINTS[record['checkpoint']['name']]}, {found.count}"
    if record["shortened"]:
        words += f", {record['epochs_run']} of {record['recipe']['epochs']} epochs"
    return words + found.lacks


def _nets(record: Record) -> str:
    name = record["checkpoint"]["name"]
    theirs = ", as the paper's are" if name == "best_test" else "; the paper's are those best on test"
    return f"The nets are those of the checkpoint {CHECKPOINTS[name]}{theirs}."


def _values(found: Chosen, split: str) -> str:
    alphas = found.records[0]["settings"]["alphas"]
    zero = alphas.index(0)
    words = []
    for method in found.methods:
        mean, _ = mean_and_deviation(losses(method, split))
        ends = (mean[0] + mean[-1]) / 2
        words.append(f"{plain_label(method.label)} {mean[zero]:.3f} and {ends:.2f}")
    return f"Loss on {split} images at alpha = 0, and on average at the two ends: {', '.join(words)}."


def _differs(found: Chosen) -> str:
    record = found.records[0]
    settings, attack = record["settings"], record["settings"]["attack"]
    norms = {
        "running": "with its running statistics, as in every evaluation",
        "batch": f"with the statistics of {settings['batch']} images at once",
    }
    ran = f"{record['epochs_run']} of {record['recipe']['epochs']} epochs"
    return (
        "The paper gives neither n nor seeds, nor says what batch norm does. Here: "
        f"{record['data']}, {record['recipe']['model']}, {ran}; the first {settings['n_train']:,} training images, "
        f"plain, and {settings['n_test']:,} test images; PGD {attack['norm']}, epsilon {in_255ths(attack['epsilon'])}, "
        f"{attack['steps']} steps of {in_255ths(attack['step_size'])}, one random start (seed {attack['seed']}), the "
        f"same at every alpha; batch norm {norms[settings['batch_norm']]}; direction of seed "
        f"{settings['direction']['seed']}, the same d for every net, 0 for biases and batch norm; for EntropySGD L_eps "
        f"at the anchor theta, not -F, as in the paper; made on {machines(found.records)}. {note(found)}"
    ).strip()


def _facts(found: Chosen, settings: Settings) -> dict[str, Any]:
    record = found.records[0]
    curves = [_curve_facts(method) for method in found.methods]
    own = {"checkpoint": record["checkpoint"]["name"], "settings": record["settings"]}
    return {**facts_of_runs(found, settings, "landscapes.jsonl", curves), **own}


def _curve_facts(method: Method) -> dict[str, Any]:
    facts: dict[str, Any] = {"label": plain_label(method.label), **method.facts}
    facts["checkpoint_epochs"] = [record["checkpoint"]["epoch"] for record in method.records]
    for split in ("train", "test"):
        mean, deviation = mean_and_deviation(losses(method, split))
        facts[split] = {"mean": mean, "deviation": deviation}
    return facts
