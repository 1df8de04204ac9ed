"""Eq. (1) and the rest of Sec. 2.1's setting: the attack as a maximiser, the training objective, and the
PGD step.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin

EPSILON, STEP = sp.symbols("epsilon eta_P", positive=True)
EXAMPLES = sp.Symbol("N", positive=True, integer=True)
THETA, DELTA = sp.symbols("theta delta", real=True)
GRAM = "Gram reduction, z3 on nonlinear real arithmetic"


def inner_maximum(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (1) on the linear model: what a perturbation of the printed kind can gain is epsilon ||theta||,
    no more.
    """
    space = Space("theta", "delta")
    theta, delta = space.vectors()
    length = space.length("theta")
    for label in (1, -1):
        gain = stated.sense * -label * space.inner(theta, delta)
        yield implies(
            f"y = {label}: no feasible delta lowers the margin by more than epsilon ||theta||",
            [*space.gram_conditions(), sp.Le(space.length("delta"), stated.radius)],
            sp.Le(gain, EPSILON * length),
            method=GRAM,
        )
        best = (-label * EPSILON / length) * theta
        yield identity(
            f"y = {label}: delta = -y epsilon theta/||theta|| lies on the boundary of the feasible region",
            space.inner(best, best),
            stated.radius**2,
        )
        yield identity(
            f"y = {label}: and lowers the margin by exactly epsilon ||theta||",
            stated.sense * -label * space.inner(theta, best),
            EPSILON * length,
        )


def selection(stated: SimpleNamespace) -> Iterator[Fact]:
    """Linear model, L2 ball: the maximisers at theta = 0, and the only one at every other theta."""
    gain = sp.Symbol("theta.x", real=True)
    yield identity(
        "theta = 0: the loss is log 2 for every delta, so that every delta of the ball is a maximiser",
        sp.log(1 + sp.exp(-THETA * gain)).subs(THETA, 0),
        sp.log(2),
    )
    yield identity(
        "theta = 0: two of them, epsilon e_1 and -epsilon e_1, are 2 epsilon apart",
        EPSILON - (-EPSILON),
        stated.spread,
    )
    space = Space("theta", "delta")
    theta, delta = space.vectors()
    off = delta + (EPSILON / space.length("theta")) * theta
    yield implies(
        "theta != 0, y = 1: a feasible delta with the gain epsilon ||theta|| is -epsilon theta/||theta||",
        [
            *space.gram_conditions(),
            sp.Le(space.length("delta"), stated.radius),
            sp.Ge(-space.inner(theta, delta), EPSILON * space.length("theta")),
        ],
        sp.Le(sp.expand(space.inner(off, off)), 0),
        method=GRAM,
    )


def objective(stated: SimpleNamespace) -> Iterator[Fact]:
    """The unnumbered objective: a mean of maxima, each example with its own perturbation."""
    loss, largest = sp.symbols("l m", real=True)
    yield identity("N equal examples give the loss of one", stated.weight * EXAMPLES * largest, largest)
    yield implies(
        "term by term: moving one delta_n to its maximiser does not lower the objective, so the mean of the "
        "maxima is the maximum over all deltas together",
        [sp.Le(loss, largest)],
        sp.Le(stated.weight * loss, stated.weight * largest),
    )


def projection(stated: SimpleNamespace) -> Iterator[Fact]:
    """The region of the projection, and clipping as the Euclidean projection onto it, one coordinate at a
    time.
    """
    point = {THETA: 2, DELTA: 0, EPSILON: 1}
    yield compare(
        "what lies in the region is at most epsilon in absolute value",
        sp.Abs(stated.element.subs(point)),
        "<=",
        EPSILON.subs(point),
        point={"epsilon": 1, "delta": 0, "theta": 2},
        replay="The condition |delta| <= 1 says nothing of theta, so theta = 2 belongs to the printed set: "
        "with delta = 0 that set is the whole parameter space, with delta = 2 it is empty.",
    )
    u, z = sp.symbols("u z", real=True)
    inside = sp.And(sp.Ge(z, -EPSILON), sp.Le(z, EPSILON))
    cases = (
        ("above", sp.Gt(u, stated.high), stated.high),
        ("within", sp.And(sp.Ge(u, stated.low), sp.Le(u, stated.high)), u),
        ("below", sp.Lt(u, stated.low), stated.low),
    )
    for where, region, clipped in cases:
        nearer = (u - z) ** 2 - (u - clipped) ** 2 - (z - clipped) ** 2
        yield implies(
            f"u {where} the range: the clipped value is feasible, and every feasible z has (u - z)^2 >= (u "
            f"- clip u)^2 + (z - clip u)^2",
            [region, inside],
            sp.And(
                sp.Le(clipped, EPSILON),
                sp.Ge(clipped, -EPSILON),
                sp.Ge(nearer, 0),
            ),
            method="sum over coordinates, z3 on one coordinate",
        )
        yield identity(
            f"u {where} the range: that gap is 2 (u - clip u)(clip u - z)",
            nearer,
            2 * (u - clipped) * (clipped - z),
        )


