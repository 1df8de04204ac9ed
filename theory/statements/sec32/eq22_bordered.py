"""Eqs. (22) and (43): the bordered Hessian of the Lagrangian, whose border is printed with the wrong sign."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.derivatives import lagrangian
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.vectors import Space, Vector
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec32.branches import THETA, X

MU, EPSILON = sp.Symbol("mu", real=True), sp.Symbol("epsilon", positive=True)
CURVE, BEND, SLOPE = sp.symbols(
    "l_pq n_pq n_q", real=True
)  # second derivatives along p, q and the first of the norm along q
RADIUS = sp.Symbol("|r|", positive=True)


def second_derivatives() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """d^2J/dmu^2, d^2J/dmu dq and d^2J/dp dq for arbitrary directions p, q, from the Taylor polynomials
    of l and of the norm; all d."""
    s, t, first, second, third, fourth = sp.symbols("s t l_p l_q n_p n_0", real=True)
    loss = first * s + second * t + CURVE * s * t
    norm = fourth + third * s + SLOPE * t + BEND * s * t
    J = loss - MU * (norm - EPSILON)
    at = {s: 0, t: 0}
    return sp.diff(J, MU, 2), sp.diff(J, MU, t).subs(at), sp.diff(J, s, t).subs(at)


def example_border() -> sp.Expr:
    """d^2J/dmu dx of Eq. (20) at x' = x + 1, d = 1 (or along the first axis in any d), by
    differentiating J."""
    J = lagrangian(THETA * X, [X], [0], 2, 1, MU)
    return sp.diff(J, MU, X).subs(X, 1)


def bordered(stated: SimpleNamespace) -> Iterator[Fact]:
    """The three kinds of entries, first at one point a reader can check, then for all directions."""
    yield from _border_at_a_point(stated.border.subs(SLOPE, 1))
    corner, border, block = second_derivatives()
    method = "second derivatives along arbitrary directions, sympy identity"
    yield identity(f"corner d^2J/dmu^2 is the stated {stated.corner}", stated.corner, corner, method=method)
    yield identity(
        f"border d^2J/dmu dx applied to q is the stated {stated.border}", stated.border, border, method=method
    )
    yield identity("the stated block is d^2J/dx^2 applied to p and q", stated.block, block, method=method)
    yield from same_spectrum()


def same_spectrum() -> Iterator[Fact]:
    """The printed matrix is S K S with S = diag(-1, I), an orthogonal matrix: same determinant,
    eigenvalues and singular values; all d."""
    a, n, m = sp.symbols("A n n^T", commutative=False)
    flip = sp.diag(-1, 1)
    derived, printed = sp.Matrix([[0, -m], [-n, a]]), sp.Matrix([[0, m], [n, a]])
    method = "noncommutative block algebra"
    yield identity(
        "S K S, S = diag(-1, I), turns the border +n into -n", flip * printed * flip, derived, method=method
    )
    yield identity("S is its own inverse", flip * flip, sp.eye(2), method=method)


def euclidean(stated: SimpleNamespace) -> Iterator[Fact]:
    """Gradient and Hessian of |r| for r = x' - x by differentiating along an arbitrary v, against the
    printed blocks; all d."""
    yield from _border_at_a_point(stated.border.subs(RADIUS, 1))
    space = Space("r", "v")
    r, v = space.vectors()
    t = sp.Symbol("t", real=True)
    method = "directional derivative in Gram scalars, sympy identity"
    product = space.product("r", "v")
    slope = sp.diff(space.norm(r + t * v), t).subs(t, 0)
    yield identity(
        "the stated border applied to v is d/dt dJ/dmu at r + t v, that is -d/dt ||r + t v||",
        stated.border * product,
        -slope,
        method=method,
    )
    bend = space.derivative(lambda at: at / space.norm(at), r, v)
    printed = Vector({"v": stated.identity}) + Vector({"r": stated.outer * product})
    for name in space.names:
        yield identity(
            f"the {name}-component of the block's constraint part applied to v",
            printed.coefficients.get(name, sp.Integer(0)),
            -MU * bend.coefficients.get(name, sp.Integer(0)),
            method=method,
            shows=("block: grad_x^2 l + (identity) I + (outer) (x'-x)(x'-x)^T, r = x' - x",),
        )
    yield identity(
        "at d = 1 (v parallel to r) the constraint part vanishes",
        stated.identity + stated.outer * RADIUS**2,
        sp.Integer(0),
    )


def _border_at_a_point(printed: sp.Expr) -> Iterator[Fact]:
    yield compare(
        f"the stated border at x' = x + 1, {printed}, is the derivative of grad_x J in mu",
        printed,
        "==",
        example_border(),
        point={"x'": 1, "x": 0, "d": 1},
        replay="For d = 1 and x' = 1 > x = 0, J = l - mu (x' - epsilon), so d/dmu of dJ/dx' is -1; the "
        "printed border is +1.",
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="eq22",
        location="Sec. 3.2.2, Eq. (22)",
        kind="equation",
        equations=(22,),
        title="Bordered Hessian of J, sign of the border",
        statement="The Hessian of J in (mu, x') is [[0, n^T], [n, grad_x^2 l - mu grad_x^2 ||x' - x||]] "
        "with n = grad ||x' - x||.",
        latex=r"\nabla^2_{\tilde "
        r"x}J=\begin{bmatrix}0&n^T\\n&\nabla_x^2\ell-\mu\nabla_x^2\|x'-x\|_p\end{bmatrix}",
        assumptions=("the norm is twice differentiable at x' - x",),
        stated={"corner": sp.Integer(0), "border": SLOPE, "block": CURVE - MU * BEND},
        check=bordered,
        expected=Verdict.TYPO,
        group="sign of the border",
        slip=True,
        sides=(1, -1),
        corrected=Reading(
            statement="The border is -n, for J contains -mu ||x' - x||; determinant, eigenvalues and "
            "singular values are those of the printed matrix.",
            latex=r"\begin{bmatrix}0&-n^T\\-n&\nabla_x^2\ell-\mu\nabla_x^2\|x'-x\|_p\end{bmatrix}",
            stated={"border": -SLOPE},
        ),
        twins=(
            Twin("border as printed", {"border": SLOPE}),
            Twin("plus mu in the block", {"block": CURVE + MU * BEND}),
            Twin("corner one", {"corner": sp.Integer(1)}),
            Twin("block one per cent off", {"block": sp.Rational(101, 100) * CURVE - MU * BEND}),
        ),
    ),
    Claim(
        id="eq43",
        location="App. A, proof of Lemma 5",
        kind="equation",
        equations=(43,),
        title="Bordered Hessian for the L2 norm, sign of the border",
        statement="For L2 the border is (x' - x)/||x' - x|| and the block is grad_x^2 l - mu I/||x' - x|| + "
        "mu (x' - x)(x' - x)^T/||x' - x||^3.",
        assumptions=("x' != x", "l twice differentiable"),
        stated={"border": 1 / RADIUS, "identity": -MU / RADIUS, "outer": MU / RADIUS**3},
        check=euclidean,
        expected=Verdict.TYPO,
        group="sign of the border",
        slip=True,
        sides=(1, -1),
        corrected=Reading(
            statement="The border is -(x' - x)/||x' - x||; the block is as printed.",
            stated={"border": -1 / RADIUS},
        ),
        twins=(
            Twin("border as printed", {"border": 1 / RADIUS}),
            Twin("square for cube", {"outer": MU / RADIUS**2}),
            Twin("outer product subtracted", {"outer": -MU / RADIUS**3}),
            Twin("identity one per cent off", {"identity": -sp.Rational(101, 100) * MU / RADIUS}),
        ),
    ),
)
