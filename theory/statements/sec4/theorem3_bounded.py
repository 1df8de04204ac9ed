"""Theorem 3: Sigma is finite for each theta and bounded on bounded sets (Eq. 71), with explicit bounds."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import ANALYTIC, E_A, E_AA, GAMMA, SPECTRAL, A, X, expectation, line_integral
from theory.deciders.exact import identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.sec4.entropy_examples import CAP_VARIANCE, RADIUS, THETA, caps
from theory.statements.sec4.theorem3 import ANY, EIGENVALUE, FROBENIUS, largest_at_most_frobenius

Z, M = sp.symbols("Z m", positive=True)  # Z = E exp(-L) under N(theta, I/gamma); m is the number of weights
# Bounds log(1/Z(theta)) - gamma |theta|^2 + (m/2) log 2.
OFFSET = sp.Symbol("c_0", nonnegative=True)


def bounded_set(stated: SimpleNamespace) -> Iterator[Fact]:
    """||Sigma_theta||_F <= (4/gamma)(gamma R^2 + c_0) for |theta| <= R; else a loss without such a bound."""
    if not stated.non_negative:
        yield limit(
            "for L = -(gamma/2) theta^2 and theta = 0 the integral of Eq. (10) over [-R, R] stays bounded",
            sp.integrate(sp.exp(GAMMA / 2 * X**2 - GAMMA / 2 * X**2), (X, -RADIUS, RADIUS)),
            RADIUS,
            sp.oo,
            ANY,
            dimension=(1,),
        )
        return
    if not stated.bounded:
        yield from caps(CAP_VARIANCE)
        yield limit(
            "with caps of every radius R, Sigma stays bounded",
            CAP_VARIANCE,
            RADIUS,
            sp.oo,
            ANY,
            dimension=(1,),
        )
        return
    yield from frobenius_at_most_trace()
    yield trace_at_most_second_moment()
    rate = GAMMA / 4
    yield identity(
        "under the Gaussian N(theta, I/gamma), E exp((gamma/4)|theta' - theta|^2) = 2^(m/2): sqrt(2) for "
        "each coordinate",
        line_integral(sp.Integer(1), rate * (X - THETA) ** 2 - GAMMA / 2 * (X - THETA) ** 2)
        / line_integral(sp.Integer(1), -GAMMA / 2 * (X - THETA) ** 2),
        sp.sqrt(2),
    )
    yield from mass_bounded_below()
    second, squared, half_log = sp.symbols("E|theta'-theta|^2 |theta|^2 (m/2)log2", nonnegative=True)
    log_inverse, offset = sp.symbols("log(1/Z) c_1", nonnegative=True)
    yield implies(
        "Jensen: (gamma/4) E|theta' - theta|^2 <= log E exp((gamma/4)|theta' - theta|^2) <= log(1/Z) + (m/2) log 2 "
        f"<= gamma R^2 + c_1 + (m/2) log 2 = gamma R^2 + c_0, so ||Sigma_theta||_F <= {stated.bound}",
        [
            sp.Le(FROBENIUS, second),
            sp.Le(rate * second, log_inverse + half_log),
            sp.Le(log_inverse, GAMMA * squared + offset),
            sp.Le(squared, RADIUS**2),
            sp.Eq(OFFSET, offset + half_log),
        ],
        sp.Le(FROBENIUS, stated.bound),
        shows=(
            "Z = E exp(-L) under N(theta, I/gamma), c_1 = -log((gamma/2 pi)^(m/2) integral of exp(-L - gamma "
            "|theta'|^2))",
        ),
    ).using("||Sigma||_F <= tr Sigma", "tr Sigma <= E", "= 2^(m/2)", "2|theta|^2 + 2|theta'|^2")
    yield identity(
        "the bound is (4/gamma)(gamma R^2 + c_0)", stated.bound, 4 / GAMMA * (GAMMA * RADIUS**2 + OFFSET)
    )


def frobenius_at_most_trace() -> Iterator[Fact]:
    """||Sigma||_F <= tr Sigma for a positive semidefinite Sigma of any size, eigenvalue by eigenvalue."""
    norm, trace, longer = sp.symbols("f_k t_k f_(k+1)", nonnegative=True)
    yield implies(
        "||Sigma||_F <= tr Sigma, by induction over the eigenvalues",
        [sp.Le(norm, trace), sp.Eq(longer**2, norm**2 + EIGENVALUE**2)],
        sp.Le(longer, trace + EIGENVALUE),
        method="induction over the eigenvalues, z3",
    )


def trace_at_most_second_moment() -> Fact:
    """tr Sigma <= E|theta' - theta|^2, summed over the coordinates."""
    return identity(
        "tr Sigma <= E|theta' - theta|^2, for E(a - t)^2 - (E a - t)^2 = E a^2 - (E a)^2 in each coordinate",
        expectation(sp.expand((A - THETA) ** 2)) - (E_A - THETA) ** 2,
        E_AA - E_A**2,
    )


