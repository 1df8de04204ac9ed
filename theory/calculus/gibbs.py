"""EntropySGD's Gibbs moments along two directions, in any dimension m: Theorem 3, Eqs. (10)-(12), (46)-(72).

The density exp(-beta L(theta') - (beta gamma/2) ||theta - theta'||^2) is met only through a = <theta', u> and
b = <theta', v>, for two arbitrary directions u and v: that decides every entry of a gradient or Hessian (u, v
coordinate axes) and every eigenvalue (u = v), whatever m is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact
from theory.deciders.vectors import Space

BETA, GAMMA = sp.symbols("beta gamma", positive=True)
LOSS = sp.Symbol("L(theta')", real=True)
# theta moves to theta + S u + T v; derivatives are taken at S = T = 0.
S, T = sp.symbols("s t", real=True)
SPACE = Space("theta", "theta'", "u", "v")
A, B = SPACE.product("theta'", "u"), SPACE.product("theta'", "v")
THETA_U, THETA_V = SPACE.product("theta", "u"), SPACE.product("theta", "v")
U_V = SPACE.product("u", "v")
MASS = sp.Symbol("e^F", positive=True)
E_A, E_B, E_AA, E_AB = sp.symbols("E[a] E[b] E[a^2] E[ab]", real=True)
NAMED = {(0, 0): sp.Integer(1), (1, 0): E_A, (0, 1): E_B, (2, 0): E_AA, (1, 1): E_AB}
X = sp.Symbol("x", real=True)  # one coordinate of theta', or theta' itself where m = 1
UNIT = sp.Integer(1)  # E[(x - mu) V'] under a density proportional to e^(-V): score_facts
# Theorems that the claims on EntropySGD cite.
ANALYTIC = "analyticity of a Laplace transform inside its domain (differentiation under the integral)"
SPECTRAL = "spectral theorem for symmetric matrices"
BRASCAMP_LIEB = "Brascamp and Lieb (1976): Var <= 1/gamma for a gamma-strongly convex exponent"
PREKOPA = (
    "Prekopa (1973): integrating a log-concave function over some variables leaves a log-concave function"
)
BY_PARTS = "Rademacher's theorem and integration by parts for Lipschitz functions"


class Moment(sp.Function):
    """Moment(f): the integral over theta' in R^m of f exp(exponent()), a function of S and T; linear in f."""

    nargs = 1


@lru_cache(maxsize=1)
def exponent() -> sp.Expr:
    """-beta L(theta') - (beta gamma/2) ||theta + S u + T v - theta'||^2 in Gram scalars (Eq. 10)."""
    theta, other, u, v = SPACE.vectors()
    gap = theta + S * u + T * v - other
    return sp.expand(-BETA * LOSS - BETA * GAMMA / 2 * SPACE.inner(gap, gap))


def negative_log_mass() -> sp.Expr:
    """-F(theta + S u + T v) = -log of the integral of exp(exponent()) (Eq. 10)."""
    return -sp.log(Moment(sp.Integer(1)))


def derivative(expression: sp.Expr, parameter: sp.Symbol) -> sp.Expr:
    """d expression/d parameter under each integral: d Moment(f) = Moment(df + f d exponent).

    The exchange of derivative and integral is legitimate because theta -> e^F exp(beta gamma |theta|^2/2) is
    a Laplace transform that is finite everywhere, hence analytic.
    """
    names = {moment: sp.Dummy() for moment in sorted(expression.atoms(Moment), key=str)}
    frozen = expression.xreplace(names)
    total = sp.diff(frozen, parameter)
    for moment, name in names.items():
        (integrand,) = moment.args
        inner = sp.diff(integrand, parameter) + integrand * sp.diff(exponent(), parameter)
        total += sp.diff(frozen, name) * Moment(sp.expand(inner))
    return total.xreplace({name: moment for moment, name in names.items()})


def at_theta(expression: sp.Expr) -> sp.Expr:
    """The expression at S = T = 0, each Moment(f) written by linearity as e^F E[f] (Eq. 49).

    Raises ValueError for a moment that has no symbol here (order above two, or b^2).
    """
    still = expression.subs({S: 0, T: 0})
    return sp.expand(still.replace(Moment, lambda integrand: MASS * expectation(integrand)))


