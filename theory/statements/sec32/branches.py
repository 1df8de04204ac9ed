"""Arguments and example losses shared by the statements of Sec. 3.2: Lemmas 4 and 5, their prose and
what lies beyond them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sympy as sp

from theory.calculus.conditions import attack_jacobian
from theory.calculus.derivatives import mixed
from theory.deciders.exact import compare, identity
from theory.deciders.facts import ALL, Dimension, Fact, Grade, Question, Witness
from theory.deciders.reals import implies

CROSS = sp.Symbol("C_theta_x", positive=True)
SMOOTH = sp.Symbol("C_theta_theta", positive=True)
CURVATURE = sp.Symbol("c", positive=True)
THETA, X = sp.symbols("theta x", real=True)
SUM = SMOOTH + CROSS**2 / CURVATURE  # Lemma 1 with the attack's constant C_theta_x/c


def sharp_implies(
    says: str,
    hypotheses: Iterable[sp.Basic],
    left: sp.Expr,
    right: sp.Expr,
    equality: Mapping[sp.Symbol, object],
    *,
    dimension: Dimension = ALL,
    shows: tuple[str, ...] = (),
    method: str = "reduction to scalars, z3 on nonlinear real arithmetic",
) -> Iterator[Fact]:
    """Two facts: the hypotheses imply left <= right, and at the point `equality` they hold while left =
    right.

    The second keeps the first honest: were a hypothesis stronger than the argument supplies, or the bound
    looser than the argument gives, the point would miss it.
    """
    premises = [sp.sympify(h) for h in hypotheses]
    yield implies(says, premises, sp.Le(left, right), dimension=dimension, shows=shows, method=method)
    point = {str(symbol): sp.sympify(value) for symbol, value in equality.items()}
    broken = [h for h in premises if sp.simplify(h.subs(equality)) != sp.true]
    sides = sp.simplify(left.subs(equality)), sp.simplify(right.subs(equality))
    at = ", ".join(f"{name} = {value}" for name, value in point.items())
    witness = None if not broken and sides[0] == sides[1] else Witness(point, sides[0], "==", sides[1])
    yield Fact(
        f"equality is possible: the premises of that step hold and its two sides are equal at {at}",
        witness is None,
        Grade.PROVED,
        "substitution",
        dimension,
        (),
        witness,
        question=Question("attained", ([*premises, sp.Eq(left, right)], dict(equality))),
        uses=(says,),
    )


def movements_add(says: str) -> Iterator[Fact]:
    """Eq. (14) with attacks that move by at most (C_theta_x/c)|v|: the gradient moves by at most SUM |v|."""
    total, along, moved, first, second = (
        sp.Symbol(n, nonnegative=True)
        for n in ("|grad l_eps change|", "|v|", "|x' change|", "theta-part", "x-part")
    )
    yield from sharp_implies(
        says,
        [
            sp.Le(total, first + second),
            sp.Le(first, SMOOTH * along),
            sp.Le(second, CROSS * moved),
            sp.Le(moved, CROSS / CURVATURE * along),
        ],
        total,
        SUM * along,
        {SMOOTH: 5, CROSS: 3, CURVATURE: 2, along: 2, moved: 3, first: 10, second: 9, total: 19},
    )


def curvature_bound(
    constant: sp.Expr,
    cross: sp.Expr = CROSS,
    curvature: sp.Expr = CURVATURE,
    *,
    operator: str = "H",
    shows: tuple[str, ...] = (),
) -> Iterator[Fact]:
    """|w| <= constant |v| for every w with operator w = -B v, <w, operator w> <= -c |w|^2 and |B v| <= C
    |v|; all d.

    Only the scalars |w|, |v|, |Bv|, <w, operator w>, <w, Bv> occur, so the dimensions of w and v do not
    matter.
    """
    moved, along, pushed = sp.symbols("|w| |v| |Bv|", nonnegative=True)
    quadratic, work = sp.Symbol(f"<w,{operator}w>", real=True), sp.Symbol("<w,Bv>", real=True)
    hypotheses = [
        sp.Eq(quadratic, -work),  # the inner product of w with operator w = -B v
        sp.Le(quadratic, -curvature * moved**2),  # Rayleigh quotient: the largest eigenvalue is at most -c
        sp.Le(work, moved * pushed),  # Cauchy-Schwarz
        sp.Le(pushed, cross * along),  # the spectral norm of B is at most C
    ]
    equality = {
        moved: cross,
        along: curvature,
        pushed: cross * curvature,
        work: cross**2 * curvature,
        quadratic: -(cross**2) * curvature,
    }
    numbers = dict(
        zip(sorted((cross * curvature).free_symbols, key=str), (sp.Integer(3), sp.Integer(2)), strict=False)
    )
    yield from sharp_implies(
        f"|w| <= ({constant}) |v| whenever {operator} w = -B v, {operator} <= -{curvature} I and |B v| <= "
        f"{cross} |v|",
        hypotheses,
        moved,
        constant * along,
        {**numbers, **{symbol: value.subs(numbers) for symbol, value in equality.items()}},
        shows=shows,
    )


def linearised(
    jacobian: sp.Expr, hessian: sp.Expr, cross: sp.Expr, says: str, shows: tuple[str, ...] = ()
) -> Fact:
    """Whether w = jacobian v annuls the derivative of gradient(x' + t w, theta + t v) = t (H w + B v) +
    o(t) at t = 0; all d.

    `hessian`, `cross` and `jacobian` are noncommutative symbols (or products of them) that stand for blocks
    of any size.
    """
    t = sp.Symbol("t", real=True)
    v = sp.Symbol("v", commutative=False)
    along = sp.diff(hessian * (t * jacobian * v) + cross * (t * v), t)
    return identity(says, along, sp.Integer(0), shows=shows, method="chain rule in noncommutative blocks")


def segment_bound(slope: sp.Expr, constant: sp.Expr) -> Iterator[Fact]:
    """|g(theta_1) - g(theta_2)| <= constant |theta_1 - theta_2| from |D g| <= slope on the segment between
    them; any dimensions.

    With e = g(theta_1) - g(theta_2), the mean value theorem for t -> <e, g(theta_2 + t(theta_1 - theta_2))>
    gives |e|^2 = <e, D g(at some point of the segment)[theta_1 - theta_2]>.
    """
    gap, distance, image = sp.symbols("|e| |theta_1-theta_2| |Dg[theta_1-theta_2]|", nonnegative=True)
    numbers = {symbol: sp.Integer(n) for n, symbol in enumerate(sorted(slope.free_symbols, key=str), start=2)}
    value = slope.subs(numbers)
    yield from sharp_implies(
        f"a Jacobian of norm at most {slope} on the whole segment gives |g(theta_1) - g(theta_2)| <= "
        f"({constant}) |theta_1 - theta_2|",
        [sp.Le(gap**2, gap * image), sp.Le(image, slope * distance)],
        gap,
        constant * distance,
        {**numbers, gap: 3 * value, image: 3 * value, distance: sp.Integer(3)},
        shows=("|e|^2 = <e, Dg[theta_1 - theta_2]> <= |e| |Dg[theta_1 - theta_2]| on a segment inside U",),
    )


def larger(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """max(a, b), written so that sympy takes one-sided limits of it."""
    return (a + b + sp.Abs(a - b)) / 2


def smaller(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """min(a, b), written so that sympy takes one-sided limits of it."""
    return (a + b - sp.Abs(a - b)) / 2


def quadratic_example() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """For l = C theta x - c x^2/2 (d = 1, or the first coordinate in any d): |D x'|, |grad_theta grad_x
    l| and -grad_x^2 l, derived."""
    loss = CROSS * THETA * X - CURVATURE * X**2 / 2
    slope = attack_jacobian(loss, [X], [THETA], case="interior")[0]
    return sp.Abs(slope), sp.Abs(mixed(loss, [X], [THETA])[0]), -sp.diff(loss, X, 2)


def two_wells() -> sp.Expr:
    """l(x, theta) = theta x - (x^2 - 1)^2: two equal maxima x = -1, 1 at theta = 0; Assumption 1 holds
    with C_theta_x = 1 for |x| <= 2."""
    return THETA * X - (X**2 - 1) ** 2


def two_wells_facts() -> Iterator[Fact]:
    """For theta = 4a(a^2 - 1) > 0, a > 1, the maximiser of `two_wells` over the line is x = a and no
    other; by symmetry -a for -theta."""
    a = sp.Symbol("a", positive=True)
    loss = two_wells().subs(THETA, 4 * a * (a**2 - 1))
    yield identity(
        "x = a is stationary at theta = 4a(a^2 - 1)",
        sp.diff(loss, X).subs(X, a),
        sp.Integer(0),
        dimension=(1,),
    )
    yield identity(
        "l(a) - l(x) = (x - a)^2 ((x + a)^2 + 2(a^2 - 1))",
        loss.subs(X, a) - loss,
        (X - a) ** 2 * ((X + a) ** 2 + 2 * (a**2 - 1)),
        dimension=(1,),
    )
    yield implies(
        "x = a beats every other x",
        [sp.Gt(a, 1), sp.Ne(X, a)],
        sp.Gt(sp.expand(loss.subs(X, a) - loss), 0),
        dimension=(1,),
    )
    theta = sp.Symbol("theta", real=True)
    yield identity(
        "l(-x, -theta) = l(x, theta), so the maximiser for -theta is -a",
        two_wells().subs({X: -X, THETA: -theta}, simultaneous=True),
        two_wells(),
        dimension=(1,),
    )


def jump_of_two_wells(constant_per_unit: sp.Expr, says: str) -> Fact:
    """The attacks for theta = 231/250 and -231/250 are 11/10 and -11/10: 11/5 apart, whatever Lipschitz
    constant a branch has."""
    a = sp.Rational(11, 10)
    theta = 4 * a * (a**2 - 1)
    return compare(
        says,
        2 * a,
        "<=",
        constant_per_unit * 2 * theta,
        point={"theta_1": theta, "theta_2": -theta, "x": 0, "epsilon": 2},
        replay="l = theta x - (x^2 - 1)^2 on |x| <= 2: theta = 4x(x^2 - 1) at a maximum, so theta = 231/250 "
        "has its maximum at x = 11/10 and theta = -231/250 has it at x = -11/10.",
        dimension=(1,),
    )