def mass_bounded_below() -> Iterator[Fact]:
    """e^F(theta) >= exp(-gamma |theta|^2) times a positive number free of theta (parallelogram law)."""
    space = Space("theta", "theta'")
    theta, other = space.vectors()
    yield identity(
        "2|theta|^2 + 2|theta'|^2 - |theta - theta'|^2 = |theta + theta'|^2 >= 0, so log(1/Z(theta)) <= "
        "gamma |theta|^2 + const",
        2 * space.inner(theta, theta)
        + 2 * space.inner(other, other)
        - space.inner(theta - other, theta - other),
        sp.expand(space.inner(theta + other, theta + other)),
        method="Gram reduction, sympy identity",
    )


def finite(stated: SimpleNamespace) -> Iterator[Fact]:
    """Sigma_theta <= I/(gamma Z(theta)), for e^(-L) <= 1 under N(theta, I/gamma); so its m eigenvalues are finite."""
    yield from largest_at_most_frobenius()
    gaussian = line_integral((X - THETA) ** 2, -GAMMA / 2 * (X - THETA) ** 2)
    mass = line_integral(sp.Integer(1), -GAMMA / 2 * (X - THETA) ** 2)
    yield identity(
        "N(theta, I/gamma) has the variance 1/gamma in every direction", gaussian / mass, 1 / GAMMA
    )
    weight, square = (sp.Symbol(name, positive=True) for name in ("exp(-L)", "<theta'-theta,v>^2"))
    yield implies(
        "L >= 0: exp(-L) <theta' - theta, v>^2 is at most <theta' - theta, v>^2",
        [sp.Le(weight, stated.largest_weight)],
        sp.Le(weight * square, square),
    )
    names = ("E_N[exp(-L)<theta'-theta,v>^2]", "Var<theta',v>")
    moment, variance = (sp.Symbol(name, positive=True) for name in names)
    yield implies(
        "with Z = E_N[exp(-L)] in (0, 1], along every unit v: Var <theta', v> <= E <theta' - theta, v>^2 <= "
        "1/(gamma Z)",
        [sp.Le(moment, 1 / GAMMA), sp.Le(variance, moment / Z), sp.Le(Z, 1)],
        sp.Le(variance, 1 / (GAMMA * Z)),
        shows=("<.,.> is the inner product of R^m, E_N the mean under N(theta, I/gamma)",),
    ).using("has the variance 1/gamma", "L >= 0: exp(-L)")
    norm, count, longer = sp.symbols("f_k k f_(k+1)", nonnegative=True)
    cap = sp.Symbol("1/(gamma Z)", positive=True)
    yield implies(
        "k + 1 eigenvalues of at most 1/(gamma Z) have a root of squares of at most sqrt(k + 1)/(gamma Z), "
        "by induction: "
        "||Sigma||_F < oo",
        [sp.Le(norm**2, count * cap**2), sp.Le(EIGENVALUE, cap), sp.Eq(longer**2, norm**2 + EIGENVALUE**2)],
        sp.Le(longer**2, (count + 1) * cap**2),
        method="induction over the eigenvalues, z3",
    ).using("along every unit v")


def frobenius_bound(stated: SimpleNamespace) -> Iterator[Fact]:
    """The bound that the induction ends with, and that L = 0 attains it in every dimension m."""
    yield from finite(SimpleNamespace(largest_weight=sp.Integer(1)))
    yield identity(
        "after all m eigenvalues: the stated bound is sqrt(m)/(gamma Z)",
        stated.bound**2,
        M * (1 / (GAMMA * Z)) ** 2,
    ).using("k + 1 eigenvalues")
    yield identity(
        "attained for every m by L = 0, where Z = 1 and Sigma = I/gamma has m eigenvalues 1/gamma",
        stated.bound.subs(Z, 1),
        sp.sqrt(M * (1 / GAMMA) ** 2),
    )


