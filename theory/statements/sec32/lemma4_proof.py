"""The steps of Lemma 4's proof: Eqs. (39), (40), (41) and the symmetry of the mixed derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.derivatives import jacobian
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.ledger.claim import Claim, Twin
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    THETA,
    X,
    curvature_bound,
    linearised,
    quadratic_example,
    segment_bound,
    sharp_implies,
)

H, B = sp.symbols("H B", commutative=False)
SLOPE = sp.Symbol("sup_Dg", positive=True)
LIPSCHITZ = sp.Symbol("C_l", positive=True)


def eq39(stated: SimpleNamespace) -> Iterator[Fact]:
    """The printed Jacobian, put into the linearised equation, in blocks of any size."""
    yield linearised(
        stated.jacobian, H, B, "the printed D g(theta) satisfies grad_x^2 l D g + grad_theta grad_x l = 0"
    )


def eq40(stated: SimpleNamespace) -> Iterator[Fact]:
    """|f(theta + t v) - f(theta)| <= C_l t |v|, and = t |Df v| + o(t), so |Df v| <= C_l |v|; the
    remainder is taken below any excess."""
    t = sp.Symbol("t", positive=True)
    image, along, step, remainder = sp.symbols("|Df[v]| |v| |f(theta+tv)-f(theta)| rho", nonnegative=True)
    excess = sp.And(
        sp.Eq(2 * remainder, image - LIPSCHITZ * along),
        sp.Le(t * image, step + t * remainder),
    )
    yield from sharp_implies(
        "|Df[v]| <= C_l |v|",
        [sp.Le(step, LIPSCHITZ * t * along), sp.Or(sp.Le(image, LIPSCHITZ * along), excess)],
        image,
        LIPSCHITZ * along,
        {
            LIPSCHITZ: sp.Integer(3),
            t: sp.Integer(1),
            along: sp.Integer(2),
            image: sp.Integer(6),
            step: sp.Integer(6),
            remainder: 0,
        },
        shows=("were |Df[v]| > C_l |v|, a small t would make the remainder less than half of the excess",),
    )
    yield identity(
        "the printed bound is the slope of f = C_l theta_1, which is C_l-Lipschitz",
        stated.bound,
        sp.diff(LIPSCHITZ * THETA, THETA),
    )
    if not stated.open_set:
        other, across = sp.symbols("theta_1' theta_2", real=True)
        f = 100 * across
        on_the_axis = sp.Abs((f.subs(across, 0) - f.subs(across, 0)) / (THETA - other))
        yield compare(
            "f = 100 theta_2 on the axis theta_2 = 0 has |Df| at most its Lipschitz constant there",
            jacobian([f], [THETA, across]).norm(),
            "<=",
            on_the_axis,
            dimension=(2,),
        )


def eq41(stated: SimpleNamespace) -> Iterator[Fact]:
    """First inequality: the mean value theorem on a segment in U. Second: Lemma 4's bound on the Jacobian."""
    yield from segment_bound(SLOPE, stated.first)
    yield identity(
        "the first bound is attained by g = sup_Dg theta_1", sp.diff(SLOPE * THETA, THETA), stated.first
    )
    yield from curvature_bound(stated.second)
    yield identity(
        "the second is attained by C_theta_x theta x - c x^2/2", quadratic_example()[0], stated.second
    )
    if not stated.convex:
        yield around_a_slit(stated.first.subs(SLOPE, 1))


def inverse_norm(stated: SimpleNamespace) -> Iterator[Fact]:
    """c |w|^2 <= -<w, Hw> <= |w| |Hw|, so |H w| >= c |w| and |H^{-1}| <= 1/c; then |H^{-1} B v| <=
    |H^{-1}| |B v|; all d."""
    w, image, quadratic = (
        sp.Symbol("|w|", positive=True),
        sp.Symbol("|Hw|", nonnegative=True),
        sp.Symbol("<w,Hw>", real=True),
    )
    yield from sharp_implies(
        "|H^{-1} u| <= constant |u| for u = H w",
        [sp.Le(quadratic, -CURVATURE * w**2), sp.Le(-quadratic, w * image)],
        w,
        stated.constant * image,
        {CURVATURE: 2, w: 1, image: 2, quadratic: -2},
    )
    yield identity("attained by H = -c I", sp.Abs(1 / -CURVATURE), stated.constant)
    corner = sp.Integer(0) if stated.symmetric else sp.Integer(3)
    matrix = sp.Matrix([[-1, corner], [0, -1]])
    yield compare(
        f"the smallest singular value of {matrix.tolist()} is the smallest |eigenvalue|",
        min(matrix.singular_values()),
        "==",
        min(abs(e) for e in matrix.eigenvals()),
    )