def expectation(integrand: sp.Expr) -> sp.Expr:
    """E[f] for a polynomial f in a and b, in the symbols E[a], E[b], E[a^2], E[ab]."""
    total = sp.Integer(0)
    for powers, coefficient in sp.Poly(integrand, A, B).terms():
        if powers not in NAMED:
            raise ValueError(
                f"integrand has a^{powers[0]} b^{powers[1]}; only 1, a, b, a^2 and ab have a symbol"
            )
        total += coefficient * NAMED[powers]
    return total


def by_cumulants() -> tuple[sp.Expr, sp.Expr]:
    """Gradient of -F along u and Hessian along u, v by a second route that differentiates no Gibbs weight.

    Completing the square, -F(theta + s u + t v) = (beta gamma/2) |theta + s u + t v|^2 - log E[exp(beta gamma
    (s a + t b))] + const, and log E[exp(...)] is the cumulant generating function of (a, b): only its terms
    in s, t and s t enter.
    """
    theta, _, u, v = SPACE.vectors()
    moved = theta + S * u + T * v
    c = BETA * GAMMA
    jet = 1 + c * (S * E_A + T * E_B) + c**2 * S * T * E_AB
    value = c / 2 * SPACE.inner(moved, moved) - sp.log(jet)
    first = sp.diff(value, S)
    at = {S: 0, T: 0}
    return sp.expand(first.subs(at)), sp.expand(sp.diff(first, T).subs(at))


def one_direction(expression: sp.Expr) -> sp.Expr:
    """A second derivative along u and v, in moments, at u = v of length one: a Hessian's quadratic form."""
    return at_theta(expression).subs({U_V: 1, E_AB: E_AA, E_B: E_A, THETA_V: THETA_U})


def line_integral(factor: sp.Expr, exponent_of_x: sp.Expr) -> sp.Expr:
    """The integral over the real line of factor(X) exp(q(X)), factor a polynomial, q a concave quadratic.

    The square is completed first: q = -(p/2) (X - mean)^2 + rest with p > 0. Raises ValueError where p is not
    positive, for then the integral diverges.
    """
    q = sp.Poly(sp.expand(exponent_of_x), X)
    precision = sp.factor(-2 * q.coeff_monomial(X**2))
    if q.degree() != 2 or not precision.is_positive:
        raise ValueError(
            f"exponent_of_x = {exponent_of_x} must be a quadratic in x whose x^2 has a negative factor"
        )
    mean = q.coeff_monomial(X) / precision
    rest = sp.factor(q.coeff_monomial(1) + precision * mean**2 / 2)
    centred = sp.Poly(sp.sympify(factor).subs(X, X + mean), X)
    parts = (
        coefficient * _central_moment(power) / precision ** sp.Rational(power + 1, 2)
        for (power,), coefficient in centred.terms()
    )
    return sp.factor(sp.Add(*parts)) * sp.exp(rest)


@cache
def _central_moment(power: int) -> sp.Expr:
    """The integral of x^power exp(-x^2/2) over the real line."""
    return sp.integrate(X**power * sp.exp(-(X**2) / 2), (X, -sp.oo, sp.oo))


def score_facts() -> Iterator[Fact]:
    """Integration by parts under a density proportional to e^(-V), V growing fast, along one coordinate x.

    The integral of a derivative vanishes, so E[V'] = 0, E[(x - mu) V'] = 1 for every mu and E[V'^2] = E[V''];
    in R^m the same holds for x = <theta', v> and the derivative along v, by Fubini.
    """
    potential = sp.Function("V")(X)
    mu = sp.Symbol("mu", real=True)
    weight, slope = sp.exp(-potential), sp.diff(potential, X)
    for says, of, derivative_of, primitive, integrand in (
        ("E[V'] = 0", "V'", "-e^(-V)", -weight, slope),
        (
            f"E[(x - mu) V'] = {UNIT}",
            "1 - (x - mu) V'",
            "(x - mu) e^(-V)",
            (X - mu) * weight,
            UNIT - (X - mu) * slope,
        ),
        ("E[V'^2] = E[V'']", "V'' - V'^2", "V' e^(-V)", slope * weight, sp.diff(slope, X) - slope**2),
    ):
        yield identity(
            f"{says} under the density proportional to e^(-V), for ({of}) e^(-V) is the derivative of {derivative_of}, "
            "which vanishes at infinity",
            sp.diff(primitive, X),
            integrand * weight,
            method="integration by parts, sympy identity",
        )
