"""Beyond Lemma 5: the attack's Jacobian on the tangent space of the sphere, its constant, and what the
bordered Hessian adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.conditions import attack_jacobian
from theory.calculus.derivatives import bordered_hessian, gradient, mixed
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Tightness, Twin
from theory.statements import measured
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    curvature_bound,
    segment_bound,
    sharp_implies,
)
from theory.statements.sec32.lemma5_determinant import second_order_sufficiency

TANGENT_CROSS = sp.Symbol("C_tangent", positive=True)
TANGENT_CURVATURE = sp.Symbol("c_T", positive=True)
BORDERED = sp.Symbol("c_K", positive=True)
EPSILON, THETA_MIN = sp.symbols("epsilon theta_min", positive=True)
SCALE = sp.Symbol("k", positive=True)
NORMAL_ENTRY, ROW, COLUMN, TANGENT = sp.symbols("h b b^T A", commutative=False)
METHOD = "noncommutative block algebra"


def tangent(stated: SimpleNamespace) -> Iterator[Fact]:
    """Solve K z = -(0, B v) in the basis (mu, normal, tangent), for blocks of any size; then Rayleigh on
    the tangent block."""
    K, inverse = bordered_blocks()
    yield identity(
        "the inverse of K, with K = [[0, -1, 0], [-1, h, b], [0, b^T, A]] in the basis (mu, n, tangent "
        "space)",
        (K * inverse).applyfunc(sp.expand),
        sp.eye(3),
        method=METHOD,
        shows=(
            "H_J = grad_x^2 l - mu grad_x^2 ||x' - x|| has the entry h along n, the row b between n and the "
            "tangent space, the block A = T^T H_J T",
            "K^{-1} = [[b A^{-1} b^T - h, -1, b A^{-1}], [-1, 0, 0], [A^{-1} b^T, 0, A^{-1}]]: its tangent "
            "block is A^{-1}",
        ),
    )
    along_normal, along_tangent = sp.symbols("B_n B_T", commutative=False)
    solution = -inverse * sp.Matrix([0, along_normal, along_tangent])
    yield identity("the attack does not move along the normal", solution[1], sp.Integer(0), method=METHOD)
    yield identity(
        f"and moves by D x' = ({stated.jacobian}) B_T on the tangent space, B_T = T^T B",
        solution[2],
        stated.jacobian * along_tangent,
        method=METHOD,
    )
    yield from curvature_bound(
        stated.constant,
        TANGENT_CROSS,
        TANGENT_CURVATURE,
        operator="A",
        shows=(
            "here B stands for T^T B and w for the tangent coordinates of D x' v: A w = -B v",
            "A <= -c_T I and |T^T B| <= C_tangent at every theta of U: so |D x'| <= C_tangent/c_T all over U",
        ),
    )
    yield from segment_bound(TANGENT_CROSS / TANGENT_CURVATURE, stated.constant)
    yield from second_order_sufficiency(positive=stated.positive_multiplier, definite=True)
    yield from tangent_no_worse()
    slope, cross, curvature = linear_example()
    yield identity(
        "the constant is attained by l = 3 theta.x, epsilon = 6, theta = (1, 0) (d = 2; the first two "
        "coordinates of any d >= 2)",
        slope,
        stated.constant.subs({TANGENT_CROSS: cross, TANGENT_CURVATURE: curvature}),
    )
    if not stated.along_branch:
        yield from at_the_point(stated.constant)


def at_the_point(constant: sp.Expr) -> Iterator[Fact]:
    """l = x_1 + theta x_2 + x_2^3/6 on the unit disc: c_T = C_tangent = 1 at theta = 0, x* = (1, 0), but the
    attack moves by more than theta."""
    x, theta, t = sp.symbols("x1:3", real=True), sp.Symbol("theta", real=True), sp.Symbol("t", real=True)
    loss = x[0] + theta * x[1] + x[1] ** 3 / 6
    cosine, sine = (1 - t**2) / (1 + t**2), 2 * t / (1 + t**2)
    moved = {x[0]: cosine, x[1]: sine, theta: sine / cosine - sine**2 / 2}
    two = (2,)
    yield identity(
        "grad_x l = mu x' with mu = 1/cos at x' = (cos, sin), theta = sin/cos - sin^2/2 (t = tan of half the "
        "angle)",
        gradient(loss, x).subs(moved),
        sp.Matrix([cosine, sine]) / cosine,
        dimension=two,
    )
    yield implies(
        "it is the attack for 0 <= t < 1: along the circle l has the slope cos (theta - sin/cos + sin^2/2), "
        "and theta - sin/cos + sin^2/2 falls, by 1/cos^2 - sin cos > 0; where cos <= 0 the mirror image is "
        "better",
        [sp.Gt(t, -1), sp.Lt(t, 1)],
        sp.Gt(sp.together(1 / cosine**2 - sine * cosine), 0),
        dimension=two,
    )
    at_zero = {
        TANGENT_CROSS: mixed(loss, x, [theta])[1],
        TANGENT_CURVATURE: 1 - sp.diff(loss, x[1], 2).subs(x[1], 0),
    }
    yield implies(
        "the attack for theta has moved by more than theta, for every small theta: no neighbourhood helps",
        [sp.Gt(t, 0), sp.Le(t, sp.Rational(1, 3))],
        sp.Gt(sp.together((1 - cosine) ** 2 + sine**2), sp.together(moved[theta] ** 2)),
        dimension=two,
    )
    third = {t: sp.Rational(1, 3)}
    yield compare(
        "the attacks for theta = 0 and theta = 57/100 are within C_tangent/c_T of each other's thetas",
        sp.sqrt(((1 - cosine) ** 2 + sine**2).subs(third)),
        "<=",
        constant.subs(at_zero) * moved[theta].subs(third),
        point={"theta_1": 0, "theta_2": "57/100", "x*": "(1, 0)", "C_tangent": 1, "c_T": 1},
        replay="l = x_1 + theta x_2 + x_2^3/6 on the unit disc. theta = 0: attack (1, 0), mu = 1, T = (0, 1), "
        "T^T H_J T = 0 - 1. theta = 57/100: grad_x l = (1, 57/100 + 18/100) = (5/4)(4/5, 3/5), so the attack "
        "is (4/5, 3/5), and sqrt(1/25 + 9/25) = sqrt(10)/5 = 0.632... > 0.57.",
        dimension=two,
    )


def bordered_blocks() -> tuple[sp.Matrix, sp.Matrix]:
    """The bordered Hessian of Eq. (20) in the basis (mu, n, tangent space), |n| = 1, and a candidate for
    its inverse."""
    K = sp.Matrix([[0, -1, 0], [-1, NORMAL_ENTRY, ROW], [0, COLUMN, TANGENT]])
    inner = TANGENT**-1
    inverse = sp.Matrix(
        [
            [-NORMAL_ENTRY + ROW * inner * COLUMN, -1, ROW * inner],
            [-1, 0, 0],
            [inner * COLUMN, 0, inner],
        ]
    )
    return K, inverse


def tangent_no_worse() -> Iterator[Fact]:
    """A^{-1} is a block of K^{-1}, so 1/c_T <= 1/c; T^T B is a part of B, so C_tangent <= C_theta_x;
    hence the quotient is no larger."""
    image = sp.Symbol("|K^(-1)(0,0,u)|", nonnegative=True)
    yield from sharp_implies(
        "with -c_T the largest eigenvalue of A itself, C_tangent/c_T <= C_theta_x/c for the c of Lemma 5 (u "
        "the unit eigenvector of A with A u = -c_T u); so at each theta of U, and for the suprema over U",
        [
            sp.Le(1, image * TANGENT_CURVATURE),  # 1/c_T = |A^{-1} u| <= |K^{-1}(0, 0, u)|
            sp.Le(image * BORDERED, 1),  # c is the smallest singular value of K
            sp.Le(TANGENT_CROSS, CROSS),
        ],
        TANGENT_CROSS * BORDERED,
        CROSS * TANGENT_CURVATURE,
        {
            image: 2,
            TANGENT_CURVATURE: sp.Rational(1, 2),
            BORDERED: sp.Rational(1, 2),
            CROSS: 3,
            TANGENT_CROSS: 3,
        },
    )


def linear_example(scale: object = 3, epsilon: object = 6) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """l = scale theta.x around 0 at theta = (1, 0), x' = (epsilon, 0): |D x'|, C_theta_x and c = min
    singular value of K, all derived."""
    x, theta = sp.symbols("x1:3", real=True), sp.symbols("theta1:3", real=True)
    scale, epsilon = sp.sympify(scale), sp.sympify(epsilon)
    loss = scale * (theta[0] * x[0] + theta[1] * x[1])
    at = {theta[0]: 1, theta[1]: 0, x[0]: epsilon, x[1]: 0}
    slope = max(attack_jacobian(loss, x, theta, case="sphere", center=[0, 0], at=at).singular_values())
    K = bordered_hessian(loss, x, [0, 0], scale, at=at)
    return slope, scale, min(K.singular_values())


def capped(stated: SimpleNamespace) -> Iterator[Fact]:
    """K maps the mu-direction to the border, and the border has length |n| = 1, whatever the loss; all d."""
    n, m, block = sp.symbols("n n^T H_J", commutative=False)
    K = sp.Matrix([[0, -m], [-n, block]])
    yield identity("K (1, 0) = (0, -n)", K * sp.Matrix([1, 0]), sp.Matrix([0, -n]), method=METHOD)
    image, direction = sp.Symbol("|K e_0|", nonnegative=True), sp.Symbol("|e_0|", positive=True)
    yield from sharp_implies(
        "c <= 1",
        [sp.Le(CURVATURE * direction, image), sp.Eq(image, direction)],
        CURVATURE,
        stated.cap,
        {CURVATURE: 1, image: 1, direction: 1},
        shows=(
            "c |e_0| <= |K e_0| = |n| = 1 for the unit vector e_0 of the mu-direction, since |grad ||r||_2| "
            "= 1",
        ),
    )


def scaled(stated: SimpleNamespace) -> Iterator[Fact]:
    """l -> k l multiplies A and B by k: the attack and its Jacobian stay; c stays at most 1, so Lemma
    5's constant is at least k C."""
    a, b, k = (
        sp.Symbol("A", commutative=False),
        sp.Symbol("B_T", commutative=False),
        sp.Symbol("k", positive=True),
    )
    yield identity("D x' is unchanged", -((k * a) ** -1) * (k * b), -(a**-1) * b, method=METHOD)
    yield from capped(SimpleNamespace(cap=sp.Integer(1)))
    yield from sharp_implies(
        "Lemma 5's constant k C_theta_x/c is at least the stated multiple of C_theta_x",
        [sp.Le(CURVATURE, 1)],
        stated.growth,
        SCALE / CURVATURE,
        {SCALE: 10, CURVATURE: 1},
    )
    slope, cross, curvature = linear_example(scale=10, epsilon=1)
    yield identity(
        "for 10 theta.x, epsilon = 1, theta = (1, 0) Lemma 5's constant (d = 2; the first two coordinates "
        "of any d >= 2)",
        cross / curvature,
        stated.growth.subs(SCALE, 10),
    )
    yield compare("while the attack's own constant epsilon/|theta| is 1", slope, "==", sp.Integer(1))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="beyond.tangent",
        location="beyond Lemma 5",
        kind="beyond",
        title="Lemma 5 on the tangent space",
        statement="At a boundary attack with mu > 0 and T^T H_J T < 0 the local maximum is C^1 in theta "
        "with D x' = -T (T^T H_J T)^{-1} T^T B. On a convex neighbourhood U of theta along which mu > 0, T^T "
        "H_J T <= -c_T I and sigma_1(T^T B) <= C_tangent, at every theta of U and not only at x*, it is "
        "(C_tangent/c_T)-Lipschitz. With the largest such c_T and the smallest such C_tangent, C_tangent/c_T "
        "<= C_theta_x/c for every c that Lemma 5 admits on U.",
        latex=r"D_\theta x'=-T(T^TH_JT)^{-1}T^TB,\qquad\sigma_1(D_\theta "
        r"x')\le\frac{\sigma_1(T^TB)}{c_T}\le\frac{C_{\theta x}}{c}",
        assumptions=(
            "L2 ball, d >= 2, T an orthonormal basis of the tangent space at x' (for d = 1 there is none, and "
            "the attack does not move)",
            "H_J = grad_x^2 l - mu grad_x^2 ||x' - x||, B = grad_theta grad_x l",
        ),
        cites=("implicit function theorem", "mean value theorem"),
        stated={
            "jacobian": -(TANGENT**-1),
            "constant": TANGENT_CROSS / TANGENT_CURVATURE,
            "along_branch": True,
            "positive_multiplier": True,
        },
        check=tangent,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = theta.x, theta_1 = (theta_min, 0), theta_2 = (0, theta_min): c_T = theta_min/epsilon, "
            "C_tangent = 1 (Lemma 2)",
            attained=(EPSILON * sp.Matrix([1, -1])).norm() / (THETA_MIN * sp.Matrix([1, -1])).norm(),
            bound=1 / (THETA_MIN / EPSILON),
        ),
        twins=(
            Twin("sign dropped", {"jacobian": TANGENT**-1}),
            Twin(
                "constant one per cent smaller",
                {"constant": sp.Rational(99, 100) * TANGENT_CROSS / TANGENT_CURVATURE},
            ),
            Twin(
                "constant one per cent larger",
                {"constant": sp.Rational(101, 100) * TANGENT_CROSS / TANGENT_CURVATURE},
            ),
            Twin("c_T and C_tangent read at x* alone", {"along_branch": False}),
            Twin("multiplier allowed to vanish", {"positive_multiplier": False}),
        ),
        remark=measured.BOUNDS,
    ),
    Claim(
        id="beyond.c-at-most-one",
        location="beyond Lemma 5",
        kind="beyond",
        title="Lemma 5's c is never above 1",
        statement="The smallest singular value of the bordered Hessian for the L2 norm is at most 1, so "
        "Lemma 5's constant is never below C_theta_x, however sharp the maximum.",
        latex=r"\min_i\sigma_i(\nabla^2_{\tilde x}J)\le1",
        assumptions=("p = 2, where ||grad ||x' - x|| || = 1",),
        stated={"cap": sp.Integer(1)},
        check=capped,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = theta.x with |theta| >= epsilon: the singular values are 1, 1 and |theta|/epsilon",
            attained=min(sp.Matrix([[0, -1, 0], [-1, 0, 0], [0, 0, -2]]).singular_values()),
            bound=sp.Integer(1),
        ),
        twins=(
            Twin("one per cent less", {"cap": sp.Rational(99, 100)}),
            Twin("one half", {"cap": sp.Rational(1, 2)}),
        ),
    ),
    Claim(
        id="beyond.scale",
        location="beyond Lemma 5",
        kind="beyond",
        title="Lemma 5's constant grows with the loss, attacks do not",
        statement="Replacing l by k l leaves every attack and its Jacobian unchanged, while Lemma 5's "
        "constant becomes at least k C_theta_x.",
        latex=r"\frac{kC_{\theta x}}{c(k\ell)}\ge kC_{\theta x}",
        stated={"growth": SCALE},
        check=scaled,
        expected=Verdict.TRUE,
        twins=(
            Twin("k squared", {"growth": SCALE**2}),
            Twin("one per cent more", {"growth": sp.Rational(101, 100) * SCALE}),
        ),
        remark="The border of K has no unit and its block has the unit of loss/x^2, so a singular value of "
        "K compares unlike quantities.",
    ),
)
