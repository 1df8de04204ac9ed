"""Definition 2: sharpness (Eq. 73), its approximation by the Hessian (Eq. 74), and smoothness against
flatness in App. B.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Tightness, Twin

# rho is the radius of the ball in parameter space (the paper's second epsilon), L_0 the loss at its centre.
RHO, LEVEL, SPECTRAL, C = sp.symbols("rho L_0 lambda_max C_s", positive=True)
RISE = sp.Symbol("max(L-L_0)", nonnegative=True)
THETA = sp.Symbol("theta", real=True)
HESSIAN_LIPSCHITZ = sp.Symbol("h", positive=True)


def sharpness(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (73) on quadratics L_0 + sum lambda_i v_i^2/2, in the eigenbasis of the Hessian: the rise is
    lambda_max rho^2/2.
    """
    eigenvalue, v = sp.symbols("lambda v", real=True)
    half = v**2 / 2
    yield implies(
        "each coordinate of the eigenbasis gives lambda_i v_i^2/2 <= lambda_max v_i^2/2, so on the ball the "
        "rise is at most lambda_max rho^2/2",
        [sp.Le(eigenvalue, SPECTRAL)],
        sp.Le(eigenvalue * half, SPECTRAL * half),
        method="sum over eigenvectors, z3 on one coordinate",
    )
    rise = SPECTRAL * half.subs(v, RHO)  # at rho times the leading eigenvector
    yield identity(
        "attained at rho times the leading eigenvector: the sharpness of a quadratic is Eq. (74)",
        stated.sharpness.subs(RISE, rise),
        SPECTRAL * RHO**2 / (2 * (1 + LEVEL)),
    )
    yield identity("no rise, no sharpness", stated.sharpness.subs(RISE, 0), sp.Integer(0))


