"""Fig. 2(a)-(f): the losses of one data point, linear and swish model, clean and under exact worst-case attacks."""

from __future__ import annotations

from figures.losses import LINEAR, SWISH, drawn, jumps, origin_jump, point_surface
from figures.plate import Caption, Drawn, Settings
from numerics.problem import SWISH_MINIMISER


def figure2a(settings: Settings) -> Drawn:
    """Fig. 2(a): the clean logistic loss of one data point."""
    surface, problem = point_surface("clean", "linear", settings)
    caption = Caption(
        "The clean loss log(1 + exp(-y theta.x)) of one point: smooth, and constant on lines theta_2 = "
        f"theta_1 + const. On the square it lies between {surface.value.min():.4f} and "
        f"{surface.value.max():.4f}.",
        "Both margins are empty: no gradient jumps anywhere; by claim `appc.fig4-caption` it is "
        "(||x||^2/4 = 0.5)-Lipschitz.",
        "Nothing: the surface is given by its formula.",
    )
    return drawn("(a)", surface, problem, LINEAR, caption)


def figure2b(settings: Settings) -> Drawn:
    """Fig. 2(b): the L2 loss of one data point, a cone at the origin."""
    surface, problem = point_surface("l2", "linear", settings)
    caption = Caption(
        "The L2 loss has one kink, a cone at theta = 0 (white dot); elsewhere it is smooth.",
        f"The gradient jumps by {origin_jump(problem):.3g} = epsilon at theta = 0, whatever the direction "
        "of passage (margins).",
        'The text of Sec. 5.1 calls the loss "not continuous" at theta = 0; the loss is continuous, its '
        "gradient is not (claim `sec51.l2-not-continuous`).",
    )
    return drawn("(b)", surface, problem, LINEAR, caption)


def figure2c(settings: Settings) -> Drawn:
    """Fig. 2(c): the L-infinity loss of one data point, with kinks on both axes."""
    surface, problem = point_surface("linf", "linear", settings)
    largest = max(jumps(problem, i, surface.axes).max() for i in (0, 1))
    caption = Caption(
        "The L-infinity loss has kinks all along both axes (white ribbons).",
        "The margins give the jump of the gradient, 2 epsilon sigmoid(c) with c the attacked exponent: "
        f"{origin_jump(problem):.3g} = epsilon at theta = 0, up to {largest:.4g} on the square.",
        'Sec. 5.1 calls the loss "not continuous" where theta_i = 0; only its gradient jumps (claim '
        "`sec51.linf-not-continuous`). No kink crosses the corner theta_1 > 1, theta_2 < -1: there the "
        "linear model's loss is smooth as well (claim `fig2f.unlike-linear`).",
    )
    return drawn("(c)", surface, problem, LINEAR, caption)


def figure2d(settings: Settings) -> Drawn:
    """Fig. 2(d): the clean loss of the swish model."""
    surface, problem = point_surface("clean", "swish", settings)
    caption = Caption(
        "The clean loss log(1 + exp(-y swish(theta.x))): smooth, not convex, with a ridge where theta.x = "
        f"{SWISH_MINIMISER:.4f}, the minimiser of swish.",
        f"The ridge's height is {surface.value.max():.4f} = log(1 + exp(-swish(u*))), the largest value "
        "the loss can take.",
        "Nothing: the surface is given by its formula.",
    )
    return drawn("(d)", surface, problem, SWISH, caption)


def figure2e(settings: Settings) -> Drawn:
    """Fig. 2(e): the exact L2 worst case of the swish model."""
    surface, problem = point_surface("l2", "swish", settings)
    caption = Caption(
        "The exact L2 worst case of the swish model: a kink at theta = 0 alone, and a plateau (between "
        "the dashed curves) on which the attack reaches the minimiser of swish inside the ball.",
        f"The gradient jumps by {origin_jump(problem):.3g} = epsilon/2 at theta = 0. On the plateau the "
        f"loss is {surface.value.max():.4f} everywhere; at its dashed edge the gradient is continuous, the "
        "second derivative not.",
        "The paper says that the worst case has no closed form and draws PGD's; it has one (claim "
        "`fig2.closed-form`), drawn here. See pgd_gap for the difference.",
    )
    return drawn("(e)", surface, problem, SWISH, caption)


def figure2f(settings: Settings) -> Drawn:
    """Fig. 2(f): the exact L-infinity worst case of the swish model."""
    surface, problem = point_surface("linf", "swish", settings)
    largest = max(jumps(problem, i, surface.axes).max() for i in (0, 1))
    caption = Caption(
        "The exact L-infinity worst case of the swish model: kinks on both axes, but only where the "
        "attack is on the boundary; they end at the plateau (between the dashed curves), where it is "
        "inside.",
        f"The margins give the jump, at most {largest:.4g} on the square and 0 on the plateau. At (2, -2) "
        f"the dashed edge has been crossed once more: loss {problem.loss((2.0, -2.0)):.4f} against "
        f"{surface.value.max():.4f} on the plateau.",
        "Drawn with the exact worst case, not PGD. Sec. 5.1 says that the attacks are interior for "
        "theta_1 > 1, theta_2 < -1; the second dashed curve, |theta_1| + |theta_2| = 3.196, shows that "
        "beyond it they are not (claim `fig2f.region`), though the loss is smooth there.",
    )
    return drawn("(f)", surface, problem, SWISH, caption)
