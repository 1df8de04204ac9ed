"""Fig. 2 on one sheet, as the paper prints it: the eight surfaces side by side, rows on common scales."""

from __future__ import annotations

from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from figures import entropy, losses, style
from figures.files import rounded
from figures.plate import Caption, Drawn, Settings
from figures.solid import Kinks, dress, solid
from numerics.local_entropy import local_entropy_surface
from numerics.problem import single_point
from numerics.surfaces import Surface, loss_surface, square_axes

HEIGHT = 6.15
MESH = 17  # points an axis, odd, so that the kinks on the axes are edges of facets
HEADS = {"clean": "clean", "l2": "$L_2$", "linf": r"$L_\infty$"}


def figure2(settings: Settings) -> Drawn:
    """Fig. 2(a)-(h) as 3-D surfaces; (d)-(f) with the exact worst case."""
    figure, axes = style.sheet(HEIGHT), square_axes(MESH)
    style.heading(
        figure,
        "Fig. 2",
        r"$\mathbf{x}=(-1,1)$, $y=1$, $\varepsilon=0.6$, exact attacks; (g), (h): $\gamma=\beta=1$",
    )
    errors = {}
    for row, (model, group) in enumerate((("linear", losses.LINEAR), ("swish", losses.SWISH))):
        for column, name in enumerate(HEADS):
            problem = single_point(name, losses.POINT, losses.LABEL, losses.EPSILON, model)
            letter = "abcdef"[3 * row + column]
            surface = loss_surface(problem, axes)
            kinks, _ = losses.jump_margins(problem, axes)
            title = f"({letter}) {model}, {HEADS[name]}: ${losses.symbol(problem)}$"
            _one(figure, row, column, surface, title, group, kinks)
            errors[letter] = rounded(surface.error)
    for column, name in ((1, "l2"), (2, "linf")):
        problem = single_point(name, losses.POINT, losses.LABEL, losses.EPSILON)
        surface = local_entropy_surface(problem, axes, gamma=entropy.GAMMA, beta=entropy.BETA)
        letter = " gh"[column]
        _one(
            figure, 2, column, surface, f"({letter}) EntropySGD, {HEADS[name]}: $-F$", entropy.SINGLE, Kinks()
        )
        errors[letter] = rounded(surface.error)
    across, up = figure.get_size_inches()
    note = (
        "Viewed from $\\theta=(-2,2)$.\nEach row has one scale.\n"
        "Black lines and dots: kinks,\nwhere the gradient jumps."
    )
    figure.text(0.35 / across, 1.1 / up, note, va="center", linespacing=1.35)
    caption = Caption(
        "The paper's Fig. 2 on one sheet: linear model (a)-(c), swish model (d)-(f), EntropySGD's -F over "
        "(b) and (c) in (g), (h). Black lines and dots are kinks.",
        "Heights within a row; figures 2a to 2h below show every panel large, from above, with numbers.",
        "(d)-(f) are exact worst cases, not PGD's; (g), (h) use gamma = beta = 1, the paper prints no gamma.",
    )
    facts = {
        "x": losses.POINT,
        "y": losses.LABEL,
        "epsilon": losses.EPSILON,
        "gamma": entropy.GAMMA,
        "beta": entropy.BETA,
        "domain_of_integration": "R^2, see figure2g and figure2h",
        "square": {"theta_1": [-2, 2], "theta_2": [-2, 2], "points": [MESH, MESH]},
        "error": errors,
    }
    return Drawn(figure, "Fig. 2 All surfaces", caption, facts)


def _one(
    figure: Figure, row: int, column: int, surface: Surface, title: str, group: losses.Group, kinks: Kinks
) -> None:
    left, bottom = 0.02 + 2.22 * column, HEIGHT - 0.2 - 1.97 * (row + 1)
    axes = style.axes_at(figure, left, bottom, 2.2, 1.9, projection="3d", computed_zorder=False)
    norm = Normalize(*group.limits)
    solid(axes, surface, norm, kinks, thin=True)
    dress(axes, norm, "", group.view)
    axes.set_xticks([-2, 0, 2])
    axes.set_yticks([-2, 0, 2])
    axes.set_title(title, y=1.0, pad=-2)