def around_a_slit(constant: sp.Expr) -> Fact:
    """l = -(x - arg theta)^2/2 on |theta| > 1 slit along the negative axis: |D x'| < 1, yet the attack
    turns by 3 pi/2."""
    above, below = sp.Matrix([-1, 1]), sp.Matrix([-1, -1])
    return compare(
        "on the slit plane outside the unit disc, x' = arg theta obeys the bound with sup |D x'| = 1",
        sp.atan2(above[1], above[0]) - sp.atan2(below[1], below[0]),
        "<=",
        sp.sympify(constant).subs({CROSS: 1, CURVATURE: 1, SLOPE: 1}) * (above - below).norm(),
        point={"theta_1": (-1, 1), "theta_2": (-1, -1)},
        replay="arg(-1, 1) - arg(-1, -1) = 3 pi/4 + 3 pi/4, while the thetas are 2 apart.",
        dimension=(1,),
    )


def mixed_partials(stated: SimpleNamespace) -> Iterator[Fact]:
    """Equal norms of a matrix and its transpose in any dimensions; which matrix the second mixed
    derivative is needs C^1."""
    back, u, forward = (sp.Symbol(name, nonnegative=True) for name in ("|A^T u|", "|u|", "|A A^T u|"))
    yield from sharp_implies(
        "|A v| <= C_theta_x |v| for all v gives |A^T u| <= C_theta_x |u| for all u (take v = A^T u)",
        [sp.Le(back**2, u * forward), sp.Le(forward, CROSS * back)],
        back,
        stated.constant * u,
        {CROSS: sp.Integer(3), u: sp.Integer(1), back: sp.Integer(3), forward: sp.Integer(9)},
        shows=("|A^T u|^2 = <u, A A^T u> <= |u| |A A^T u| <= |u| C_theta_x |A^T u|",),
    )
    loss = CROSS * THETA * X if stated.continuous else X**3 * THETA / (X**2 + THETA**2)
    by_x_first = sp.diff(sp.cancel(sp.diff(loss, X).subs(X, 0)), THETA)
    by_theta_first = sp.diff(sp.cancel(sp.diff(loss, THETA).subs(THETA, 0)), X)
    yield identity(
        f"the two mixed derivatives of {loss} at 0 agree",
        sp.sympify(by_x_first),
        sp.sympify(by_theta_first),
        dimension=(1,) if not stated.continuous else "all",
    )
    yield identity("their size is the constant", sp.Abs(by_theta_first), stated.constant)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="lemma4.eq39",
        location="App. A, proof of Lemma 4",
        kind="equation",
        equations=(39,),
        title="Jacobian of the attack by the implicit function theorem",
        statement="D_theta g = -(grad_x^2 l(g(theta), theta))^{-1} grad_theta grad_x l(g(theta), theta).",
        latex=r"D_\theta g(\theta)=-(\nabla_x^2\ell)^{-1}\nabla_\theta\nabla_x\ell",
        assumptions=("grad_x^2 l is invertible along the branch", "grad_theta grad_x l has shape (d, m)"),
        stated={"jacobian": -(H**-1) * B},
        check=eq39,
        expected=Verdict.TRUE,
        twins=(
            Twin("sign dropped", {"jacobian": H**-1 * B}),
            Twin("Hessian not inverted", {"jacobian": -H * B}),
            Twin("one per cent off", {"jacobian": -sp.Rational(101, 100) * H**-1 * B}),
        ),
    ),
    Claim(
        id="lemma4.inverse-norm",
        location="App. A, proof of Lemma 4, after Eq. (39)",
        kind="proof step",
        title="sigma_1(H^{-1}) = 1/min |lambda_i(H)| <= 1/c",
        statement="Since the Hessian is a normal matrix and lambda_max(H) <= -c, det H != 0 and "
        "sigma_1(-H^{-1}) = 1/min_i sigma_i(H) = 1/min_i |lambda_i(H)| <= 1/c; by "
        "submultiplicativity sigma_1(D g) <= sigma_1(-H^{-1}) sigma_1(grad_theta grad_x l).",
        assumptions=("H symmetric, as a Hessian of a C^2 function is",),
        cites=("spectral theorem for symmetric matrices",),
        stated={"constant": 1 / CURVATURE, "symmetric": True},
        check=inverse_norm,
        expected=Verdict.TRUE,
        twins=(
            Twin("one per cent smaller", {"constant": sp.Rational(99, 100) / CURVATURE}),
            Twin("a matrix that is not normal", {"symmetric": False}),
            Twin("c squared", {"constant": 1 / CURVATURE**2}),
        ),
    ),
    Claim(
        id="lemma4.eq40",
        location="App. A, proof of Lemma 4",
        kind="equation",
        equations=(40,),
        title="The Jacobian of a C_l-Lipschitz map is at most C_l",
        statement="sup_theta ||D_theta f(theta)|| <= C_l for a differentiable C_l-Lipschitz function f.",
        latex=r"\sup_\theta\|D_\theta f(\theta)\|\le C_l",
        assumptions=(
            "f is C_l-Lipschitz on an open set, as in Assumption 1; on a set without interior it fails",
        ),
        stated={"bound": LIPSCHITZ, "open_set": True},
        check=eq40,
        expected=Verdict.TRUE,
        twins=(
            Twin("one per cent smaller", {"bound": sp.Rational(99, 100) * LIPSCHITZ}),
            Twin("a set without interior (f = 100 theta_2 on an axis)", {"open_set": False}),
        ),
        remark="Eq. (41) uses the converse, a bound on the Jacobian giving a Lipschitz constant, which "
        "needs convexity.",
    ),
    Claim(
        id="lemma4.eq41",
        location="App. A, proof of Lemma 4",
        kind="equation",
        equations=(41,),
        title="From the norm of the Jacobian to the Lipschitz constant",
        statement="||x'(theta_1) - x'(theta_2)|| <= sup sigma_1(D_theta g) ||theta_1 - theta_2|| <= "
        "(C_theta_x/c) ||theta_1 - theta_2||.",
        assumptions=("the neighbourhood U is convex; the lemma may choose it as a ball",),
        cites=("mean value theorem",),
        stated={"first": SLOPE, "second": CROSS / CURVATURE, "convex": True},
        check=eq41,
        expected=Verdict.TRUE,
        twins=(
            Twin("first constant one per cent smaller", {"first": sp.Rational(99, 100) * SLOPE}),
            Twin(
                "second constant one per cent smaller", {"second": sp.Rational(99, 100) * CROSS / CURVATURE}
            ),
            Twin("an open set that is not convex", {"convex": False}),
        ),
    ),
    Claim(
        id="lemma4.mixed-partials",
        location="App. A, proofs of Lemmas 4 and 5",
        kind="proof step",
        title="grad_theta grad_x l and grad_x grad_theta l have one norm",
        statement="sigma_1(grad_theta grad_x l) = sigma_1(grad_x grad_theta l) <= C_theta_x since grad_x l "
        "is C^1.",
        assumptions=("grad_x l is C^1 in x and theta together", "grad_theta l exists (Assumption 1)"),
        cites=(
            "symmetry of mixed derivatives when one of them is continuous (Rudin, Principles of "
            "Mathematical Analysis, Theorem 9.41)",
        ),
        stated={"constant": CROSS, "continuous": True},
        check=mixed_partials,
        expected=Verdict.TRUE,
        twins=(
            Twin("grad_x l not C^1: x^3 theta/(x^2 + theta^2)", {"continuous": False}),
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * CROSS}),
        ),
    ),
)