def sign_step(stated: SimpleNamespace) -> Iterator[Fact]:
    """The PGD step: among moves of at most eta_P a coordinate its direction gains most to first order."""
    s, size = sp.Symbol("s", real=True), sp.Symbol("|g|", positive=True)
    for name, sign in (("positive", 1), ("negative", -1)):
        entry = sign * size
        move = stated.direction * STEP * sign
        yield implies(
            f"{name} gradient entry: no s with |s| <= eta_P has a larger first-order gain than the printed "
            f"step",
            [sp.Le(s, STEP), sp.Ge(s, -STEP)],
            sp.Le(entry * s, entry * move),
            method="sum over coordinates, z3 on one coordinate",
        )
        yield identity(
            f"{name} gradient entry: the gain is eta_P |g|, in all eta_P ||g||_1", entry * move, STEP * size
        )
    start, lowest, reach = sp.Symbol("delta", real=True), -EPSILON, 2 * EPSILON
    yield implies(
        "linear model, -y theta_i > 0: from any feasible start one step of size >= 2 epsilon lands, once "
        "clipped, at epsilon",
        [sp.Le(start, EPSILON), sp.Ge(start, lowest), sp.Ge(STEP, reach)],
        sp.Ge(start + stated.direction * STEP, EPSILON),
        method="z3 on one coordinate",
    )
    yield identity("no shorter step will do: from -epsilon", lowest + stated.direction * reach, EPSILON)