CLAIMS = (
    Claim(
        id="theorem3.finite",
        location="Sec. 4, Theorem 3; App. A, Eq. (71)",
        kind="proof step",
        equations=(71,),
        title="sigma_1(Sigma) <= ||Sigma||_F < oo for every theta",
        statement="sigma_1(Sigma_theta) <= ||Sigma_theta||_F < oo for theta in R^m.",
        latex=r"\sigma_1(\Sigma_\theta)\le\|\Sigma_\theta\|_F<\infty",
        assumptions=("beta = 1, L >= 0 and finite",),
        cites=(SPECTRAL,),
        stated={"largest_weight": sp.Integer(1)},
        check=finite,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="||Sigma_theta||_F <= sqrt(m)/(gamma Z(theta)) with Z(theta) = E exp(-L) in (0, 1] "
            "under N(theta, "
            "I/gamma), for every theta; L = 0 attains it for every m.",
            latex=r"\|\Sigma_\theta\|_F\le\frac{\sqrt m}{\gamma Z(\theta)}",
            stated={"bound": sp.sqrt(M) / (GAMMA * Z)},
            check=frobenius_bound,
        ),
        tightness=Tightness(
            pair="L = 0, m = 4, gamma = 1: Sigma = I, Z = 1",
            attained=sp.eye(4).norm(),
            bound=(sp.sqrt(M) / (GAMMA * Z)).subs({M: 4, GAMMA: 1, Z: 1}),
        ),
        twins=(
            Twin("L >= -log 2 only", {"largest_weight": sp.Integer(2)}),
            Twin("weights up to 1.01", {"largest_weight": sp.Rational(101, 100)}),
            Twin(
                "sharpened bound one per cent smaller",
                {"bound": sp.Rational(99, 100) * sp.sqrt(M) / (GAMMA * Z)},
                of="sharpest",
            ),
            Twin("sharpened bound with m for its root", {"bound": M / (GAMMA * Z)}, of="sharpest"),
            Twin("sharpened bound without Z", {"bound": sp.sqrt(M) / GAMMA}, of="sharpest"),
        ),
        remark="The paper gives no bound, only finiteness. That Sigma is finite does not need L >= 0: a loss bounded "
        "below serves as well, with L - inf L for L.",
    ),
    Claim(
        id="theorem3.bounded-set",
        location="Sec. 4, Theorem 3, last sentence; App. A, Eq. (71)",
        kind="theorem",
        equations=(71,),
        title="Thus -nabla F is Lipschitz on a bounded set",
        statement="-nabla F is Lipschitz on every bounded set: for |theta| <= R, ||Sigma_theta||_F <= 4 "
        "R^2 + (4/gamma) c_0, where c_0 depends on "
        "L, gamma and m alone.",
        latex=r"\sup_{\|\theta\|\le R}\|\Sigma_\theta\|_F\le 4R^2+\frac{4c_0}{\gamma}<\infty",
        assumptions=(
            "beta = 1, L >= 0 and finite",
            "c_0 = (m/2) log 2 - log((gamma/2 pi)^(m/2) integral of exp(-L - gamma |theta'|^2))",
        ),
        cites=(ANALYTIC, SPECTRAL, "mean value inequality", "Jensen's inequality"),
        stated={"bound": 4 * RADIUS**2 + 4 * OFFSET / GAMMA, "bounded": True, "non_negative": True},
        check=bounded_set,
        expected=Verdict.TRUE,
        twins=(
            Twin(
                "bound one per cent smaller",
                {"bound": sp.Rational(99, 100) * (4 * RADIUS**2 + 4 * OFFSET / GAMMA)},
            ),
            Twin("all of R^m", {"bounded": False}),
            Twin("L not bounded below", {"non_negative": False}),
            Twin("R in place of R^2", {"bound": 4 * RADIUS + 4 * OFFSET / GAMMA}),
        ),
        remark="The paper's 'thus' has a gap: that Sigma_theta is finite for each theta does not bound its "
        "supremum over a bounded set. "
        "The gap is filled here; the growth R^2 is of the right order, see beyond.theorem3-global.",
    ),
)
