"""Theorem 2: smoothness of the L_infinity adversarial loss where no sign of theta changes, and its jump where
one does (Eqs. 18, 37)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.linear import EPSILON, LABELS, MARGIN, logistic, sigmoid, signed, unbounded
from theory.calculus.steps import average
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.sec31.lemma3 import allowed, coordinate
from theory.statements.sec31.theorem1 import C_TT, MEAN, MOVED, one_sample

PROOF = "App. A, proof of Theorem 2"
WEIGHT, POINT = sp.symbols("theta_i x_i", real=True)
STEP = sp.Symbol("t", positive=True)
REACH, WIDTH = sp.symbols("R r", positive=True)  # ||x_n|| <= R; r = ||x'||
DIMENSION = sp.Symbol("d", integer=True, positive=True)


def smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """On one orthant the adversarial loss is the standard loss at an input that does not move; hence its
    constant."""
    yield from frozen_input(stated.signs_fixed)
    yield from one_sample(stated.constant, sp.Eq(MOVED, 0))
    yield average(MEAN)
    slope = sp.diff(C_TT * WEIGHT**2 / 2, WEIGHT)
    yield identity(
        "attained by l = C_theta_theta theta^2/2 (d = 1), every pair of positive weights",
        slope.subs(WEIGHT, 2 * STEP) - slope.subs(WEIGHT, STEP),
        stated.constant * STEP,
    )


def frozen_input(signs_fixed: bool = True) -> Iterator[Fact]:
    """Each coordinate adds `y theta_i x_i - epsilon |theta_i|` to the margin; on an orthant that is y theta_i
    times a fixed x'_i."""
    for label in LABELS:
        for sign in (1, 0, -1):
            size = sign * WEIGHT if sign else sp.Integer(0)  # |theta_i| where theta_i has this sign
            weight = WEIGHT if sign else sp.Integer(0)
            fixed = POINT + coordinate(sign if signs_fixed else 1, label)
            yield identity(
                f"y = {label}, sign {sign}: y theta_i x_i - epsilon |theta_i| = y theta_i x'_i with x'_i = "
                "x_i - y epsilon sign(theta_i)",
                label * weight * POINT - EPSILON * size,
                label * weight * fixed,
                method="one scalar identity shared by all coordinates",
            )


def logistic_constant(stated: SimpleNamespace) -> Iterator[Fact]:
    """The standard logistic loss at the fixed input x': its second derivative along v is s(m) s(-m) <x',
    v>^2."""
    yield from frozen_input()
    along, size = sp.Symbol("<x',v>", real=True), sp.Symbol("|v|", real=True)
    step = sp.Symbol("tau", real=True)
    bend = sp.diff(logistic(MARGIN + step * along), step, 2).subs(step, 0)
    yield identity("second derivative along v", bend, sigmoid(MARGIN) * sigmoid(-MARGIN) * along**2)
    s = sp.Symbol("s", real=True)
    quarter = (s * (1 - s)).subs(s, sp.solve(sp.diff(s * (1 - s), s), s)[0])
    yield identity(
        "s (1 - s) <= 1/4: the difference is a square", quarter - s * (1 - s), (s - sp.Rational(1, 2)) ** 2
    )
    share = sp.Symbol("p", nonnegative=True)
    yield implies(
        "at most ||x'||^2/4 along every unit v (Cauchy-Schwarz)",
        [sp.Le(share, quarter), sp.Le(along**2, WIDTH**2 * size**2), sp.Eq(size, 1)],
        sp.Le(share * along**2, WIDTH**2 / 4),
    )
    i = sp.Symbol("i", integer=True, positive=True)
    moved = sp.sqrt(sp.summation(coordinate(1) ** 2, (i, 1, DIMENSION)))
    yield identity(
        "||x'|| <= ||x|| + epsilon sqrt(d), attained where x is the negative of a positive multiple of the "
        "signs",
        quarter * (REACH + moved) ** 2,
        stated.constant,
    )