def small_radius(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (73) over Eq. (74) as rho -> 0, for L twice differentiable at its minimum, with Hessian H != 0."""
    form, rise, rest = sp.symbols("v^THv rise rest", real=True)
    square, delta = sp.Symbol("|v|^2", nonnegative=True), sp.Symbol("delta", positive=True)
    upper, lower = (SPECTRAL / 2 + delta) * RHO**2, (SPECTRAL / 2 - delta) * RHO**2
    yield implies(
        "rise = v^T H v/2 + rest with |rest| <= delta |v|^2 near the minimum (second-order Taylor, no "
        "gradient): at most (lambda_max/2 + delta) rho^2 on the ball",
        [
            sp.Le(form, SPECTRAL * square),
            sp.Le(rise, form / 2 + rest),
            sp.Le(rest, delta * square),
            sp.Le(square, RHO**2),
        ],
        sp.Le(rise, upper),
        method="Rayleigh quotient, z3 on scalars",
    )
    yield implies(
        "at rho times the leading eigenvector: at least (lambda_max/2 - delta) rho^2",
        [sp.Ge(rise, form / 2 + rest), sp.Eq(form, SPECTRAL * RHO**2), sp.Ge(rest, -delta * RHO**2)],
        sp.Ge(rise, lower),
        method="Rayleigh quotient, z3 on scalars",
    )
    eigenvalue, step = sp.Symbol("lambda", real=True), sp.Symbol("s", positive=True)
    yield implies(
        "at a minimum no eigenvalue of H is negative: along its eigenvector 0 <= rise <= (lambda/2 + delta) s^2 for "
        "every delta > 0 and small s; so lambda_max is the spectral norm of H",
        [sp.Ge(rise, 0), sp.Le(rise, (eigenvalue / 2 + delta) * step**2)],
        sp.Ge(eigenvalue, -2 * delta) if stated.minimum else sp.Ge(eigenvalue, delta),
        method="second-order Taylor along an eigenvector, z3 on scalars",
    )
    for name, bound in (("upper", upper), ("lower", lower)):
        yield limit(
            f"so Eq. (73)/Eq. (74) is squeezed to 1: the {name} bound as delta -> 0",
            sp.simplify(bound / (1 + LEVEL) / stated.approximation),
            delta,
            0,
            1,
        )
    cubic = LEVEL + SPECTRAL * THETA**2 / 2 + stated.slope * THETA + THETA**3
    rise_of_cubic = cubic.subs(THETA, RHO) - cubic.subs(
        THETA, 0
    )  # theta = rho is the highest point of the ball
    yield limit(
        "L = L_0 + lambda theta^2/2 + theta^3 around the minimum 0",
        sp.simplify(rise_of_cubic / (1 + LEVEL) / stated.approximation),
        RHO,
        0,
        1,
        dimension=(1,),
    ).as_example()


def remainder(stated: SimpleNamespace) -> Iterator[Fact]:
    """|max rise - lambda_max rho^2/2| <= h rho^3/6 for an h-Lipschitz Hessian, and a cubic that attains it."""
    form, rise, length = sp.symbols("v^THv rise |v|", real=True)
    s, lipschitz = sp.Symbol("s", positive=True), HESSIAN_LIPSCHITZ
    drift = sp.integrate((1 - s) * lipschitz * s, (s, 0, 1))
    yield identity(
        "rise = v^T H v/2 + rest with |rest| <= int_0^1 (1 - s) h s ds |v|^3 = h |v|^3/6 (no gradient at a minimum)",
        drift,
        lipschitz / 6,
        method="Taylor's theorem with integral remainder, sympy integral",
    )
    bound = stated.remainder * (1 + LEVEL)
    yield implies(
        "no point of the ball rises by more than lambda_max rho^2/2 and the remainder",
        [
            sp.Ge(length, 0),
            sp.Le(length, RHO),
            sp.Le(form, SPECTRAL * length**2),
            sp.Le(rise, form / 2 + drift * length**3),
        ],
        sp.Le(rise, SPECTRAL * RHO**2 / 2 + bound),
        method="Rayleigh quotient, z3 on scalars",
    )
    yield implies(
        "and rho times the leading eigenvector rises by lambda_max rho^2/2 less the remainder at least",
        [sp.Eq(form, SPECTRAL * RHO**2), sp.Ge(rise, form / 2 - drift * RHO**3)],
        sp.Ge(rise, SPECTRAL * RHO**2 / 2 - bound),
        method="Rayleigh quotient, z3 on scalars",
    )
    cubic = LEVEL + SPECTRAL * THETA**2 / 2 + lipschitz * THETA**3 / 6
    yield identity(
        "attained by L = L_0 + lambda theta^2/2 + h theta^3/6 at theta = 0, whose highest point of the ball is rho",
        (cubic.subs(THETA, RHO) - LEVEL) / (1 + LEVEL) - SPECTRAL * RHO**2 / (2 * (1 + LEVEL)),
        stated.remainder,
    )


def kink(stated: SimpleNamespace) -> Iterator[Fact]:
    """d = 1, x = 1/2, y = 1, attack radius 1: the adversarial logistic loss has its minimum at the kink
    theta = 0.
    """
    right = sp.log(1 + sp.exp(-THETA * stated.x + stated.radius * THETA))  # theta >= 0
    left = sp.log(1 + sp.exp(-THETA * stated.x - stated.radius * THETA))  # theta <= 0
    point = {"d": 1, "x": stated.x, "y": 1, "attack radius": stated.radius}
    slopes = [sp.diff(side, THETA).subs(THETA, 0) for side in (left, right)]
    yield identity(
        "the slopes at 0: -(x + radius)/2 on the left and (radius - x)/2 on the right",
        2 * sp.Matrix(slopes),
        sp.Matrix([-stated.x - stated.radius, stated.radius - stated.x]),
        dimension=(1,),
    )
    yield compare("slope to the left of 0", slopes[0], "<", sp.Integer(0), point=point, dimension=(1,))
    yield compare(
        "slope to the right of 0: so 0 is the minimum, and a kink",
        slopes[1],
        ">",
        sp.Integer(0),
        point=point,
        dimension=(1,),
    )
    yield compare(
        "the loss rises faster to the left", -slopes[0], ">", slopes[1], point=point, dimension=(1,)
    )
    rise = left.subs(THETA, -RHO) - sp.log(2)
    yield limit(
        "Eq. (73)/rho tends to a positive number: sharpness is of the order rho, not rho^2",
        rise / RHO,
        RHO,
        0,
        stated.rate * (1 + sp.log(2)),
        dimension=(1,),
    )
    yield limit(
        "Eq. (73)/rho^2 is unbounded, so no Hessian norm makes Eq. (74) an approximation",
        rise / RHO**2,
        RHO,
        0,
        sp.oo,
        dimension=(1,),
    )


def smooth_is_flat(stated: SimpleNamespace) -> Iterator[Fact]:
    """At a minimum of a C_s-smooth L the rise on the ball is at most C_s rho^2/2: integrate the gradient
    along the radius.
    """
    s, length = sp.symbols("s |v|", positive=True)
    rise = sp.integrate(
        C * (s * length) * length, (s, 0, 1)
    )  # ||grad L(theta + s v)|| <= C_s s |v|, as grad L(theta) = 0
    yield implies(
        "L(theta + v) - L(theta) <= int_0^1 C_s s ||v||^2 ds <= C_s rho^2/2, so the sharpness is at most "
        "the stated bound",
        [sp.Le(length, RHO)],
        sp.Le(rise / (1 + LEVEL), stated.bound),
        method="Cauchy-Schwarz under the integral, z3 on scalars",
    )
    quadratic = LEVEL + C * THETA**2 / 2
    yield identity(
        "attained for every C_s, rho and L_0: L = L_0 + C_s ||theta||^2/2",
        (quadratic.subs(THETA, RHO) - quadratic.subs(THETA, 0)) / (1 + quadratic.subs(THETA, 0)),
        stated.bound,
    )


CLAIMS = (
    Claim(
        id="definition2",
        location="App. B, Definition 2",
        kind="definition",
        equations=(73,),
        title="Sharpness: the rise over a ball around a minimum",
        statement="The rho-sharpness of L >= 0 at a minimum theta is proportional to max over ||theta' - "
        "theta|| <= rho of (L(theta') - L(theta)), divided by 1 + L(theta). For a quadratic it is Eq. (74) "
        "exactly.",
        latex=r"\frac{\max_{\theta'\in B_2(\rho,\theta)}(L(\theta')-L(\theta))}{1+L(\theta)}",
        assumptions=(
            "rho is the paper's epsilon, which here is a radius in parameter space, not that of the attack",
        ),
        stated={"sharpness": RISE / (1 + LEVEL)},
        check=sharpness,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("1 dropped from the denominator", {"sharpness": RISE / LEVEL}),
            Twin("one per cent more", {"sharpness": sp.Rational(101, 100) * RISE / (1 + LEVEL)}),
            Twin("sign of the rise", {"sharpness": -RISE / (1 + LEVEL)}),
        ),
        remark="'Proportional to': Keskar et al. multiply by 100. Pinned by quadratics, for which Eqs. (73) "
        "and (74) must agree.",
    ),
    Claim(
        id="definition2.eq74",
        location="App. B, below Definition 2",
        kind="equation",
        equations=(74,),
        title="Small-radius sharpness is the Hessian's norm",
        statement="For small rho, Eq. (73) is approximated by ||Hessian of L||_2 rho^2/(2(1 + L)): their "
        "ratio tends to 1 as rho -> 0.",
        latex=r"\frac{\|\nabla^2L(\theta)\|_2\,\rho^2}{2(1+L(\theta))}",
        assumptions=("theta is a minimum, L twice differentiable there", "the Hessian at theta is not 0"),
        cites=("Taylor's theorem with Peano's remainder",),
        stated={
            "approximation": SPECTRAL * RHO**2 / (2 * (1 + LEVEL)),
            "slope": sp.Integer(0),
            "minimum": True,
        },
        check=small_radius,
        expected=Verdict.TRUE,
        twins=(
            Twin(
                "one per cent more",
                {"approximation": sp.Rational(101, 100) * SPECTRAL * RHO**2 / (2 * (1 + LEVEL))},
            ),
            Twin("no factor 1/2", {"approximation": SPECTRAL * RHO**2 / (1 + LEVEL)}),
            Twin("rho to the first power", {"approximation": SPECTRAL * RHO / (2 * (1 + LEVEL))}),
            Twin("centre not a minimum", {"slope": sp.Integer(1)}),
            Twin("every eigenvalue of the Hessian positive", {"minimum": False}),
        ),
        remark="If the Hessian is 0 (L = theta^4) the difference is still o(rho^2), but the ratio is "
        "infinite. Neither assumption is printed; beyond.sharpness-at-a-kink shows an adversarial loss "
        "without the first.",
    ),
    Claim(
        id="beyond.sharpness-remainder",
        location="App. B, Eq. (74)",
        kind="beyond",
        equations=(74,),
        title="How far Eq. (74) is from Eq. (73)",
        statement="If the Hessian of L is h-Lipschitz on the ball of radius rho around a minimum theta, Eqs. (73) and "
        "(74) differ by at most h rho^3/(6(1 + L(theta))), for every rho and in every dimension.",
        latex=r"\left|(73)-(74)\right|\le\frac{h\,\rho^3}{6(1+L(\theta))}",
        assumptions=(
            "theta is a minimum of L on the ball, L twice differentiable with an h-Lipschitz Hessian there",
        ),
        cites=("Taylor's theorem with integral remainder",),
        stated={"remainder": HESSIAN_LIPSCHITZ * RHO**3 / (6 * (1 + LEVEL))},
        check=remainder,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="L = 1 + theta^2/2 + theta^3/6 (h = 1) at the minimum 0, rho = 1, d = 1: the rise is 1/2 + 1/6",
            attained=(1 + THETA**2 / 2 + THETA**3 / 6).subs(THETA, 1) - 1 - sp.Rational(1, 2),
            bound=sp.Rational(1, 6),
        ),
        twins=(
            Twin(
                "one per cent less",
                {"remainder": sp.Rational(99, 600) * HESSIAN_LIPSCHITZ * RHO**3 / (1 + LEVEL)},
            ),
            Twin("a twelfth for a sixth", {"remainder": HESSIAN_LIPSCHITZ * RHO**3 / (12 * (1 + LEVEL))}),
            Twin("rho to the fourth", {"remainder": HESSIAN_LIPSCHITZ * RHO**4 / (6 * (1 + LEVEL))}),
        ),
    ),
    Claim(
        id="beyond.sharpness-at-a-kink",
        location="App. B, Eq. (74), for adversarial loss",
        kind="beyond",
        equations=(74,),
        title="At a kink, sharpness is of order rho, not rho^2",
        statement="An adversarial loss may have its minimum at a kink, where there is no Hessian: for d = "
        "1, x = 1/2, y = 1 and attack radius 1, log(1 + exp(-theta/2 + |theta|)) has its minimum at 0, and "
        "Eq. (73)/rho tends to 3/(4(1 + log 2)).",
        latex=r"\lim_{\rho\to0}\frac{(73)}{\rho}=\frac{3}{4(1+\log2)}",
        assumptions=("linear logistic model, d = 1",),
        stated={"x": sp.Rational(1, 2), "radius": sp.Integer(1), "rate": 3 / (4 * (1 + sp.log(2)))},
        check=kink,
        expected=Verdict.TRUE,
        twins=(
            Twin("rate one per cent more", {"rate": sp.Rational(101, 100) * 3 / (4 * (1 + sp.log(2)))}),
            Twin("an attack that does not reach the boundary", {"radius": sp.Rational(1, 4)}),
            Twin("data one per cent off", {"x": sp.Rational(101, 200)}),
        ),
        remark="So Eq. (74) cannot rank adversarial losses by sharpness where the attack moves their minima "
        "to kinks.",
    ),
    Claim(
        id="definition2.smooth-is-flat",
        location="App. B, below Eq. (75); Sec. 2.3",
        kind="prose",
        equations=(73, 75),
        title="Smooth functions tend to have flat landscapes",
        statement="A C_s-smooth function with small C_s is flat: at a minimum its sharpness (73) is at most "
        "C_s rho^2/(2(1 + L)), for every radius rho.",
        latex=r"\frac{\max_{B_2(\rho,\theta)}L-L(\theta)}{1+L(\theta)}\le\frac{C_s\rho^2}{2(1+L(\theta))}",
        assumptions=("C_s-smooth on the ball", "theta a minimum, so that its gradient is 0"),
        stated={"bound": C * RHO**2 / (2 * (1 + LEVEL))},
        check=smooth_is_flat,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="L = theta^2/2 at theta = 0, rho = 2, C_s = 1: the rise is 2",
            attained=(THETA**2 / 2).subs(THETA, 2),
            bound=sp.Integer(2),
        ),
        twins=(
            Twin("one per cent less", {"bound": sp.Rational(99, 100) * C * RHO**2 / (2 * (1 + LEVEL))}),
            Twin("one per cent more", {"bound": sp.Rational(101, 100) * C * RHO**2 / (2 * (1 + LEVEL))}),
            Twin("without the 1/2", {"bound": C * RHO**2 / (1 + LEVEL)}),
        ),
        remark="'Tends to' is a bound here: no twice differentiable minimum is needed. The converse fails: "
        "flat minima occur in functions that are not smooth elsewhere.",
    ),
)
