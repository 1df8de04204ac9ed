"""The probe of trained nets, from results/probe.json: where attacks are along training, their speed beside the bounds
of Lemmas 4 and 5, how fast grad L_eps turns along training, and against the curvature in x."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter

from figures import style
from figures.plate import Absent, Caption, Drawn, Settings
from support.own_files import read_json

COMMAND = "`python -m training.studies.probe`"
SHAPE = {
    "settings": {"n": [int], "seeds": [int]},
    "positions": [{"kind": str, "norm": str, "along": dict}],
    "smoothness": [dict],
    "flattening": [dict],
    "points": {"speeds": dict, "nets": [dict]},
    "answers": [[str]],
}
POSITIONS = {
    "corner": ("#0072b2", "corner"),
    "faces": ("#56b4e9", "faces of the box"),
    "sphere": ("#009e73", "L2 sphere"),
    "interior": ("#f0e442", "inside"),
    "kink": ("#d55e00", "ended on a kink"),
    "unresolved": ("#b8b8b8", "unresolved"),
}
KINDS = {"small-silu": "smooth", "small": "ReLU"}
RECIPES = {
    "silu-at": ("#1a1a1a", "AT"),
    "silu-at-ensgd": ("#0072b2", "AT+EnSGD"),
    "silu-awp": ("#d55e00", "AWP"),
    "penalty": ("#009e73", "input-gradient penalty"),
}
NORMS = {"linf": "o", "l2": "^"}
BOUNDS = {"tangent": ("#0072b2", "tangent space"), "paper": ("#d55e00", "the paper's C/c")}


def probe(settings: Settings) -> Drawn:
    """Positions, bounds, the turning of grad L_eps along training and against the curvature in x.

    Raises: Absent where the file is not there; ValueError where it is not what the probe writes.
    """
    found = read(settings.results / "probe.json")
    figure = style.sheet(5.7)
    style.heading(figure, "The probe", "attacks on trained nets, and how smooth the adversarial loss is")
    _positions(style.axes_at(figure, 0.7, 3.3, 2.45, 1.5), found["positions"])
    _speeds(style.axes_at(figure, 4.1, 3.3, 2.45, 1.5), found["points"]["speeds"])
    nets = found["points"]["nets"]
    _along(style.axes_at(figure, 0.7, 0.5, 2.45, 1.75), nets)
    _flattened(style.axes_at(figure, 4.1, 0.5, 2.45, 1.75), nets)
    about = found["settings"]
    images = ", ".join(map(str, about["n"]))
    caption = Caption(
        f"Nets on 8x8 digits, seeds {', '.join(map(str, about['seeds']))}, {images} training and as many test images "
        "each. (a) Where attacks are, from the first epoch, left, to the last; (b) how fast they move with the weights "
        "and the bounds on it; (c) sigma, the curvature of L_eps that is largest in size, one line a seed; (d) sigma "
        "against the largest curvature in x at the attack (median).",
        " ".join(answer for _, answer in found["answers"]),
        "The paper has no such figure: it measures none of the constants.",
    )
    facts = {
        "source": "probe.json",
        "settings": about,
        "positions": found["positions"],
        "smoothness": found["smoothness"],
        "flattening": found["flattening"],
        "error": None,
        "error_note": "every attack has a slope below 1e-8 along its face, or is not drawn in (b) to (d)",
    }
    return Drawn(figure, "The probe of trained nets", caption, facts)


def read(path: Path) -> dict[str, Any]:
    """What probe.json holds. Raises Absent where there is none, ValueError where it is another kind of file."""
    if not path.is_file():
        raise Absent(f"there is no {path}: run {COMMAND} first")
    return read_json(path, SHAPE, remedy=f"write it with {COMMAND}")


def _positions(axes: Axes, groups: list[Mapping[str, Any]]) -> None:
    """A stacked bar an epoch, in groups by activation and norm."""
    place, ticks, named = 0.0, [], set()
    for group in groups:
        first = place
        for shares in group["along"].values():
            bottom = 0.0
            for word, (colour, label) in POSITIONS.items():
                share = 100 * shares[word]
                new = share > 0 and word not in named
                axes.bar(place, share, 0.85, bottom, color=colour, label=label if new else None)
                named |= {word} if new else set()
                bottom += share
            place += 1
        ticks.append(((first + place - 1) / 2, f"{KINDS[group['kind']]}\n{style.NORM_LABELS[group['norm']]}"))
        place += 0.8
    axes.set_xticks([where for where, _ in ticks], [text for _, text in ticks])
    axes.set_ylabel("attacks, %")
    axes.set_ylim(0, 100)
    axes.set_title("(a) where attacks are", loc="left", pad=27)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.05, 0.97), ncol=3, handlelength=1)


def _speeds(axes: Axes, speeds: Mapping[str, list[Mapping[str, float | None]]]) -> None:
    largest = 1.0
    for norm, points in speeds.items():
        for bound, (colour, label) in BOUNDS.items():
            pairs = [(one["speed"], one[bound]) for one in points if one[bound]]
            if pairs:
                words = f"{label}, {style.NORM_LABELS[norm]}"
                measured, allowed = zip(*pairs, strict=True)
                look: dict[str, Any] = {"color": colour, "markersize": 2.5, "alpha": 0.6, "mew": 0}
                axes.plot(measured, allowed, NORMS[norm], label=words, **look)
                largest = max(largest, *allowed)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.plot(axes.get_xlim(), axes.get_xlim(), color=style.INK, linewidth=0.7)
    axes.set_ylim(top=1000 * largest)
    axes.set_xlabel(r"measured speed $\sigma_1(D_\theta x')$")
    axes.set_ylabel("bound")
    axes.set_title("(b) attacks' speed", loc="left")
    axes.legend(loc="upper left", handlelength=1)


def _along(axes: Axes, nets: list[Mapping[str, Any]]) -> None:
    """sigma over epochs, a line a seed and norm."""
    named = set()
    for recipe, (colour, label) in RECIPES.items():
        for norm, marker in NORMS.items():
            mine = [
                one for one in nets if (one["recipe"], one["norm"]) == (recipe, norm) and recipe != "penalty"
            ]
            for seed in sorted({one["seed"] for one in mine}):
                points = sorted(
                    (one["epoch"], abs(one["sigma"]))
                    for one in mine
                    if one["seed"] == seed and one["checkpoint"] == "epoch"
                )
                if not points:
                    continue
                axes.plot(
                    *zip(*points, strict=True),
                    marker=marker,
                    color=colour,
                    markersize=3,
                    linewidth=0.7,
                    linestyle="-" if norm == "linf" else "--",
                    label=None if label in named else label,
                )
                named.add(label)
    _logarithmic(axes)
    axes.set_xlabel("epoch")
    axes.set_ylabel(r"$\sigma$ of $\nabla^2_\theta L_\varepsilon$")
    axes.set_title(r"(c) along training, $L_\infty$ solid, $L_2$ dashed", loc="left")
    axes.legend(loc="best", handlelength=1.6)


def _flattened(axes: Axes, nets: list[Mapping[str, Any]]) -> None:
    named = set()
    for one in nets:
        if one["top"] is None or one["recipe"] not in RECIPES:
            continue
        colour, label = RECIPES[one["recipe"]]
        axes.plot(
            one["top"],
            abs(one["sigma"]),
            NORMS[one["norm"]],
            color=colour,
            markersize=3.2,
            mew=0,
            label=None if label in named else label,
        )
        named.add(label)
    _logarithmic(axes)
    axes.set_xlabel(r"curvature in x, $\lambda_{\max}(\nabla^2_x\ell)$")
    axes.set_ylabel(r"$\sigma$ of $\nabla^2_\theta L_\varepsilon$")
    axes.set_title("(d) does flattening roughen?", loc="left")
    axes.legend(loc="best", handlelength=1)


def _logarithmic(axes: Axes) -> None:
    """Both axes, with plain numbers also where less than a decade is shown."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(LogFormatter())
        axis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.6)))