CLAIMS = (
    Claim(
        id="eq1",
        location="Sec. 2.1, Eq. (1)",
        kind="definition",
        equations=(1,),
        title="The attack maximises the loss over a ball",
        statement="An adversarial example is x' = x + delta, where delta maximises the loss l(x + delta, y, "
        "theta) over ||delta||_p <= epsilon. On the linear logistic model with p = 2 the maximum is log(1 + "
        "exp(-y theta.x + epsilon ||theta||)).",
        latex=r"x'=x+\delta,\quad\delta\in\operatorname{argmax}_{\|\delta\|_p\le\varepsilon}\ell(x+"
        r"\delta,y,\theta)",
        assumptions=("l continuous in x, so that a maximiser exists (the ball is compact)",),
        cites=("Weierstrass: a continuous function attains its maximum on a compact set",),
        stated={"radius": EPSILON, "sense": 1},
        check=inner_maximum,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("ball one per cent larger", {"radius": sp.Rational(101, 100) * EPSILON}),
            Twin("ball one per cent smaller", {"radius": sp.Rational(99, 100) * EPSILON}),
            Twin("argmin for argmax", {"sense": -1}),
        ),
        remark="The definition is pinned by its closed form where there is one. The argmax is a set, see "
        "eq1.selection.",
    ),
    Claim(
        id="eq1.selection",
        location="Sec. 2.1, Eq. (1); Sec. 3, before Lemma 1",
        kind="prose",
        title="x' can be regarded as a function x'(theta)",
        statement="x' can be regarded as a function of theta: a choice of one maximiser for each theta. On "
        "the linear model with the L2 ball there is exactly one for theta != 0; at theta = 0 every point of "
        "the ball is one.",
        latex=r"x'(\theta)\in x+\operatorname{argmax}_{\|\delta\|_p\le\varepsilon}\ell(x+\delta,y,\theta)",
        assumptions=("'function' read as a choice: the argmax of Eq. (1) is a set",),
        stated={"radius": EPSILON, "spread": 2 * EPSILON},
        check=selection,
        expected=Verdict.TRUE,
        twins=(
            Twin("one maximiser at theta = 0", {"spread": sp.Integer(0)}),
            Twin("ball one per cent larger", {"radius": sp.Rational(101, 100) * EPSILON}),
        ),
        remark="Eq. (1) prints delta = argmax, which is not an equation of points where the maximiser is "
        "not unique: at theta = 0, and with the L-infinity ball wherever one theta_i is 0. Lemma 1 assumes "
        "that a Lipschitz choice exists; Lemmas 2 to 5 are about particular choices.",
    ),
    Claim(
        id="eq1.objective",
        location="Sec. 2.1, objective below Eq. (1)",
        kind="definition",
        title="Adversarial training minimises a mean of maxima",
        statement="L_epsilon(theta) = (1/N) sum_n max over ||delta||_p <= epsilon of l(x_n + delta, y_n, "
        "theta), each example with a perturbation of its own.",
        latex=r"L_\varepsilon(\theta)=\frac1N\sum_{n=1}^N\max_{\|\delta\|_p\le\varepsilon}\ell(x_n+"
        r"\delta,y_n,\theta)",
        stated={"weight": 1 / EXAMPLES},
        check=objective,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("sum for mean", {"weight": sp.Integer(1)}),
            Twin("weight one per cent off", {"weight": sp.Rational(101, 100) / EXAMPLES}),
            Twin("sign flipped", {"weight": -1 / EXAMPLES}),
        ),
    ),
    Claim(
        id="eq1.pgd-projection",
        location="Sec. 2.1, below the PGD step",
        kind="prose",
        title="Clipping projects onto {theta : ||delta||_inf <= eps}",
        statement="Pi_epsilon clips the elements of delta into [-epsilon, epsilon] as a projection into the "
        "feasible region {theta | ||delta||_inf <= epsilon}.",
        latex=r"\{\theta\mid\|\delta\|_\infty\le\varepsilon\}",
        slip=True,
        stated={"element": THETA, "low": -EPSILON, "high": EPSILON},
        check=projection,
        expected=Verdict.TYPO,
        sides=(2, 1),
        corrected=Reading(
            statement="Clipping to [-epsilon, epsilon] is the Euclidean projection onto the set of delta "
            "with ||delta||_inf <= epsilon.",
            latex=r"\{\delta\mid\|\delta\|_\infty\le\varepsilon\}",
            stated={"element": DELTA},
        ),
        twins=(
            Twin("range one per cent larger", {"high": sp.Rational(101, 100) * EPSILON}),
            Twin("range one per cent smaller", {"low": -sp.Rational(99, 100) * EPSILON}),
            Twin("theta for delta", {"element": THETA}),
        ),
        remark="Projection of delta only; implementations then clip x + delta to the pixel range as well.",
    ),
    Claim(
        id="eq1.pgd-step",
        location="Sec. 2.1, PGD step",
        kind="algorithm",
        title="PGD steps along the sign of the gradient",
        statement="delta <- Pi_epsilon(delta + eta_P sign(grad_delta l)): of all moves with ||s||_inf <= "
        "eta_P the step has the largest first-order gain, eta_P ||grad l||_1. On the linear model a single "
        "step with eta_P >= 2 epsilon reaches the maximiser from any feasible start.",
        latex=r"\delta\leftarrow\Pi_\varepsilon(\delta+\eta_P\,\mathrm{sign}(\nabla_\delta\ell(x+\delta,y,"
        r"\theta)))",
        assumptions=("gradient entries other than 0; sign(0) = 0 leaves an entry where it is",),
        stated={"direction": 1},
        check=sign_step,
        expected=Verdict.TRUE,
        twins=(
            Twin("descent for ascent", {"direction": -1}),
            Twin("step one per cent short", {"direction": sp.Rational(99, 100)}),
            Twin("step one per cent long", {"direction": sp.Rational(101, 100)}),
        ),
        remark="On other losses PGD need not reach a maximiser; what that does to Lemma 1 is in "
        "eq14.envelope.",
    ),
)