def two_epsilon(stated: SimpleNamespace) -> Iterator[Fact]:
    """The largest distance of two L_infinity attacks in the L2 norm: at d = 2, then 2 epsilon in each of d
    coordinates."""
    flip = abs(coordinate(1) - coordinate(-1))
    one = {EPSILON: 3}
    distance = sp.Matrix([flip, flip]).subs(one).norm()
    at_two = compare(
        "||x'(theta_1) - x'(theta_2)|| against the stated bound",
        distance,
        "<=",
        stated.bound.subs({**one, DIMENSION: 2}),
        point={"d": 2, "epsilon": 3, "theta_1": (1, 1), "theta_2": (-1, -1)},
        replay="x'(theta_1) = x - (3, 3) and x'(theta_2) = x + (3, 3): the diagonal of the square, 6 "
        "sqrt(2).",
        dimension=(2,),
    )
    yield at_two.as_example()
    i = sp.Symbol("i", integer=True, positive=True)
    yield identity(
        "the bound is attained in every d by flipping all signs",
        sp.sqrt(sp.summation(flip**2, (i, 1, DIMENSION))),
        stated.bound,
        method="sum over the d coordinates",
    )
    moves = sp.symbols("delta_1i delta_2i", real=True)
    within = [relation for move in moves for relation in allowed(move)]
    yield implies(
        "no coordinate of two perturbations differs by more than 2 epsilon",
        within,
        sp.Le((moves[0] - moves[1]) ** 2, flip**2),
        method="one scalar inequality shared by all coordinates, z3 on nonlinear real arithmetic",
    )


def one_sided_slopes(label: int = 1) -> tuple[sp.Expr, sp.Expr]:
    """d l_epsilon/d theta_i as theta_i -> 0 from above and from below; m is the margin that the other
    coordinates give."""
    return tuple(
        sp.diff(logistic(MARGIN + label * WEIGHT * POINT - EPSILON * sign * WEIGHT), WEIGHT).subs(WEIGHT, 0)
        for sign in (1, -1)
    )


def jump(stated: SimpleNamespace) -> Iterator[Fact]:
    """The jump of the i-th partial derivative of one sample's loss at theta_i = 0; the j-th is continuous there
    if theta_j != 0."""
    for label in LABELS:
        above, below = one_sided_slopes(label)
        yield identity(
            f"y = {label}: d l_epsilon/d theta_i jumps by (stated) sigmoid(-m) at theta_i = 0",
            sp.simplify(above - below),
            stated.size * sigmoid(-MARGIN),
            shows=(f"from above {sp.simplify(above)}, from below {sp.simplify(below)}",),
        )
    yield signed(
        "the jump is positive whatever the sample, so that no mean over samples cancels it",
        stated.size * sigmoid(-MARGIN),
    )
    other, share = sp.symbols("x_j s_j", real=True)
    for side in (1, -1):
        margin = MARGIN + side * STEP * POINT - EPSILON * STEP
        yield identity(
            "the j-th partial derivative, j != i, has the same limit from both sides of theta_i = 0 where "
            "theta_j != 0 has the sign s_j",
            sp.limit(-sigmoid(-margin) * (other - EPSILON * share), STEP, 0),
            -sigmoid(-MARGIN) * (other - EPSILON * share),
        )
    if not stated.others_nonzero:
        yield identity(
            "and where theta_j = 0 too: from theta_j > 0 (s_j = 1) as from theta_j < 0 (s_j = -1)",
            -sigmoid(-MARGIN) * (other - EPSILON),
            -sigmoid(-MARGIN) * (other + EPSILON),
            dimension=(2,),
        )


def jump_and_ratio(stated: SimpleNamespace) -> Iterator[Fact]:
    """The jump in every dimension, and with it the unbounded ratio of pairs that close in on a face theta_i =
    0."""
    yield from jump(stated)
    above, below = one_sided_slopes()
    gap = sp.simplify(above - below)
    yield unbounded("a gap that stays at the jump at distance 2t", gap, 2 * STEP, STEP, gap / 2)


