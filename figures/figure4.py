"""Fig. 4: the losses of a data set, clean and under the worst L2 and L-infinity attacks."""

from __future__ import annotations

from figures.losses import DATA, data_surface, drawn, jumps, origin_jump
from figures.plate import Caption, Drawn, Settings
from numerics.optima import optimum


def figure4a(settings: Settings) -> Drawn:
    """Fig. 4(a): the clean loss of the data set."""
    surface, problem = data_surface("clean", settings)
    caption = Caption(
        f"The clean loss of {settings.points} points that x_1 separates: smooth, falling without end as theta_1 grows.",
        "Both margins are empty: no gradient jumps. The least value on the square is "
        f"{surface.value.min():.4f}, at its edge.",
        "The paper prints no seed; this is ours. No minimum exists for separable data, so none is marked.",
    )
    return drawn("(a)", surface, problem, DATA, caption, "Fig. 4")


def figure4b(settings: Settings) -> Drawn:
    """Fig. 4(b): the L2 loss of the data set."""
    surface, problem = data_surface("l2", settings)
    best = optimum(problem)
    caption = Caption(
        "The L2 loss of the data: a cone at theta = 0, smooth elsewhere, with a minimum (star) since "
        "epsilon = 0.6 reaches over the boundary for many points.",
        f"The gradient jumps by {origin_jump(problem):.3g} = epsilon at theta = 0. The minimum is "
        f"{best.value:.6f} at theta* = ({best.theta[0]:.4f}, {best.theta[1]:.4f}).",
        "App. C says that theta_2* is 0; for L2 the sample moves it off (claim `appc.theta2-zero`). It "
        'also calls the loss "not continuous" at theta = 0, which only its gradient is.',
    )
    return drawn("(b)", surface, problem, DATA, caption, "Fig. 4")


def figure4c(settings: Settings) -> Drawn:
    """Fig. 4(c): the L-infinity loss of the data set."""
    surface, problem = data_surface("linf", settings)
    best = optimum(problem)
    largest = max(jumps(problem, i, surface.axes).max() for i in (0, 1))
    caption = Caption(
        "The L-infinity loss of the data: kinks on both axes, and the minimum (star) sits on one of them.",
        "The margins give the jumps, 2 epsilon times the mean sigmoid: up to "
        f"{largest:.4g}. The minimum is {best.value:.6f} at theta* = "
        f"({best.theta[0]:.4f}, 0), exactly on the kink.",
        "Here App. C's theta_2* = 0 is right: the kink absorbs the sample's noise (claim "
        "`appc.linf-theta2`).",
    )
    return drawn("(c)", surface, problem, DATA, caption, "Fig. 4")
