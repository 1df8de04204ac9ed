"""A figure before it is written: the drawing, its caption and the facts that its JSON file holds; and their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The compact table's six methods and Fig. 6's extra curve, without other readings.
RUNS = ("compact-at", "compact-awp", "compact-*ensgd", "compact-awp+awp0.005")


@dataclass(frozen=True)
class Caption:
    """What is seen, what a reader can measure on it, and what differs from the paper's figure."""

    seen: str
    measure: str
    differs: str


@dataclass(frozen=True, eq=False)
class Drawn:
    """A finished drawing. `title`: one line; `facts`: every parameter, seed, domain and error, ready for JSON."""

    figure: Figure
    title: str
    caption: Caption
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """How fine the figures are, and what they read: points an axis of a flat view (odd, so that theta_i = 0 is one) and
    of the maps of the PGD gap, points a decade of gamma, points of the data (100 in the paper), the file of the
    searched bounds, the folder with the records of the trainer, and the recipes whose runs are shown, as patterns."""

    grid: int = 201
    gap_grid: int = 121
    gammas: int = 4
    points: int = 100
    bounds: Path = Path("results/bounds.json")
    results: Path = Path("results")
    runs: tuple[str, ...] = RUNS


class Absent(Exception):
    """A figure that cannot be drawn because a file it shows is not there; the message says how to make it."""


@dataclass(frozen=True)
class Plate:
    """A figure by name: the module and the function that draw it, and what it shows, for a listing."""

    name: str
    module: str
    what: str

    def draw(self, settings: Settings) -> Drawn:
        """Loads the module and draws. Raises Absent where a file is missing."""
        function: Callable[[Settings], Drawn] = getattr(import_module(f"figures.{self.module}"), self.name)
        return function(settings)


PLATES = (
    Plate("figure1", "figure1", "how the attacks move when theta turns; attacks inside and on the boundary"),
    Plate("figure2", "overview", "the paper's Fig. 2 on one sheet: all eight surfaces"),
    Plate("figure2a", "figure2", "linear model, clean loss, one data point"),
    Plate("figure2b", "figure2", "linear model, L2 attack"),
    Plate("figure2c", "figure2", "linear model, L-infinity attack"),
    Plate("figure2d", "figure2", "swish model, clean loss"),
    Plate("figure2e", "figure2", "swish model, exact L2 attack"),
    Plate("figure2f", "figure2", "swish model, exact L-infinity attack"),
    Plate("figure2g", "entropy", "EntropySGD's -F of Fig. 2(b), L2"),
    Plate("figure2h", "entropy", "EntropySGD's -F of Fig. 2(c), L-infinity"),
    Plate("figure3", "training_curves", "robust accuracy of the methods against epochs and runtime"),
    Plate("figure4a", "figure4", "linear model, clean loss, 100 data points"),
    Plate("figure4b", "figure4", "linear model, L2 attack, 100 data points"),
    Plate("figure4c", "figure4", "linear model, L-infinity attack, 100 data points"),
    Plate("figure5a", "entropy", "EntropySGD's -F of Fig. 4(b), L2"),
    Plate("figure5b", "entropy", "EntropySGD's -F of Fig. 4(c), L-infinity"),
    Plate("figure6", "training_curves", "robust accuracy against epochs, AWP at the smaller radius too"),
    Plate("figure7", "landscape", "adversarial loss around the trained weights, filter-normalised"),
    Plate("pgd_gap", "pgd_gap", "how much of the worst case PGD misses in Fig. 2(e), (f)"),
    Plate(
        "gamma_smoothness",
        "gamma_smoothness",
        "curvature of -F over gamma against the constants of Theorem 3",
    ),
    Plate("gamma_optimum", "gamma_optimum", "how far the optimum of -F lies from that of L, over gamma"),
    Plate("bounds_tightness", "bounds", "largest ratio found for every Lipschitz bound, over the bound"),
    Plate(
        "probe", "probe", "attacks on trained nets: where they are, how fast they move, how smooth L_eps is"
    ),
)


def plates(names: tuple[str, ...] = ()) -> tuple[Plate, ...]:
    """The figures of these names in the order of PLATES; all of them for no name. Raises ValueError for another."""
    known = {plate.name: plate for plate in PLATES}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise ValueError(f"figure {name!r} is unknown{hint}; the known ones are {', '.join(known)}")
    return tuple(plate for plate in PLATES if not names or plate.name in names)
