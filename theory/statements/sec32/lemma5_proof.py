"""The steps of Lemma 5's proof: Eqs. (44), (45), the norm bound and a slip in a subscript."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.derivatives import bordered_hessian, gradient
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.beyond.tangent import linear_example
from theory.statements.sec32.branches import CROSS, CURVATURE, linearised, segment_bound, sharp_implies

K, E = sp.symbols("K E", commutative=False)
SLOPE = sp.Symbol("sup_Dg", positive=True)


def norm_bound(constant: sp.Expr) -> Iterator[Fact]:
    """|w| <= |z| <= constant |v| for z = (m, w) with K z = -(0, B v), |K z| >= c |z|, |B v| <= C |v|;
    all d, all parameter counts."""
    z, w, m, along, image = (sp.Symbol(n, nonnegative=True) for n in ("|z|", "|w|", "|m|", "|v|", "|Bv|"))
    yield from sharp_implies(
        f"the attack's part w of z = D g~ v has |w| <= ({constant}) |v|",
        [
            sp.Eq(z**2, m**2 + w**2),
            sp.Le(CURVATURE * z, image),  # the smallest singular value of K is at least c, and |K z| = |B v|
            sp.Le(image, CROSS * along),
        ],
        w,
        constant * along,
        {CROSS: 3, CURVATURE: 2, m: 0, w: 3, z: 3, along: 2, image: 6},
        shows=(
            "z = (m, w) = D g~ v: m is the multiplier's part, w = D x' v the attack's; K z = -(0, B v)",
            "c |z| <= |K z| = |(0, B v)| = |B v| <= C_theta_x |v|, and |w| <= |z|",
        ),
    )


def eq44(stated: SimpleNamespace) -> Iterator[Fact]:
    """E by differentiating J, whose Taylor polynomial in (x', theta) has theta in l alone; then the
    printed Jacobian in the linearised equation."""
    mu, s, t, first, second, bend = sp.symbols("mu s t l_p l_v n_p", real=True)
    crossed = sp.Symbol("l_pv", real=True)
    J = first * s + second * t + crossed * s * t - mu * bend * s
    yield identity(
        "d^2 J/dtheta dmu",
        stated.mu_row,
        sp.diff(J, mu, t),
        method="second derivatives along arbitrary directions",
    )
    yield identity(
        "d^2 J/dtheta dx' is that of l",
        sp.diff(J, s, t),
        crossed,
        method="second derivatives along arbitrary directions",
    )
    yield linearised(
        stated.jacobian, K, E, "the printed D g~ satisfies grad^2 J D g~ + grad_theta grad J = 0"
    )


def padded(stated: SimpleNamespace) -> Iterator[Fact]:
    """|(entry |v|, B v)|^2 for the rows grad_theta grad J = [0; B] applied to v, against |B v|^2; any
    dimensions."""
    along, image = sp.Symbol("|v|", nonnegative=True), sp.Symbol("|Bv|", nonnegative=True)
    column = sp.Matrix([stated.entry * along, image])
    yield identity("|(grad_theta grad J) v| = |B v|", (column.T * column)[0], image**2)
    whole = sp.Symbol("|grad_theta grad J v|", nonnegative=True)
    yield from sharp_implies(
        "so its norm is at most C_theta_x",
        [sp.Eq(whole**2, (stated.entry * along) ** 2 + image**2), sp.Le(image, CROSS * along)],
        whole,
        CROSS * along,
        {CROSS: 3, along: 2, image: 6, whole: 6},
    )


def eq45(stated: SimpleNamespace) -> Iterator[Fact]:
    """Dropping (or adding) the multiplier's square, then the mean value theorem, then the norm of the
    Jacobian."""
    change, gap = sp.Symbol("mu_1-mu_2", real=True), sp.Symbol("|x'_1-x'_2|", nonnegative=True)
    whole = sp.Symbol("|x~_1-x~_2|", nonnegative=True)
    yield identity(
        "x~ = (mu, x') adds the multiplier's square",
        stated.added * change**2,
        sp.Matrix([gap, change]).norm() ** 2 - gap**2,
    )
    yield from sharp_implies(
        "||x'_1 - x'_2|| <= ||x~_1 - x~_2||",
        [sp.Eq(whole**2, gap**2 + stated.added * change**2)],
        gap,
        whole,
        {change: 0, gap: 2, whole: 2},
    )
    yield from segment_bound(SLOPE, stated.first)
    yield identity(
        "the first constant is attained by g~ = sup_Dg theta_1",
        sp.diff(SLOPE * sp.Symbol("theta_1"), sp.Symbol("theta_1")),
        stated.first,
    )
    yield from norm_bound(stated.second)
    slope, cross, curvature = linear_example()
    yield identity(
        "the second by l = 3 theta.x, epsilon = 6, theta = (1, 0) (d = 2; the first two coordinates of any "
        "d >= 2)",
        slope,
        stated.second.subs({CROSS: cross, CURVATURE: curvature}),
    )


def subscript(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta.x at theta = (1, 0), epsilon = 1: grad_x^2 J = diag(0, -1) is singular, the bordered
    Hessian has singular values 1, 1, 1."""
    x, theta = sp.symbols("x1:3", real=True), sp.symbols("theta1:3", real=True)
    at = {theta[0]: 1, theta[1]: 0, x[0]: 1, x[1]: 0}
    bordered = bordered_hessian(theta[0] * x[0] + theta[1] * x[1], x, [0, 0], 1, at=at)
    yield identity(
        "l = theta.x is stationary on the unit circle at e_1, with mu = 1: grad_x l = n",
        gradient(theta[0] * x[0] + theta[1] * x[1], x).subs(at),
        sp.Matrix([1, 0]),
        dimension=(2,),
    )
    matrix = bordered if stated.bordered else bordered[1:, 1:]
    smallest = min(matrix.singular_values())
    yield compare(
        "the matrix that the proof inverts has smallest singular value >= c = 1",
        smallest,
        ">=",
        stated.c,
        point={"theta": "(1, 0)", "x": "(0, 0)", "epsilon": 1, "x'": "(1, 0)", "mu": 1},
        replay="grad_x^2 J = -mu (I - n n^T)/epsilon = diag(0, -1) is singular; bordered by n = (1, 0) it "
        "is [[0,-1,0],[-1,0,0],[0,0,-1]], with singular values 1, 1, 1.",
        dimension=(2,),
    )
    yield identity("and c = 1 is exactly that smallest singular value", smallest, stated.c, dimension=(2,))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="lemma5.eq44",
        location="App. A, proof of Lemma 5",
        kind="equation",
        equations=(44,),
        title="Jacobian of multiplier and attack",
        statement="D_theta g~ = -(grad^2 J)^{-1} grad_theta grad J, with grad_theta grad J = [0; grad_theta "
        "grad_x l].",
        latex=r"D_\theta\tilde g=-(\nabla^2_{\tilde x}J)^{-1}\nabla_\theta\nabla_{\tilde x}J",
        assumptions=("grad^2 J is invertible along the branch",),
        stated={"jacobian": -(K**-1) * E, "mu_row": sp.Integer(0)},
        check=eq44,
        expected=Verdict.TRUE,
        twins=(
            Twin("sign dropped", {"jacobian": K**-1 * E}),
            Twin("bordered Hessian not inverted", {"jacobian": -K * E}),
            Twin("theta in the constraint", {"mu_row": sp.Integer(1)}),
        ),
        remark="The uniqueness of g~ is uniqueness of multiplier and attack together, near (mu*, x*).",
    ),
    Claim(
        id="lemma5.eq45",
        location="App. A, proof of Lemma 5",
        kind="equation",
        equations=(45,),
        title="From the Jacobian of (mu, x') to the constant of x'",
        statement="||x'_1 - x'_2|| <= ||x~_1 - x~_2|| <= sup sigma_1(D g~) ||theta_1 - theta_2|| <= "
        "(C_theta_x/c) ||theta_1 - theta_2||.",
        assumptions=("U convex", "the singular values of grad^2 J are at least c on U"),
        cites=("mean value theorem",),
        stated={"added": sp.Integer(1), "first": SLOPE, "second": CROSS / CURVATURE},
        check=eq45,
        expected=Verdict.TRUE,
        twins=(
            Twin("first constant one per cent smaller", {"first": sp.Rational(99, 100) * SLOPE}),
            Twin(
                "second constant one per cent smaller", {"second": sp.Rational(99, 100) * CROSS / CURVATURE}
            ),
            Twin("multiplier's square subtracted", {"added": sp.Integer(-1)}),
        ),
    ),
    Claim(
        id="lemma5.padded",
        location="App. A, proof of Lemma 5, after Eq. (44)",
        kind="proof step",
        title="A row of zeros does not change the norm",
        statement="sigma_1(grad_x~ grad_theta J) = sigma_1([0, grad_x grad_theta l]^T) <= C_theta_x, since "
        "mu multiplies nothing that depends on theta.",
        assumptions=("Assumption 1",),
        stated={"entry": sp.Integer(0)},
        check=padded,
        expected=Verdict.TRUE,
        twins=(
            Twin("a row of ones", {"entry": sp.Integer(1)}),
            Twin("one per cent", {"entry": sp.Rational(1, 100)}),
        ),
        remark="The printed transpose is immaterial: a matrix and its transpose have the same norm "
        "(lemma4.mixed-partials).",
    ),
    Claim(
        id="lemma5.subscript",
        location="App. A, proof of Lemma 5, after Eq. (44)",
        kind="proof step",
        title="The inverse of grad_x^2 J in the proof",
        statement="sigma_1(D g~) <= sigma_1(-(grad_x^2 J)^{-1}) sigma_1(grad_theta grad J) with grad_x^2 J, "
        "and its smallest singular value is >= c.",
        stated={"bordered": False, "c": sp.Integer(1)},
        check=subscript,
        expected=Verdict.TYPO,
        slip=True,
        sides=(0, 1),
        corrected=Reading(
            statement="The matrix inverted is the bordered one, grad^2 J in (mu, x'); grad_x^2 J alone may "
            "be singular.",
            stated={"bordered": True},
        ),
        twins=(
            Twin("subscript as printed", {"bordered": False}),
            Twin("c one per cent larger", {"c": sp.Rational(101, 100)}),
        ),
    ),
)
