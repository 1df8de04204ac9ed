"""The determinant in Lemma 5 (Secs. 3.2.2, 3.2.3): what its sign says of a constrained maximum in each
dimension, and what suffices instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.conditions import sphere_conditions
from theory.calculus.derivatives import bordered_hessian
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin

LENGTH = sp.Symbol("|n|", positive=True)
DIMENSION = sp.Symbol("d", integer=True, positive=True)


def determinant(stated: SimpleNamespace) -> Iterator[Fact]:
    """Block elimination with triangular factors of determinant 1, for tangent blocks of any size."""
    h, row, column, block = sp.symbols("h b b^T A", commutative=False)
    bordered = sp.Matrix([[0, LENGTH, 0], [LENGTH, h, row], [0, column, block]])
    left = sp.Matrix([[1, 0, 0], [-h / LENGTH, 1, 0], [-column / LENGTH, 0, 1]])
    right = sp.Matrix([[1, 0, -row / LENGTH], [0, 1, 0], [0, 0, 1]])
    corner = sp.Matrix([[0, LENGTH], [LENGTH, 0]])
    yield identity(
        "elimination turns the bordered matrix in the basis (mu, n/|n|, tangent space) into [[0, |n|], "
        "[|n|, 0]] and A",
        (left * bordered * right).applyfunc(sp.expand),
        sp.diag(corner, block),
        method="noncommutative block algebra",
        shows=("A = T^T H_J T; a border of the other sign gives the same with -|n|",),
    )
    yield identity(f"so det K = ({stated.factor}) det A", stated.factor, corner.det())
    yield identity("for either sign of the border", stated.factor, (-corner).det())


def sign_at_a_maximum(stated: SimpleNamespace) -> Iterator[Fact]:
    """det K = -|n|^2 det A, and A < 0 of size d - 1 has det A = (-1)^(d-1) |det A|; d = 1 as the
    smallest instance."""
    if stated.sign != (-1) ** DIMENSION:
        yield from linear_loss(stated.sign)
    yield from determinant(SimpleNamespace(factor=-(LENGTH**2)))
    size = sp.Symbol("|det A|", positive=True)
    yield identity(
        f"({stated.sign}) det K is positive at a nondegenerate maximum, for the product of d - 1 "
        "negative eigenvalues has the sign (-1)^(d-1)",
        stated.sign * (-(LENGTH**2)) * (-1) ** (DIMENSION - 1) * size,
        LENGTH**2 * size,
    )
    yield never_positive_in_odd_dimension()


def never_positive_in_odd_dimension() -> Fact:
    """det K = -|n|^2 det A with A <= 0 of even size d - 1 = 2j (second-order necessary condition), so det A
    = |det A| >= 0; all odd d."""
    pairs = sp.Symbol("j", integer=True, nonnegative=True)
    size = sp.Symbol("|det A|", nonnegative=True)
    return identity(
        "for odd d = 2j + 1 every local maximum on the sphere, degenerate or not, has det K = -|n|^2 |det A| "
        "<= 0: none meets the printed det(grad^2 J) > 0",
        (-(LENGTH**2) * (-1) ** (DIMENSION - 1) * size).subs(DIMENSION, 2 * pairs + 1),
        -(LENGTH**2) * size,
        shows=(
            "K = grad^2 J, det K = -|n|^2 det A, A = T^T H_J T the tangent Hessian, of size d - 1 "
            "(lemma5.determinant)",
            "at a local maximum A <= 0, so det A is a product of d - 1 = 2j eigenvalues <= 0: it has the "
            "sign (-1)^(2j) = 1, or vanishes",
        ),
    )


def linear_loss(sign: sp.Expr) -> Iterator[Fact]:
    """Linear loss theta.x, epsilon = 1, theta = e_1: the strict global maximum x' = e_1 has det K =
    (-1)^d."""
    for d in (1, 3, 2):
        x, theta = sp.symbols(f"x1:{d + 1}", real=True), sp.symbols(f"theta1:{d + 1}", real=True)
        loss = sum(a * b for a, b in zip(x, theta, strict=True))
        at = {**dict.fromkeys([*x, *theta], 0), x[0]: 1, theta[0]: 1}
        found = bordered_hessian(loss, x, [0] * d, 1, at=at).det()
        yield compare(
            f"the L2 attack on theta.x at d = {d}, a strict maximum, has det(grad^2 J) "
            f"{'>' if sign.subs(DIMENSION, d) > 0 else '<'} 0",
            sign.subs(DIMENSION, d) * found,
            ">",
            sp.Integer(0),
            shows=(
                f"the determinant at d = {d}: l = theta.x, theta = e_1, epsilon = 1, attack e_1, mu = 1, "
                f"det(grad^2 J) = {found}",
            ),
            point={"d": d, "theta": "e_1", "x": 0, "epsilon": 1, "x'": "e_1", "mu": 1},
            replay="d = 1, l = theta x, theta = 1: J = x' - mu (x' - 1), grad^2 J = [[0, -1], [-1, 0]], det "
            "= -1. d = 3: grad^2 J = [[0,-1,0,0],[-1,0,0,0],[0,0,-1,0],[0,0,0,-1]], det = -1, too.",
            dimension=(d,),
        )


def sufficient(stated: SimpleNamespace) -> Iterator[Fact]:
    """The condition named against stationary points that are no maxima; then, for the tangent condition,
    the proof in all d."""
    if stated.condition == "det > 0":
        yield from _not_a_maximum(
            3,
            1,
            lambda x: x[0] + x[1] ** 2,
            "l = x_1 + x_2^2 (d = 3) is stationary on the unit sphere at e_1 with mu = 1 and det K = 1 > 0, "
            "yet l(e_1) = 1 and l(4/5, 3/5, 0) = 4/5 + 9/25 = 29/25.",
        )
        yield from _not_a_maximum(
            4,
            1,
            lambda x: x[0] + x[1] ** 2 + x[2] ** 2,
            "l = x_1 + x_2^2 + x_3^2 (d = 4) has det K = 1 > 0 at e_1 with mu = 1, yet l(e_1) = 1 and "
            "l(4/5, 3/5, 0, 0) = 29/25: an even d does not help.",
        )
    if stated.condition == "sign (-1)^d":
        yield from _not_a_maximum(
            3,
            -1,
            lambda x: x[0] + x[1] ** 2 + x[2] ** 2,
            "l = x_1 + x_2^2 + x_3^2 (d = 3) has det K = -1 at e_1, the sign of a maximum, yet l(e_1) = 1 "
            "and l(4/5, 3/5, 0) = 29/25.",
        )
    if not stated.positive:
        yield from _minimum_towards_the_centre()
    yield from second_order_sufficiency(stated.positive, stated.condition != "tangent <= 0")
    yield never_positive_in_odd_dimension()


def _not_a_maximum(
    d: int, sign: int, of: Callable[[tuple[sp.Symbol, ...]], sp.Expr], replay: str
) -> Iterator[Fact]:
    """e_1 is stationary for the loss `of(x)` on the unit sphere of R^d, mu = 1, det K = sign; the loss grows
    along the circle to e_2."""
    x = sp.symbols(f"x1:{d + 1}", real=True)
    s = sp.Symbol("s", positive=True)
    loss, where, rest = of(x), (d,), dict.fromkeys(x[2:], 0)
    at = {x[0]: 1, x[1]: 0, **rest}
    conditions = sphere_conditions(loss, x, [0] * d, at)
    yield identity(
        f"e_1 is stationary on the unit sphere for l = {loss}",
        conditions.residual,
        sp.zeros(d, 1),
        dimension=where,
    )
    yield identity("with the multiplier 1", conditions.multipliers[0], sp.Integer(1), dimension=where)
    found = bordered_hessian(loss, x, [0] * d, 1, at=at).det()
    yield identity(
        f"the determinant of its bordered Hessian is {sign}", found, sp.Integer(sign), dimension=where
    )
    circle = {x[0]: (1 - s**2) / (1 + s**2), x[1]: 2 * s / (1 + s**2), **rest}
    yield implies(
        "l is larger than l(e_1) all along the circle through e_1 and e_2 near e_1",
        [sp.Lt(s, 1)],
        sp.Lt(loss.subs(at), sp.together(loss.subs(circle))),
        dimension=where,
    )
    higher = {x[0]: sp.Rational(4, 5), x[1]: sp.Rational(3, 5), **rest}
    yield compare(
        "l(e_1) is at least l(4/5, 3/5, 0, ...), both on the unit sphere",
        loss.subs(at),
        ">=",
        loss.subs(higher),
        point={"x*": "e_1", "epsilon": 1, "mu": 1, "det K": sign},
        replay=replay,
        dimension=where,
    )


def _minimum_towards_the_centre() -> Iterator[Fact]:
    """d = 2, l = -x_1 - x_2^2: stationary at e_1 with mu = -1, tangent Hessian -1, det K = 1; the loss
    grows inwards."""
    x = sp.symbols("x1:3", real=True)
    loss, at = -x[0] - x[1] ** 2, {x[0]: 1, x[1]: 0}
    yield identity(
        "the multiplier is -1",
        sphere_conditions(loss, x, [0, 0], at).multipliers[0],
        sp.Integer(-1),
        dimension=(2,),
    )
    yield compare(
        "the tangent Hessian is negative",
        sphere_conditions(loss, x, [0, 0], at).reduced_hessian[0],
        "<",
        sp.Integer(0),
        dimension=(2,),
    )
    yield compare(
        "det K > 0", bordered_hessian(loss, x, [0, 0], -1, at=at).det(), ">", sp.Integer(0), dimension=(2,)
    )
    yield compare(
        "l(1, 0) is at least l(1/2, 0)",
        loss.subs(at),
        ">=",
        loss.subs({x[0]: sp.Rational(1, 2), x[1]: 0}),
        point={"x*": "(1, 0)", "epsilon": 1, "mu": -1},
        replay="l = -x_1 - x_2^2: l(1, 0) = -1 < -1/2 = l(1/2, 0), and the same for every (t, 0), 0 <= t < "
        "1.",
        dimension=(2,),
    )


def second_order_sufficiency(positive: bool, definite: bool) -> Iterator[Fact]:
    """At a stationary point with mu > 0 and T^T H_J T <= -k, every small admissible step lowers the loss;
    all d.

    With epsilon = 1 (a unit of length), a step is -s n + tau, |tau| = T, and |x' - x| <= 1 says 2s >= s^2 +
    T^2. Taylor gives l(x* + p) - l(x*) <= -mu s + M s^2/2 + M s T + (mu - k) T^2/2 + rho (s^2 + T^2), for
    <tau, grad_x^2 l tau> = <tau, H_J tau> + mu T^2.
    """
    s, tau, bound, radius, remainder = (sp.Symbol(n, nonnegative=True) for n in ("s", "T", "M", "r", "rho"))
    mu = sp.Symbol("mu", positive=True) if positive else sp.Symbol("mu", real=True)
    k = sp.Symbol("k", positive=True) if definite else sp.Symbol("k", nonnegative=True)
    change = sp.Symbol("l(x*+p)-l(x*)", real=True)
    # What is not positive gives no scale to be small against; then 1 takes its place.
    limits = (k if definite else sp.Integer(1), 2 * mu if positive else sp.Integer(1))
    yield implies(
        "a step p = -s n + tau into the ball lowers the loss once |p| and the remainder are small against k "
        "and mu",
        [
            sp.Ge(2 * s, s**2 + tau**2),
            sp.Gt(s + tau, 0),
            sp.Le(s, radius),
            sp.Le(tau, radius),
            *(sp.Le(small, limit) for small in (4 * bound * radius, 16 * remainder) for limit in limits),
            sp.Le(radius, 1),
            sp.Le(
                change,
                -mu * s
                + bound * s**2 / 2
                + bound * s * tau
                + (mu - k) * tau**2 / 2
                + remainder * (s**2 + tau**2),
            ),
        ],
        sp.Lt(change, 0),
        method="second-order expansion in scalars, z3 on nonlinear real arithmetic",
        shows=(
            "mu > 0, T^T H_J T <= -k I, k > 0: the strict second-order condition of constrained optimization",
            "in units with epsilon = 1: n is the outward normal, s the inward part of p, T = |tau| its "
            "tangential part",
            "2 s >= s^2 + T^2 says that x* + p stays in the ball; M >= |grad_x^2 l(x*)|",
            "Taylor's remainder is at most rho |p|^2 with rho -> 0; s, T <= r; 'small' means that 4 M r and "
            "16 rho are at most k and 2 mu",
        ),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="lemma5.determinant",
        location="beyond Lemma 5 (its determinant condition)",
        kind="beyond",
        title="det of the bordered Hessian = -|n|^2 det(tangent Hessian)",
        statement="det(grad^2 J) = -|n|^2 det(T^T (grad_x^2 l - mu grad_x^2 ||x' - x||) T), T a basis of "
        "the tangent space, in every dimension d.",
        latex=r"\det\nabla^2_{\tilde x}J=-\|n\|^2\det(T^TH_JT)",
        assumptions=(
            "n = grad ||x' - x|| != 0; |n| = 1 for L2",
            "T has orthonormal columns; the 0 x 0 determinant (d = 1) is 1",
        ),
        stated={"factor": -(LENGTH**2)},
        check=determinant,
        expected=Verdict.TRUE,
        twins=(
            Twin("sign flipped", {"factor": LENGTH**2}),
            Twin("length not squared", {"factor": -LENGTH}),
            Twin("one per cent off", {"factor": -sp.Rational(101, 100) * LENGTH**2}),
        ),
    ),
    Claim(
        id="lemma5.odd-dimension",
        location="Sec. 3.2.2, Lemma 5; App. A",
        kind="reading",
        title="Lemma 5's det(grad^2 J) > 0 is met by maxima in every d",
        statement="Lemma 5 assumes 'the local maximum point satisfying det(grad^2 J) > 0', in any dimension: "
        "taken to be a condition that nondegenerate local maxima on the L2 sphere satisfy.",
        assumptions=(
            "the lemma assumes the condition and does not say when it holds; Sec. 3.2.2 concludes from the "
            "lemma, for inputs of any dimension d, that adversarial loss can be locally smooth",
        ),
        stated={"sign": sp.Integer(1)},
        check=sign_at_a_maximum,
        expected=Verdict.FALSE,
        sides=(-1, 0),
        corrected=Reading(
            statement="At a nondegenerate maximum the determinant has the sign (-1)^d: positive for even d, "
            "negative for odd d. For odd d no local maximum, degenerate or not, meets the printed "
            "hypothesis, so Lemma 5 as printed says nothing there; at d = 1 the determinant is always "
            "-1.",
            latex=r"\operatorname{sign}\det\nabla^2_{\tilde x}J=(-1)^d",
            stated={"sign": (-1) ** DIMENSION},
        ),
        twins=(
            Twin("positive in every dimension", {"sign": sp.Integer(1)}),
            Twin("negative in every dimension", {"sign": sp.Integer(-1)}),
            Twin("sign (-1)^(d+1)", {"sign": (-1) ** (DIMENSION + 1)}),
        ),
    ),
    Claim(
        id="sec322.determinant-sufficient",
        location="Sec. 3.2.2, after Eq. (22); Sec. 3.2.3 ('a sufficient condition for the local maximum "
        "point in Lemmas 4 and 5')",
        kind="prose",
        title="'det(grad^2 J) > 0 is sufficient for a local maximum'",
        statement="The condition det(grad^2 J) > 0 is a sufficient condition of the local maximum point for "
        "constrained optimization problems.",
        assumptions=("the point is stationary for J", "any dimension d, for none is named"),
        stated={"condition": "det > 0", "positive": True},
        check=sufficient,
        expected=Verdict.FALSE,
        sides=(1, sp.Rational(29, 25)),
        corrected=Reading(
            statement="A stationary point with mu > 0 whose tangent Hessian T^T H_J T is negative definite "
            "is a strict local maximum of the ball, in every d. For odd d det(grad^2 J) > 0 excludes a local "
            "maximum.",
            latex=r"\mu>0,\quad T^TH_JT\prec0",
            stated={"condition": "tangent < 0"},
        ),
        twins=(
            Twin("det > 0", {"condition": "det > 0"}),
            Twin("the sign (-1)^d of a maximum", {"condition": "sign (-1)^d"}),
            Twin("tangent Hessian only semidefinite", {"condition": "tangent <= 0"}),
            Twin("multiplier of either sign", {"positive": False}),
        ),
        remark="By lemma5.determinant: at d = 2 the corrected condition is mu > 0 with det > 0; for odd d, "
        "at d = 3 for one, det > 0 excludes a maximum (a negative semidefinite block of even size has a "
        "determinant >= 0), so that Lemma 5, which assumes both, says nothing there (lemma5.odd-dimension); "
        "from d = 3 on no sign of the determinant suffices, for two eigenvalues of the tangent Hessian can "
        "be positive.",
    ),
)
