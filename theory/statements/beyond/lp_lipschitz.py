"""Beyond the paper: on which sets L_p attacks of the linear model are Lipschitz, for every p: the sharp
constant for 1 < p <= 2, and where none exists for p > 2 and p = 1."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.calculus.linear import EPSILON, GRAM, once, signed, unbounded
from theory.deciders.exact import identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Twin
from theory.statements.beyond.linear_attacks import DUAL, EXCESS, LENGTH, LESS, PLACE, SHARED, STEP, TOTAL, P

LOWER = sp.Symbol("theta_min", positive=True)
POWER = sp.Symbol("g", nonnegative=True)  # g = 1 - 2/q, between 0 and 1 for q >= 2


def below_two(stated: SimpleNamespace) -> Iterator[Fact]:
    """The Jacobian is -y epsilon times the Hessian of ||theta||_q; its largest eigenvalue in every dimension,
    and where it is attained."""
    yield from norm_derivatives()
    yield from zero_weights(stated.weights_may_vanish)
    yield from form_below_its_peak()
    yield identity(
        "the constant is (q - 1) epsilon/theta_min times 2^(2/q - 1)",
        EXCESS * EPSILON / LOWER * peak().subs(POWER, 1 - 2 / DUAL),
        stated.constant,
    )
    weight = LOWER / 2 ** (1 / DUAL)  # theta = (c, c, 0, ..., 0) has ||theta||_q = theta_min
    along = EPSILON * (DUAL - 1) * (2 * weight**DUAL) ** (1 / DUAL - 1) * weight ** (DUAL - 2)
    yield identity(
        "attained: at theta = (c, c, 0, ..., 0), ||theta||_q = theta_min, along v = (1, -1, 0, ..., "
        "0)/sqrt(2), where S_1 = 0 and S_2 = c^(q-2)",
        sp.simplify(along),
        stated.constant,
    )
    yield identity("at p = 2 it is that of Lemma 2", stated.constant.subs(EXCESS, 1), EPSILON / LOWER)


@once
def norm_derivatives() -> Iterator[Fact]:
    """First and second derivative of ||theta + t v||_q at t = 0, through S(t) = sum |theta_i + t v_i|^q."""
    size, move = sp.Symbol("|theta_i|", positive=True), sp.Symbol("v_i", real=True)
    tau = sp.Symbol("tau", real=True)
    for sign in (1, -1):
        term = (
            size + sign * tau * move
        ) ** DUAL  # |theta_i + tau v_i|^q near tau = 0, theta_i = sign |theta_i|
        yield identity(
            f"sign {sign}: d/dt |theta_i + t v_i|^q = q |theta_i|^(q-1) sign v_i",
            sp.diff(term, tau).subs(tau, 0),
            DUAL * size ** (DUAL - 1) * sign * move,
            method=SHARED,
        )
        yield identity(
            f"sign {sign}: d^2/dt^2 |theta_i + t v_i|^q = q (q-1) |theta_i|^(q-2) v_i^2",
            sp.diff(term, tau, 2).subs(tau, 0),
            DUAL * (DUAL - 1) * size ** (DUAL - 2) * move**2,
            method=SHARED,
        )
    slope, bend = sp.Symbol("S_1", real=True), sp.Symbol("S_2", real=True)
    length = (TOTAL + DUAL * slope * tau + DUAL * (DUAL - 1) * bend * tau**2 / 2) ** (1 / DUAL)
    yield identity(
        "d/dt ||theta + t v||_q = S_1/||theta||_q^(q-1): x' - x = -y epsilon grad ||theta||_q (claim "
        "beyond.p-attack)",
        sp.diff(length, tau).subs(tau, 0),
        slope / LENGTH ** (DUAL - 1),
        shows=(
            "S = sum |theta_i|^q, S_1 = sum |theta_i|^(q-1) sign(theta_i) v_i, S_2 = sum |theta_i|^(q-2) "
            "v_i^2",
        ),
    )
    yield identity(
        "d^2/dt^2 ||theta + t v||_q = (q - 1)/||theta||_q (S_2/||theta||_q^(q-2) - S_1^2/||theta||_q^(2q-2))",
        sp.diff(length, tau, 2).subs(tau, 0),
        (DUAL - 1) / LENGTH * (bend / LENGTH ** (DUAL - 2) - slope**2 / LENGTH ** (2 * DUAL - 2)),
    )


def zero_weights(weights_may_vanish: bool) -> Iterator[Fact]:
    """The second derivative of |t|^q, q >= 2, is continuous at t = 0, and so is the Hessian of ||theta||_q where some
    weights are 0."""
    beyond = sp.Symbol("k", positive=True)
    exponent = 2 + beyond if weights_may_vanish else sp.Rational(3, 2)
    second = sp.diff(STEP**exponent, STEP, 2)
    yield limit(
        "weights that are 0: for q = 2 + k > 2 the second derivative q (q - 1) |t|^(q-2) of |t|^q tends to 0 "
        "as t -> 0, "
        "so the Hessian of ||theta||_q is continuous off the origin and its bound passes to them (q = 2: t^2)",
        second,
        STEP,
        0,
        0,
    )


@once
def form_below_its_peak() -> Iterator[Fact]:
    """`sum D_i v_i^2 - (sum b_i v_i)^2 <= 2^(-g) |v|^2` with `D_i = A_i^g`, `b_i^2 = A_i^(1+g)`, for every d.

    Here `A_i = |theta_i|^q/||theta||_q^q`, so that `sum A_i = 1`, and `g = 1 - 2/q` lies in [0, 1); this is
    the form of `norm_derivatives` without its factor (q - 1)/||theta||_q. Write L = 2^(-g). If no A_i exceeds
    1/2, or if g = 0, every D_i is at most L. Otherwise one A_i exceeds 1/2, called A; the others sum to
    B = 1 - A < 1/2, so that B^g < L < A^g.
    """
    first, others, top, rest, level = sp.symbols("A B A^g B^g L", positive=True)
    share, size = sp.symbols("A_i D_i", nonnegative=True)
    yield identity(
        "each of the others: b_i^2/(L - D_i) = -A_i + L A_i/(L - D_i)",
        share * size / (level - size),
        -share + level * share / (level - size),
        method=SHARED,
        shows=(
            "A_i = |theta_i|^q/||theta||_q^q (they add up to 1), g = 1 - 2/q in [0, 1), D_i = A_i^g, b_i^2 = "
            "A_i^(1+g), L "
            "= 2^(-g)",
            "the second derivative of ||theta||_q along v is (q - 1)/||theta||_q times the form sum D_i "
            "v_i^2 - (sum b_i "
            "v_i)^2; to show: the form is at most L |v|^2",
            "if no A_i exceeds 1/2, or g = 0, every D_i <= L and this is plain; otherwise A is the A_i above "
            "1/2, B = 1 "
            "- A the sum of the others, and B^g < L < A^g",
        ),
    )
    yield implies(
        "and A_i/(L - D_i) <= A_i/(L - B^g), since A_i <= B gives D_i <= B^g",
        [sp.Le(size, rest), sp.Lt(rest, level)],
        sp.Le(share / (level - size), share / (level - rest)),
        method="one scalar inequality shared by all coordinates, z3 on nonlinear real arithmetic",
    )
    sum_b, sum_v = sp.symbols("E F", nonnegative=True)
    yield implies(
        "so 1 + E <= A + L B/(L - B^g) with E = sum b_i^2/(L - D_i), and (A^g - L)(1 + E) <= A^(1+g), given "
        "A B^g + B A^g <= L",
        [
            sp.Eq(first + others, 1),
            sp.Lt(rest, level),
            sp.Lt(level, top),
            sp.Le(sum_b, -others + level * others / (level - rest)),
            sp.Le(first * rest + others * top, level),
        ],
        sp.Le((top - level) * (1 + sum_b), first * top),
    )
    whole, part, moved = sp.symbols("w c b_1v_1", real=True)
    yield implies(
        "Cauchy-Schwarz: with w = sum over all b_i v_i and F = sum over the others of (L - D_i) v_i^2, "
        "b_1^2 v_1^2 <= (1 + E)(w^2 + F)",
        [sp.Eq(moved, whole - part), sp.Le(part**2, sum_b * sum_v)],
        sp.Le(moved**2, (1 + sum_b) * (whole**2 + sum_v)),
        method=GRAM,
    )
    weight, move = sp.symbols("b_1^2 v_1^2", positive=True)
    yield implies(
        "hence (A^g - L) v_1^2 <= w^2 + F, which says that the form is at most L |v|^2",
        [
            sp.Le((top - level) * (1 + sum_b), weight),
            sp.Le(weight * move, (1 + sum_b) * (whole**2 + sum_v)),
            sp.Lt(level, top),
        ],
        sp.Le((top - level) * move, whole**2 + sum_v),
    )
    yield from peak_of_two()


@once
def peak_of_two() -> Iterator[Fact]:
    """`A B^g + B A^g <= 2^(-g)` for A + B = 1, with equality at A = B = 1/2."""
    a, b = sp.symbols("A B", positive=True)
    yield identity(
        "A B^g + B A^g = (A B)^g (A^(1-g) + B^(1-g))",
        sp.powsimp(a * b**POWER + b * a**POWER),
        sp.powsimp(sp.expand(sp.expand_power_base(two_shares(a, b)))),
    )
    half = sp.Rational(1, 2)
    yield implies("A B <= 1/4", [sp.Eq(a + b, 1)], sp.Le(a * b, half**2))
    part = sp.Symbol("c", positive=True)
    exponent = 1 / (1 + part)  # 1 - g, in (0, 1)
    yield signed(
        "A^(1-g) is concave, so that A^(1-g) + B^(1-g) is largest at A = B = 1/2",
        sp.simplify(-sp.diff(a**exponent, a, 2)),
    )
    yield identity("there the product is 2^(-g)", two_shares(half, half), peak())


def two_shares(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """`(a b)^g (a^(1-g) + b^(1-g))`."""
    return (a * b) ** POWER * (a ** (1 - POWER) + b ** (1 - POWER))


def peak() -> sp.Expr:
    """`2^(-g)`, the largest value of the form on unit vectors."""
    return 2 ** (-POWER)


def above_two(stated: SimpleNamespace) -> Iterator[Fact]:
    """theta = (1, t) and (1, -t): the second coordinate of the attack is epsilon t^(q-1) (1 +
    t^q)^(-(q-1)/q)."""
    plane = (2,)
    found = linear_attack([1, STEP], 1, EPSILON, 3)[1]
    second = EPSILON * STEP**EXCESS * (1 + STEP**DUAL) ** (-EXCESS / DUAL)
    yield identity(
        "p = 3: the second coordinate by the library's closed form",
        -found,
        second.subs(EXCESS, sp.Rational(1, 2)),
        dimension=plane,
    )
    lead = sp.powsimp(second / STEP**stated.exponent / (1 + STEP**DUAL) ** (-EXCESS / DUAL))
    leading = identity(
        "the attack moves like t^exponent: the ratio of leading powers", lead, EPSILON, dimension=plane
    )
    yield leading
    if not leading.holds:
        return
    yield limit("the remaining factor", (1 + STEP**DUAL) ** (-EXCESS / DUAL), STEP, 0, 1, dimension=plane)
    short = sp.Symbol("g", positive=True)  # q = 2 - g, 0 < g < 1 for p > 2
    ratio = STEP ** sp.simplify(stated.exponent - 1)
    yield limit(
        "so the ratio of distances behaves like t^(q-2), unbounded for q < 2",
        ratio.subs(EXCESS, 1 - short),
        STEP,
        0,
        sp.oo,
        dimension=plane,
    )


def at_ties(stated: SimpleNamespace) -> Iterator[Fact]:
    """theta_1 = (1 + t, 1), theta_2 = (1, 1 + t): the L1 attack spends all of epsilon on the largest
    weight."""
    one, other = [1 + STEP, sp.Integer(1)], [sp.Integer(1), 1 + STEP]
    jump = (linear_attack(one, 1, EPSILON, 1) - linear_attack(other, 1, EPSILON, 1)).norm()
    yield identity("the two attacks are apart by", jump, stated.jump, dimension=(2,))
    apart = (sp.Matrix(one) - sp.Matrix(other)).norm()
    yield unbounded("so the ratio of distances is unbounded", jump, apart, STEP, EPSILON, dimension=(2,))
    largest, second, reach = sp.symbols("a b m", nonnegative=True)
    moved, beside = sp.symbols("a' b'", nonnegative=True)
    yield implies(
        "a single largest weight stays the largest while every weight moves by m < (gap)/2, so the attack "
        "is constant there",
        [sp.Gt(largest - second, 2 * reach), sp.Ge(moved, largest - reach), sp.Le(beside, second + reach)],
        sp.Gt(moved, beside),
    )


SHARP = EPSILON * EXCESS * 2 ** (2 / DUAL - 1) / LOWER

CLAIMS = (
    Claim(
        id="beyond.p-below-2",
        location=PLACE + ", Lemma 2",
        kind="beyond",
        title="L_p attacks, 1 < p <= 2: Lipschitz off the origin",
        statement="For 1 < p <= 2 and q = p/(p - 1) the L_p attack is (q - 1) 2^(2/q - 1) "
        "epsilon/theta_min-Lipschitz on every convex set with ||theta||_q >= theta_min > 0, in every "
        "dimension; for d >= 2 a theta with two equal weights and no others attains it.",
        latex=r"\frac{(q-1)\,2^{2/q-1}\,\varepsilon}{\theta_{\min}}",
        assumptions=("L2 norms of the differences", "q = p/(p - 1) = 1 + h >= 2", "convex set"),
        stated={"constant": SHARP, "weights_may_vanish": True},
        check=below_two,
        expected=Verdict.TRUE,
        cites=("Cauchy-Schwarz inequality for sums", "mean value inequality"),
        twins=(
            Twin("one per cent smaller", {"constant": LESS * SHARP}),
            Twin("the constant of p = 2", {"constant": EPSILON / LOWER}),
            Twin("without the factor 2^(2/q - 1)", {"constant": EPSILON / ((P - 1) * LOWER)}),
            Twin("p > 2, where a weight that vanishes breaks it", {"weights_may_vanish": False}),
        ),
        remark="It is at most epsilon/((p - 1) theta_min), equal to epsilon/theta_min at p = 2 (Lemma 2), "
        "and grows without bound as p -> 1. For d = 1 the attack is constant on every such set.",
    ),
    Claim(
        id="beyond.p-above-2",
        location=PLACE + ", Lemmas 2 and 3",
        kind="beyond",
        title="L_p attacks, p > 2: not Lipschitz at the axes",
        statement="For 2 < p < infinity and d >= 2 the L_p attack moves like |t|^(1/(p - 1)) as a weight t "
        "passes through 0, so that it is Hoelder with at most this exponent there, and not Lipschitz: p = 2 "
        "is the largest p with Lipschitz attacks around every theta != 0.",
        latex=r"|\delta_2(1,t)|=\varepsilon\,t^{1/(p-1)}\,(1+t^q)^{-1/p}",
        assumptions=("theta = (1, t), (1, -t) with t -> 0", "q = 1 + h < 2"),
        stated={"exponent": 1 / (P - 1)},
        check=above_two,
        expected=Verdict.TRUE,
        twins=(
            Twin("exponent 1 (Lipschitz)", {"exponent": sp.Integer(1)}),
            Twin("exponent 1/p", {"exponent": 1 / P}),
        ),
    ),
    Claim(
        id="beyond.p-1",
        location=PLACE,
        kind="beyond",
        title="L1 attacks jump where the largest weights tie",
        statement="For p = 1 and d >= 2 the attack jumps by sqrt(2) epsilon where |theta_i| = |theta_j| is "
        "the largest weight, so it is not Lipschitz there; elsewhere off the origin it is locally constant.",
        latex=r"\|x'(1+t,1)-x'(1,1+t)\|=\sqrt2\,\varepsilon",
        assumptions=("theta_1 = (1 + t, 1), theta_2 = (1, 1 + t), t -> 0",),
        stated={"jump": sp.sqrt(2) * EPSILON},
        check=at_ties,
        expected=Verdict.TRUE,
        twins=(
            Twin("a jump of 2 epsilon", {"jump": 2 * EPSILON}),
            Twin("no jump", {"jump": sp.Integer(0)}),
        ),
    ),
)
