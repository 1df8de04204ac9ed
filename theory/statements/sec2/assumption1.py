"""Assumption 1 (Eqs. 5-7): three Lipschitz conditions on the loss, and whether the loss of Sec. 3.1 meets
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.balls import certify
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec2.definition1 import C, D, at

ANY = sp.Symbol("K", positive=True)  # any constant that someone might claim
SLOPE = sp.Symbol("s", positive=True)  # sigmoid(-y theta.x), between 0 and 1
X, THETA = sp.symbols("x theta", real=True)
GRAM = "Gram reduction, z3 on nonlinear real arithmetic"


def three_conditions(stated: SimpleNamespace) -> Iterator[Fact]:
    """Each of Eqs. (5)-(7) on the simplest loss that has the constant in question: <c, theta>,
    a||theta||^2/2, b<theta, x>.
    """
    space = Space("c", "u")  # u = theta_1 - theta_2, or x_1 - x_2 in Eq. (7)
    c, u = space.vectors()
    length, gap, scale = space.length("c"), space.length("u"), sp.Symbol("a", positive=True)
    yield implies(
        "Eq. (5) for l = <c, theta>: C_theta = ||c||",
        space.gram_conditions(),
        sp.Le(space.inner(c, u) ** 2, at(stated.loss, length, gap) ** 2),
        method=GRAM,
    )
    yield identity(
        "with equality along c", space.inner(c, scale * c), at(stated.loss, length, scale * length)
    )
    yield identity(
        "Eq. (6) for l = a ||theta||^2/2, gradient a theta: C_thetatheta = a, with equality for every pair",
        space.norm(scale * u),
        at(stated.gradient, scale, gap),
    )
    yield identity(
        "Eq. (7) for l = a <theta, x>, gradient a x: C_thetax = a, with equality for every pair",
        space.norm(scale * u),
        at(stated.mixed, scale, gap),
    )


def which_gradient(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = 2 theta x + 2 x^2: d^2 l/(dtheta dx) = 2 but d^2 l/dx^2 = 4; which of the two does the constant of
    Eq. (7) bound?
    """
    loss = 2 * THETA * X + 2 * X**2
    constant = sp.diff(loss, THETA, X)
    gradient = sp.diff(loss, {"x": X, "theta": THETA}[stated.gradient_in])
    moved = gradient.subs(X, 1) - gradient.subs(X, 0)
    yield compare(
        "the gradient moves by at most C_thetax |x_1 - x_2|",
        moved,
        "<=",
        stated.factor * constant,
        point={"l": str(loss), "C_thetax": constant, "x_1": 1, "x_2": 0, "theta": "any"},
        replay="grad_theta l = 2x moves by 2 from x = 0 to x = 1, so C_thetax = 2; grad_x l = 2 theta + 4x "
        "moves by 4.",
        dimension=(1,),
    )
    yield identity("and it attains that bound", moved, stated.factor * constant, dimension=(1,))