def follows_from_two_epsilon(stated: SimpleNamespace) -> Iterator[Fact]:
    """A set on which signs differ and attacks are 2 epsilon apart, while the gradient is 1-Lipschitz: |theta|
    >= 1, x = 0."""
    ends = [sp.diff(logistic(-sign * WEIGHT), WEIGHT).subs(WEIGHT, sign) for sign in (1, -1)]
    gap = sp.simplify(ends[0] - ends[1])
    yield compare(
        "premise: the attacks of 1 and -1 are at most 2 epsilon apart",
        abs(coordinate(1) - coordinate(-1)).subs(EPSILON, 1),
        "<=",
        sp.Integer(2),
        dimension=(1,),
    )
    yield compare(
        "conclusion: the gradient gap between 1 and -1 exceeds 1 * |theta_1 - theta_2|",
        gap,
        ">",
        sp.Integer(stated.allowed),
        point={"d": 1, "x": 0, "y": 1, "epsilon": 1, "set": "{|theta| >= 1}", "theta_1": 1, "theta_2": -1},
        replay="l_epsilon(theta) = log(1 + exp(|theta|)) has the slopes sigmoid(1) and -sigmoid(1) there, "
        "1.46... apart, at a distance of 2; all slopes lie between -1 and 1, so pairs with |theta| >= 1 and "
        "different signs have a ratio below 1, pairs with equal signs below 1/4.",
        dimension=(1,),
    )


TWO_ROOT_D = 2 * EPSILON * sp.sqrt(DIMENSION)
LOGISTIC = (REACH + EPSILON * sp.sqrt(DIMENSION)) ** 2 / 4

