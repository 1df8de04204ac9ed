"""How far EntropySGD moves the optimum, over gamma: App. C says that it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from figures import style
from figures.entropy import BETA, GAMMA
from figures.files import rounded
from figures.gamma import DATA_RANGE, HEIGHT, data_losses, gammas, log_axis, problem_facts
from figures.losses import SEED
from figures.plate import Caption, Drawn, Settings
from numerics.optima import Optimum, entropy_path, optimum

# Where the labels of two gammas stand beside the paths, in points, and their alignment.
LABELS: dict[str, dict[float, tuple[tuple[float, float], tuple[Any, Any]]]] = {
    "l2": {1.0: ((2, -5), ("left", "top")), 10.0: ((2, 5), ("center", "bottom"))},
    "linf": {1.0: ((-5, 3), ("right", "bottom")), 10.0: ((6, 0), ("left", "center"))},
}


def gamma_optimum(settings: Settings) -> Drawn:
    """The minimiser of -F for the data of Fig. 5 over gamma: its distance to that of L, its path, and what it costs."""
    strengths = gammas(*DATA_RANGE, settings.gammas)
    losses = data_losses(settings)
    best = {name: optimum(problem) for name, problem in losses.items()}
    paths = {name: entropy_path(problem, strengths, beta=BETA) for name, problem in losses.items()}
    distance = {name: [_distance(each, best[name]) for each in path] for name, path in paths.items()}
    lost = {
        name: [float(losses[name].loss(each.theta)) - best[name].value for each in path]
        for name, path in paths.items()
    }
    figure = style.sheet(HEIGHT)
    style.heading(
        figure,
        r"Optimum of $-F$ over $\gamma$",
        rf"linear model, $N={settings.points}$, seed {SEED}, $\varepsilon=0.6$, $\beta=1$",
    )
    axes = [style.axes_at(figure, left, 0.4, 1.68, 2.2) for left in (0.52, 2.78, 4.98)]
    _curve(axes[0], strengths, distance, r"$\|\theta^*_F-\theta^*_L\|_2$")
    _curve(axes[1], strengths, lost, r"$L_\varepsilon(\theta^*_F)-L_\varepsilon(\theta^*_L)$")
    axes[0].legend(loc="upper right")
    _paths(axes[2], strengths, paths, best)
    slopes = {name: _slope(strengths, distance[name]) for name in paths}
    caption = Caption(
        "The minimum of -F is not that of L: their distance (left), the adversarial loss it costs "
        "(middle) and the path of the minimum from large to small gamma (right; the star is the minimum "
        "of L).",
        f"At gamma = {GAMMA:g} the distance is {_at(strengths, distance['l2']):.3f} for L2 and "
        f"{_at(strengths, distance['linf']):.3f} for L-infinity. In the last decade it falls like "
        f"gamma^{slopes['l2']:.2f} for L2 and gamma^{slopes['linf']:.2f} for L-infinity, where the minimum "
        "of L lies on a kink.",
        'App. C: "the optimal points of -F are the same as the original loss functions". Here they '
        "agree only in the limit of large gamma (claim `appc.optimal-points`); where the smoothness is "
        '"almost the same", the optimum is far off.',
    )
    facts = {
        **problem_facts(settings),
        "gamma": strengths,
        "optimum_of_L": {name: {"theta": each.theta, "value": each.value} for name, each in best.items()},
        "optimum_of_minus_F": {name: [each.theta for each in path] for name, path in paths.items()},
        "distance": distance,
        "loss_above_optimum": lost,
        "error": rounded(max(each.error for path in paths.values() for each in path)),
    }
    return Drawn(figure, "Optimum of -F over gamma", caption, facts)


def _curve(axes: Axes, strengths: np.ndarray, values: dict[str, list[float]], label: str) -> None:
    for name, row in values.items():
        axes.plot(strengths, row, label=style.NORM_LABELS[name], **style.LOSSES[name])
    log_axis(axes, "both")
    axes.set_ylabel(label, labelpad=1)


def _paths(
    axes: Axes, strengths: np.ndarray, paths: dict[str, list[Optimum]], best: dict[str, Optimum]
) -> None:
    for name, path in paths.items():
        places = np.array([each.theta for each in path])
        axes.plot(*places.T, zorder=2, **style.LOSSES[name])
        axes.plot(
            *best[name].theta, "*", color="white", mec=style.LOSSES[name]["color"], markersize=9, zorder=4
        )
        for strength, (shift, sides) in LABELS[name].items():
            place = places[int(np.argmin(np.abs(np.log(strengths / strength))))]
            axes.annotate(
                rf"$\gamma={strength:g}$",
                color=style.LOSSES[name]["color"],
                xy=place,
                xytext=shift,
                textcoords="offset points",
                fontsize=8,
                ha=sides[0],
                va=sides[1],
            )
    axes.set_xlabel(r"$\theta_1$")
    axes.set_ylabel(r"$\theta_2$", labelpad=1)
    axes.margins(0.08, 0.12)
    axes.grid(True)


def _distance(one: Optimum, other: Optimum) -> float:
    return float(np.linalg.norm(one.theta - other.theta))


def _at(strengths: np.ndarray, values: list[float]) -> float:
    return values[int(np.argmin(np.abs(np.log(strengths / GAMMA))))]


def _slope(strengths: np.ndarray, values: list[float]) -> float:
    """The exponent of the power law through the last value and the one a decade before."""
    first = int(np.argmin(np.abs(np.log(strengths * 10 / strengths[-1]))))
    return float(np.log(values[-1] / values[first]) / np.log(strengths[-1] / strengths[first]))