def logistic_on_all_of_space(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (7) for log(1 + exp(-theta.x)) at theta = (0, 8 K log 3), x_1 = (1, 0), x_2 = (1, 1/(8K)), for
    any constant K.
    """
    if not stated.bounded:
        step = 1 / (8 * ANY)
        theta, one, two = sp.Matrix([0, 8 * ANY * sp.log(3)]), sp.Matrix([1, 0]), sp.Matrix([1, step])
        first, second = (-_sigmoid(-theta.dot(x)) * x for x in (one, two))
        yield compare(
            "the first component of grad_theta l moves by at most K ||x_1 - x_2||",
            sp.simplify(second[0] - first[0]),
            "<=",
            sp.simplify(ANY * (two - one).norm()),
            point={"theta": "(0, 8 K log 3)", "x_1": "(1, 0)", "x_2": "(1, 1/(8K))", "y": 1, "K": "any"},
            replay="K is any constant that someone might claim. theta.x is 0 and log 3, so grad_theta l = "
            "-sigmoid(-theta.x) x has first component -1/2 and -1/4; K||x_1 - x_2|| = 1/8.",
            dimension=(2,),
        )
    yield from _jacobian_of_the_gradient()
    t = sp.Symbol("t", real=True)
    slope = _sigmoid(-t)
    yield limit("sup over theta of s is 1", slope, t, -sp.oo, stated.largest_slope, direction="+")
    yield implies("s(1 - s) <= 1/4", [], sp.Le(SLOPE * (1 - SLOPE), stated.largest_curvature))
    yield identity(
        "attained at s = 1/2", (SLOPE * (1 - SLOPE)).subs(SLOPE, sp.Rational(1, 2)), stated.largest_curvature
    )
    length, reach, size, most = sp.symbols("|theta| R |x| X", nonnegative=True)
    yield implies(
        "||theta|| <= R, ||x|| <= X: the two parts of the Jacobian -y s I + s(1-s) x theta^T have norms of "
        "at most 1 and R X/4, so by the mean value inequality along a segment of x their sum is a constant",
        [sp.Le(SLOPE, stated.largest_slope), sp.Le(length, reach), sp.Le(size, most)],
        sp.And(
            sp.Le(SLOPE, 1),
            sp.Le(SLOPE * (1 - SLOPE) * size * length, stated.largest_curvature * reach * most),
        ),
    )


def _jacobian_of_the_gradient() -> Iterator[Fact]:
    """D_x grad_theta l [v] = -y s v + s(1-s) <theta, v> x, and the same for theta: s' = s(1-s) is all
    there is to it.
    """
    t, label = sp.Symbol("t", real=True), sp.Symbol("y", real=True)
    s = _sigmoid(-t)
    yield identity("s = sigmoid(-t) has s' = -s(1 - s)", sp.diff(s, t), -s * (1 - s))
    space = Space("theta", "x", "v")
    theta, x, v = space.vectors()
    h = sp.Symbol("h", real=True)
    moved = x + h * v
    value = _sigmoid(-label * space.inner(theta, moved))
    derived = (-label * value * moved).map(lambda part: sp.diff(part, h).subs(h, 0))
    at_x = _sigmoid(-label * space.inner(theta, x))
    printed = (-label * at_x) * v + (label**2 * at_x * (1 - at_x) * space.inner(theta, v)) * x
    for name in ("v", "x"):
        yield identity(
            f"D_x grad_theta l [v] = -y s v + s(1 - s) <theta, v> x for y = -1, 1: {name}-component",
            derived.coefficients[name],
            printed.coefficients[name],
            method="directional derivative in Gram scalars, sympy identity",
        )


def one_dimension(stated: SimpleNamespace) -> Iterator[Fact]:
    """d = 1: |d/dx grad_theta l| = s |1 - (1 - s) u| with u = y theta x is bounded for all theta by its
    value at u = -v.
    """
    u, v = sp.symbols("u v", real=True)
    rate = sp.simplify(sp.diff(-_sigmoid(-THETA * X) * X, X)).subs(THETA, u / X)
    swish = v * _sigmoid(v)
    yield identity(
        "with u = -v it is the derivative of the swish function v sigmoid(v)",
        -rate.subs(u, -v),
        sp.diff(swish, v),
    )
    yield identity(
        "on the other side of 0 it is 1 minus that", sp.diff(swish, v).subs(v, -v), 1 - sp.diff(swish, v)
    )
    ratio = (2 - v * sp.tanh(v / 2)) * _sigmoid(v) * _sigmoid(-v)
    yield identity(
        "whose own derivative has the sign of 2 - v tanh(v/2), positive up to the root v* and negative "
        "beyond",
        sp.diff(swish, v, 2).rewrite(sp.exp),
        ratio.rewrite(sp.exp),
    )
    s = sp.Symbol("sigma", positive=True)  # sigmoid(v*); tanh(v/2) = 2 sigma - 1
    root = 2 / (2 * s - 1)
    yield identity("and whose value at v* is 1/2 + v*/4", s + root * s * (1 - s), stated.value.subs(v, root))
    low, high = stated.root, stated.root + sp.Rational(1, 10000)
    crossing = v * sp.tanh(v / 2) - 2
    yield certify(f"v* lies above {low}", -crossing, {v: (0, low)}, dimension=(1,))
    yield certify(f"v* lies below {high}", crossing, {v: (high, high)}, dimension=(1,))


def _sigmoid(t: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-t))


V = sp.Symbol("v", real=True)

CLAIMS = (
    Claim(
        id="assumption1",
        location="Sec. 2.1, Assumption 1",
        kind="assumption",
        equations=(5, 6, 7),
        title="Three Lipschitz conditions on the loss",
        statement="l is C_theta-Lipschitz in theta (5), grad_theta l is C_thetatheta-Lipschitz in theta (6) "
        "and C_thetax-Lipschitz in x (7), each constant finite and the same for all values of the other "
        "argument.",
        latex=r"\begin{aligned}\|\ell(x,\theta_1)-\ell(x,\theta_2)\|&\le C_\theta\|\theta_1-\theta_2\|\\"
        r"\|\nabla_\theta\ell(x,\theta_1)-\nabla_\theta\ell(x,\theta_2)\|&\le "
        r"C_{\theta\theta}\|\theta_1-\theta_2\|\\"
        r"\|\nabla_\theta\ell(x_1,\theta)-\nabla_\theta\ell(x_2,\theta)\|&\le C_{\theta "
        r"x}\|x_1-x_2\|\end{aligned}",
        stated={"loss": C * D, "gradient": C * D, "mixed": C * D},
        check=three_conditions,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("Eq. (5) one per cent less", {"loss": sp.Rational(99, 100) * C * D}),
            Twin("Eq. (6) one per cent more", {"gradient": sp.Rational(101, 100) * C * D}),
            Twin("Eq. (7) with the distance squared", {"mixed": C * D**2}),
        ),
        remark="Pinned by the constants of the simplest losses. The ranges of x and theta are not printed; "
        "they matter, see assumption1.everywhere.",
    ),
    Claim(
        id="assumption1.with-respect-to-x",
        location="Sec. 2.1, below Assumption 1",
        kind="prose",
        title="Eq. (7) says C_thetax-smooth with respect to x",
        statement="Assumption 1 states that l is C_thetax-smooth with respect to x, that is by Definition "
        "1: grad_x l is C_thetax-Lipschitz in x.",
        latex=r"\|\nabla_x\ell(x_1,\theta)-\nabla_x\ell(x_2,\theta)\|\le C_{\theta x}\|x_1-x_2\|",
        slip=True,
        stated={"gradient_in": "x", "factor": sp.Integer(1)},
        check=which_gradient,
        expected=Verdict.TYPO,
        sides=(4, 2),
        corrected=Reading(
            statement="Eq. (7) says that grad_theta l is C_thetax-Lipschitz with respect to x.",
            latex=r"\|\nabla_\theta\ell(x_1,\theta)-\nabla_\theta\ell(x_2,\theta)\|\le C_{\theta "
            r"x}\|x_1-x_2\|",
            stated={"gradient_in": "theta"},
        ),
        twins=(
            Twin("the gradient in x", {"gradient_in": "x"}),
            Twin("one per cent less", {"factor": sp.Rational(99, 100)}),
            Twin("one per cent more", {"factor": sp.Rational(101, 100)}),
        ),
    ),
    Claim(
        id="assumption1.everywhere",
        location="Sec. 2.1, Assumption 1, as Theorem 1 uses it",
        kind="reading",
        equations=(7,),
        title="The linear model's loss has a finite C_thetax",
        statement="Eq. (16) is printed for all theta with ||theta|| >= theta_min and with the constants of "
        "Assumption 1; so the loss log(1 + exp(-y theta.x)) of Sec. 3.1 has one C_thetax < infinity for all "
        "these theta.",
        latex=r"C_{\theta x}<\infty",
        assumptions=(
            "theta ranges over ||theta|| >= theta_min as in Theorem 1, or over R^d; x over R^d or a ball",
            "d >= 2 (see beyond.c-theta-x-line)",
        ),
        stated={"bounded": False, "largest_slope": sp.Integer(1), "largest_curvature": sp.Rational(1, 4)},
        check=logistic_on_all_of_space,
        expected=Verdict.FALSE,
        sides=(sp.Rational(1, 4), sp.Rational(1, 8)),
        corrected=Reading(
            statement="On bounded sets of theta and x the constant is finite: C_thetax <= 1 + R X/4 for "
            "||theta|| <= R and x in a ball (or convex set) where ||x|| <= X; 1 is the supremum of the slope "
            "s and 1/4 the maximum of s(1 - s).",
            latex=r"D_x\nabla_\theta\ell=-ysI+s(1-s)x\theta^T,\quad C_{\theta x}\le1+\tfrac14RX",
            stated={"bounded": True},
        ),
        twins=(
            Twin("no bound on theta", {"bounded": False}),
            Twin("slope one per cent larger", {"largest_slope": sp.Rational(101, 100)}),
            Twin("curvature one per cent smaller", {"largest_curvature": sp.Rational(99, 400)}),
            Twin("curvature one per cent larger", {"largest_curvature": sp.Rational(101, 400)}),
        ),
        remark="This is where 'on a bounded set' in Theorem 1 is needed: with theta orthogonal to x and "
        "long, a small move of x swings the margin. Likewise C_theta = sup ||x|| and C_thetatheta = sup "
        "||x||^2/4 need bounded data.",
    ),
    Claim(
        id="beyond.c-theta-x-line",
        location="Sec. 2.1, Assumption 1, d = 1",
        kind="beyond",
        equations=(7,),
        title="For d = 1 the logistic C_thetax is 1/2 + v*/4",
        statement="For d = 1 the logistic loss meets Eq. (7) for all theta and x with the sharp constant "
        "1/2 + v*/4 = 1.0998..., where v* = 2.3993... is the positive root of v tanh(v/2) = 2: the largest "
        "slope of the swish function.",
        latex=r"C_{\theta x}=\max_v\frac{d}{dv}\frac{v}{1+e^{-v}}=\frac12+\frac{v^*}4,\quad "
        r"v^*\tanh\frac{v^*}2=2",
        assumptions=("d = 1",),
        stated={
            "value": sp.Rational(1, 2) + V / 4,
            "root": sp.Rational(23993, 10000),
        },
        check=one_dimension,
        expected=Verdict.TRUE,
        twins=(
            Twin("value one per cent larger", {"value": sp.Rational(101, 100) * (sp.Rational(1, 2) + V / 4)}),
            Twin("v*/2 for v*/4", {"value": sp.Rational(1, 2) + V / 2}),
            Twin(
                "root one per cent higher",
                {"root": sp.Rational(24233, 10000)},
            ),
        ),
    ),
)
