"""Beyond the paper: L2 attacks that are unique and Lipschitz because epsilon is small against the
gradient, without the implicit function theorem."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.conditions import attack_jacobian
from theory.calculus.derivatives import gradient, hessian, mixed
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Tightness, Twin
from theory.statements.sec32.branches import CROSS, sharp_implies

LEAST, EPSILON, CHANGE = sp.symbols("g epsilon M", positive=True)
AT_CENTRE = sp.Symbol("g_0", positive=True)
METHOD = "reduction to scalars, z3 on nonlinear real arithmetic"


def lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """x'_i = x + epsilon g_i/|g_i| with g_i = grad_x l(x'_i, theta_i); normalising divides a distance by
    g at most; all d."""
    yield from on_the_sphere()
    yield from normalising()
    moved, along, apart = (
        sp.Symbol(n, nonnegative=True) for n in ("|x'_1-x'_2|", "|theta_1-theta_2|", "|g_1-g_2|")
    )
    hypotheses = [
        sp.Le(moved * LEAST, EPSILON * apart),
        sp.Le(apart, CHANGE * moved + CROSS * along),
        sp.Gt(LEAST, EPSILON * CHANGE) if stated.small else sp.Gt(LEAST, 0),
    ]
    if not stated.small:
        yield implies(
            "the attack is unique: equal thetas have equal attacks",
            [*hypotheses, sp.Eq(along, 0)],
            sp.Eq(moved, 0),
            method=METHOD,
        )
    numbers = {CROSS: 3, EPSILON: 1, CHANGE: 1, LEAST: 3}
    yield implies(
        "the attack is unique: equal thetas have equal attacks",
        [*hypotheses[:2], sp.Gt(LEAST, EPSILON * CHANGE), sp.Eq(along, 0)],
        sp.Eq(moved, 0),
        method=METHOD,
    )
    if stated.small:
        yield from sharp_implies(
            f"||x'_1 - x'_2|| <= {stated.constant} ||theta_1 - theta_2||",
            hypotheses,
            moved,
            stated.constant * along,
            {**numbers, along: 2, moved: 3, apart: 9},
            method=METHOD,
            shows=(
                "g |x'_1 - x'_2| <= epsilon |g_1 - g_2| <= epsilon (M |x'_1 - x'_2| + C_theta_x |theta_1 - "
                "theta_2|)",
            ),
        )
    slope, numbers = saddle()
    yield identity(
        "attained as a derivative by l = theta.x + (x_2^2 - x_1^2)/2, theta = (3, 0), epsilon = 1: M = 1, g "
        "= 2, D x' = diag(0, 1) (any d >= 2)",
        slope,
        stated.constant.subs(numbers),
    )


def on_the_sphere() -> Iterator[Fact]:
    """The gradient does not vanish in the ball, so the maximum is on the sphere and the gradient points
    outwards along the normal."""
    slope, gain, step = (
        sp.Symbol("|grad_x l|", positive=True),
        sp.Symbol("gain", real=True),
        sp.Symbol("t", positive=True),
    )
    yield implies(
        "an interior point gains at least t |grad_x l|^2/2 by a small step t grad_x l, so it is no maximum",
        [sp.Ge(slope, LEAST), sp.Ge(gain, step * slope**2 - step * slope**2 / 2)],
        sp.Gt(gain, 0),
        method=METHOD,
    )
    mu, length = sp.Symbol("mu", nonnegative=True), sp.Symbol("|grad_x l|", positive=True)
    yield implies(
        "on the sphere grad_x l = mu n, mu >= 0 (eq20.stationary), so mu = |grad_x l| and n = grad_x "
        "l/|grad_x l|",
        [sp.Eq(mu**2, length**2)],
        sp.Eq(mu, length),
        method=METHOD,
    )


def normalising() -> Iterator[Fact]:
    """|a/|a| - b/|b|| <= |a - b|/g for |a|, |b| >= g, the inequality of Lemma 2; equality for |a| = |b|
    = g."""
    space = Space("a", "b")
    a, b = space.vectors()
    one, other, product = space.length("a"), space.length("b"), space.product("a", "b")
    unit = a / one - b / other
    yield from sharp_implies(
        "g^2 |a/|a| - b/|b||^2 <= |a - b|^2 when |a|, |b| >= g",
        [sp.Ge(one, LEAST), sp.Ge(other, LEAST), *space.gram_conditions()],
        LEAST**2 * sp.simplify(sp.expand(space.inner(unit, unit))),
        sp.expand(space.inner(a - b, a - b)),
        {LEAST: 2, one: 2, other: 2, product: 0},
        method="Gram reduction, z3 on nonlinear real arithmetic",
    )


def saddle() -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
    """|D x'| at theta = (3, 0) for l = theta.x + (x_2^2 - x_1^2)/2, epsilon = 1, and g, M, C_theta_x,
    epsilon, by calculus."""
    x, theta = sp.symbols("x1:3", real=True), sp.symbols("theta1:3", real=True)
    loss = theta[0] * x[0] + theta[1] * x[1] + (x[1] ** 2 - x[0] ** 2) / 2
    at = {theta[0]: 3, theta[1]: 0, x[0]: 1, x[1]: 0}
    moved = attack_jacobian(loss, x, theta, case="sphere", center=[0, 0], at=at)
    numbers = {
        LEAST: gradient(loss, x).subs(at).norm(),  # (3 - x_1)^2 + x_2^2 is least on the ball at x = (1, 0)
        CHANGE: max(hessian(loss, x).singular_values()),
        CROSS: max(mixed(loss, x, theta).singular_values()),
        EPSILON: sp.Integer(1),
    }
    return max(moved.singular_values()), numbers


def centre(stated: SimpleNamespace) -> Iterator[Fact]:
    """|grad_x l| >= |grad_x l(x)| - epsilon M in the ball, so more than 2 epsilon M at the centre is
    enough; and 2 is needed."""
    least, at_centre = LEAST, AT_CENTRE
    yield implies(
        "g >= g_0 - epsilon M and g_0 > factor epsilon M give g > epsilon M",
        [sp.Ge(least, at_centre - EPSILON * CHANGE), sp.Gt(at_centre, stated.factor * EPSILON * CHANGE)],
        sp.Gt(least, EPSILON * CHANGE),
        method=METHOD,
    )
    yield from sharp_implies(
        "and epsilon C_theta_x/(g - epsilon M) is at most the stated constant",
        [sp.Ge(least, at_centre - EPSILON * CHANGE), sp.Gt(at_centre, 2 * EPSILON * CHANGE)],
        EPSILON * CROSS / (least - EPSILON * CHANGE),
        stated.constant,
        {least: 3, at_centre: 4, EPSILON: 1, CHANGE: 1, CROSS: 1},
        method=METHOD,
    )
    yield from below_two(stated.factor)


def below_two(factor: sp.Expr) -> Iterator[Fact]:
    """l = t x_1 + (x_2^2 - x_1^2)/2, epsilon = M = 1: on the circle l = t c + 1/2 - c^2, c = x_1, with
    two maxima x_2 = +-sqrt(1 - t^2/4) for t < 2."""
    t, c = sp.symbols("t c", positive=True)
    x = sp.symbols("x1:3", real=True)
    loss = t * x[0] + (x[1] ** 2 - x[0] ** 2) / 2
    on_circle = sp.expand(loss.subs({x[1]: sp.sqrt(1 - x[0] ** 2)}).subs(x[0], c))
    peak = sp.solve(sp.diff(on_circle, c), c)[0]
    yield compare(
        "the centre gradient of a loss with two maxima on the circle never exceeds the stated factor (times "
        "epsilon M)",
        sp.solve(sp.Eq(peak, 1), t)[0],
        "<=",
        factor,
        point={"loss": "t x_1 + (x_2^2 - x_1^2)/2", "epsilon": 1, "M": 1},
    )
    yield identity(
        "it reaches it in the limit: x_1 = t/2 < 1 for every t below (any d >= 2: add -x_3^2/2, ...)",
        sp.solve(sp.Eq(peak, 1), t)[0],
        factor,
    )


def linear_case(stated: SimpleNamespace) -> Iterator[Fact]:
    """M = 0, C_theta_x = 1, g = theta_min: Lemma 2's constant."""
    smallest = sp.Symbol("theta_min", positive=True)
    general = EPSILON * CROSS / (LEAST - EPSILON * CHANGE)
    yield identity(
        "for l = theta.x the theorem is Lemma 2",
        sp.limit(general, CHANGE, 0).subs({CROSS: 1, LEAST: smallest}),
        stated.constant,
    )
    yield from normalising()


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="beyond.small-epsilon",
        location="beyond Sec. 3.2.2 (L2)",
        kind="beyond",
        title="L2 attacks are unique and Lipschitz for small epsilon",
        statement="Let ||grad_x l(., theta)|| >= g on the ball and grad_x l be M-Lipschitz in x there. If g "
        "> epsilon M, then the attack is on the sphere, unique, the only stationary point with "
        "mu >= 0, and (epsilon C_theta_x/(g - epsilon M))-Lipschitz in theta on any set where this "
        "holds, convex or not.",
        latex=r"\|x'(\theta_1)-x'(\theta_2)\|\le\frac{\varepsilon C_{\theta x}}{g-\varepsilon "
        r"M}\|\theta_1-\theta_2\|",
        assumptions=(
            "g and M hold for both thetas; ||grad_x l(x, theta_1) - grad_x l(x, theta_2)|| <= C_theta_x "
            "||theta_1 - theta_2||",
        ),
        stated={"constant": EPSILON * CROSS / (LEAST - EPSILON * CHANGE), "small": True},
        check=lipschitz,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = theta.x + (x_2^2 - x_1^2)/2, theta = (3, 0), epsilon = 1: g = 2, M = 1, "
            "dx'_2/dtheta_2 = 1/(mu/epsilon - 1) with mu = 2",
            attained=1 / (sp.Integer(2) / 1 - 1),
            bound=sp.Integer(1) / (2 - 1),
        ),
        twins=(
            Twin(
                "constant one per cent smaller",
                {"constant": sp.Rational(99, 100) * EPSILON * CROSS / (LEAST - EPSILON * CHANGE)},
            ),
            Twin("curvature of the loss forgotten", {"constant": EPSILON * CROSS / LEAST}),
            Twin("epsilon not small", {"small": False}),
        ),
        remark="Uniqueness and continuity are global: no branch is followed and no determinant is needed.",
    ),
    Claim(
        id="beyond.small-epsilon-centre",
        location="beyond Sec. 3.2.2 (L2)",
        kind="beyond",
        title="A check at the clean input: |grad_x l(x)| > 2 epsilon M",
        statement="||grad_x l(x, theta)|| > 2 epsilon M at the clean input x suffices, with the constant "
        "epsilon C_theta_x/(||grad_x l(x, theta)|| - 2 epsilon M); the factor 2 cannot be "
        "lowered.",
        latex=r"\|\nabla_x\ell(x,\theta)\|>2\varepsilon M",
        assumptions=("grad_x l is M-Lipschitz in x on the ball", "d >= 2 for the sharpness of the factor 2"),
        stated={"factor": sp.Integer(2), "constant": EPSILON * CROSS / (AT_CENTRE - 2 * EPSILON * CHANGE)},
        check=centre,
        expected=Verdict.TRUE,
        twins=(
            Twin("factor one per cent smaller", {"factor": sp.Rational(198, 100)}),
            Twin("factor one", {"factor": sp.Integer(1)}),
            Twin(
                "constant with one epsilon M", {"constant": EPSILON * CROSS / (AT_CENTRE - EPSILON * CHANGE)}
            ),
        ),
    ),
    Claim(
        id="beyond.small-epsilon-linear",
        location="beyond Sec. 3.2.2 (L2)",
        kind="beyond",
        title="For linear losses this is Lemma 2",
        statement="With M = 0, C_theta_x = 1 and g = theta_min the theorem gives epsilon/theta_min.",
        stated={"constant": EPSILON / sp.Symbol("theta_min", positive=True)},
        check=linear_case,
        expected=Verdict.TRUE,
        twins=(
            Twin(
                "one per cent smaller",
                {"constant": sp.Rational(99, 100) * EPSILON / sp.Symbol("theta_min", positive=True)},
            ),
            Twin("epsilon squared", {"constant": EPSILON**2 / sp.Symbol("theta_min", positive=True)}),
        ),
    ),
)