CLAIMS = (
    Claim(
        id="theorem2",
        location="Sec. 3.1, Theorem 2; App. A",
        kind="theorem",
        equations=(18, 37),
        title="L_infinity loss is C_tt-smooth where signs agree",
        statement="For ||delta||_inf <= epsilon and all theta_1, theta_2 with sign(theta_1i) = "
        "sign(theta_2i) for every i, ||grad L_epsilon(theta_1) - grad L_epsilon(theta_2)|| <= C_theta_theta "
        "||theta_1 - theta_2||.",
        latex=r"\|\nabla_\theta L_\varepsilon(\theta_1)-\nabla_\theta L_\varepsilon(\theta_2)\|\le C_{"
        r"\theta\theta}\|\theta_1-\theta_2\|",
        assumptions=(
            "Assumption 1 at all x within epsilon of a data point (not at the data points alone)",
            "no theta_i is 0, so that the gradient exists",
            "any number N of samples",
        ),
        stated={"constant": C_TT, "signs_fixed": True},
        check=smooth,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="On an orthant L_epsilon is the standard loss at inputs x'_n that do not move, so "
            "every smoothness constant of the standard loss at those inputs serves; for the logistic loss "
            "with ||x_n||_2 <= R that is (R + epsilon sqrt(d))^2/4.",
            latex=r"\frac{(R+\varepsilon\sqrt d)^2}{4}",
            stated={"constant": LOGISTIC},
            check=logistic_constant,
        ),
        tightness=Tightness(
            pair="d = 1, l(x, theta) = C_tt theta^2/2 in place of the logistic loss, theta_1 = 2, theta_2 = "
            "1",
            attained=sp.diff(C_TT * WEIGHT**2 / 2, WEIGHT).subs(WEIGHT, 2)
            - sp.diff(C_TT * WEIGHT**2 / 2, WEIGHT).subs(WEIGHT, 1),
            bound=C_TT,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * C_TT}),
            Twin("signs may differ", {"signs_fixed": False}),
            Twin("square of the constant", {"constant": C_TT**2}),
            Twin(
                "sharpened constant without the root of d",
                {"constant": (REACH + EPSILON) ** 2 / 4},
                of="sharpest",
            ),
        ),
        remark="Where the constant is taken matters: at x = 0 the standard loss has the constant 0, the "
        "adversarial one does not.",
    ),
    Claim(
        id="theorem2.bounded-set",
        location="Sec. 3.1, Theorem 2, last sentence; App. A",
        kind="prose",
        title="C_tt-smooth on sets within an orthant",
        statement="L_epsilon is C_theta_theta-smooth on a bounded set that does not include theta_i = 0 and "
        "where no signs of elements change.",
        assumptions=("no theta_i is 0 on the set", "Assumption 1 at the attacked inputs"),
        stated={"constant": C_TT, "signs_fixed": True},
        check=smooth,
        expected=Verdict.TRUE,
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * C_TT}),
            Twin("signs may change", {"signs_fixed": False}),
        ),
        remark="Bounded is not needed. For d >= 2 the set is (part of) an orthant; the appendix calls it an "
        "interval.",
    ),
    Claim(
        id="theorem2.two-epsilon",
        location=PROOF,
        kind="proof step",
        title="||x'(theta_1) - x'(theta_2)|| <= 2 epsilon otherwise",
        statement="If signs differ, ||x'(theta_1) - x'(theta_2)|| <= 2 epsilon, because ||x'(theta) - x|| "
        "<= epsilon.",
        assumptions=("||.|| is the L2 norm (footnote 1)", "attacks in the L_infinity ball"),
        stated={"bound": 2 * EPSILON},
        check=two_epsilon,
        expected=Verdict.FALSE,
        group="Euclidean width of the attack ball",
        sides=(6 * sp.sqrt(2), 6),
        corrected=Reading(
            statement="||x'(theta_1) - x'(theta_2)||_2 <= 2 epsilon sqrt(d), because ||x'(theta) - x||_2 <= "
            "epsilon sqrt(d); the printed bound holds in the L_infinity norm, and in the L2 norm for d = 1.",
            latex=r"\|x'(\theta_1)-x'(\theta_2)\|_2\le2\varepsilon\sqrt d",
            stated={"bound": TWO_ROOT_D},
        ),
        twins=(
            Twin("one per cent smaller", {"bound": sp.Rational(99, 100) * TWO_ROOT_D}),
            Twin("without the root", {"bound": 2 * EPSILON * DIMENSION}),
            Twin("as printed", {"bound": 2 * EPSILON}),
        ),
    ),
    Claim(
        id="theorem2.inference",
        location=PROOF + ", last sentence",
        kind="proof step",
        title="A bound of 2 epsilon makes the gradient non-Lipschitz",
        statement="If signs differ, ||x'(theta_1) - x'(theta_2)|| <= 2 epsilon, and thus the gradient of "
        "the adversarial loss is not Lipschitz continuous.",
        assumptions=(
            "an upper bound on the move of the attack is the only premise",
            "signs differ on the set",
        ),
        stated={"allowed": 2},
        check=follows_from_two_epsilon,
        expected=Verdict.FALSE,
        sides=(2 * sp.E / (1 + sp.E), 2),
        corrected=Reading(
            statement="At theta_i = 0 the i-th partial derivative of L_epsilon jumps by 2 epsilon times the "
            "mean of sigmoid(-m_n) > 0, for every data set; the j-th is continuous there if theta_j != 0, and "
            "jumps too where theta_j = 0. So the gradient "
            "is not Lipschitz on any set with pairs on both sides arbitrarily close to a common point of "
            "that face; on |theta_i| >= theta_min it may be, though signs change.",
            latex=r"\left[\partial_i L_\varepsilon\right]_{\theta_i=0}=\frac{2\varepsilon}{N}\sum_n"
            r"\sigma(-m_n)>0",
            stated={"size": 2 * EPSILON, "others_nonzero": True},
            check=jump_and_ratio,
        ),
        twins=(
            Twin("half the jump", {"size": EPSILON}),
            Twin("a jump of the other sign", {"size": -2 * EPSILON}),
            Twin("the others continuous even where theta_j = 0", {"others_nonzero": False}),
        ),
        remark="The conclusion is right near the faces, for a reason that the proof does not give.",
    ),
)
