"""Theorem 4.2: the adversarial loss is Lipschitz in theta; the index set S_+ as printed belongs to one of two cases."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin

L = sp.Symbol("L_theta", positive=True)
T = sp.Symbol("|theta_1-theta_2|", positive=True)
E1, E2, Z1, Z2 = sp.symbols("E_i(1) E_i(2) Z(1) Z(2)", positive=True)


def two_maxima() -> Fact:
    """The difference of two maxima is at most a difference at one perturbation, that of the larger."""
    larger, smaller, crossed = sp.symbols("l_11 l_22 l_12", real=True)
    return implies(
        "if the loss at theta_1 is the larger, the difference is at most l(delta_1, theta_1) - "
        "l(delta_1, theta_2)",
        [sp.Ge(larger, smaller), sp.Le(crossed, smaller)],
        sp.Le(larger - smaller, larger - crossed),
        shows=("l_ij = l(delta_i, theta_j); l_12 <= l_22, as delta_2 is optimal at theta_2",),
    )


def log_ratio(factor: sp.Expr) -> Iterator[Fact]:
    """log h_i(theta_2)/h_i(theta_1) is a difference of logits and one of log-sums, each at most L_theta |d theta|."""
    yield identity(
        "h_i(theta_2)/h_i(theta_1) = (E_i(2)/E_i(1)) (Z(1)/Z(2)), with E_i = exp f_i and Z their sum",
        (E2 / Z2) / (E1 / Z1),
        (E2 / E1) * (Z1 / Z2),
    )
    sum1, sum2, one, other, most = sp.symbols("A B a b M", positive=True)
    yield implies(
        "mediant inequality, one class more: Z(1)/Z(2) is at most the largest E_j(1)/E_j(2)",
        [sp.Le(sum1, most * sum2), sp.Le(one, most * other)],
        sp.Le(sum1 + one, most * (sum2 + other)),
        method="induction over the classes, z3 on the step",
    )
    u, v = sp.symbols("log(E_i(2)/E_i(1)) log(Z(1)/Z(2))", real=True)
    yield implies(
        "so the logarithm of the ratio is at most twice the Lipschitz bound of one logit",
        [sp.Le(u, L * T), sp.Le(v, L * T)],
        sp.Le(u + v, factor * L * T),
        shows=(
            "Assumption 4.1: |f_j(x + delta_1, theta_1) - f_j(x + delta_1, theta_2)| <= L_theta "
            "|theta_1 - theta_2|",
        ),
    )


def weighted(factor: sp.Expr) -> Iterator[Fact]:
    """Classes in S_+ add at most y_i times that; the others add nothing."""
    total, kept, y = sp.symbols("S Y y_i", nonnegative=True)
    r = sp.Symbol("log(h_i(2)/h_i(1))", real=True)
    for where, hypotheses, weight in (
        ("a class in S_+ adds at most y_i factor L_theta |d theta|", [sp.Le(r, factor * L * T)], kept + y),
        ("a class outside adds nothing", [sp.Le(r, 0)], kept),
    ):
        yield implies(
            where,
            [sp.Le(total, factor * L * T * kept), *hypotheses],
            sp.Le(total + y * r, factor * L * T * weight),
            method="induction over the classes, z3 on the step",
        )


def theorem(stated: SimpleNamespace) -> Iterator[Fact]:
    if stated.index_set == "of delta_1":
        yield compare(
            "K = 2, f = (theta, 0), y = (1, 0), theta_1 = 1, theta_2 = 0: the losses differ by at most "
            "A_theta = 0",
            sp.log(2) - sp.log(1 + sp.exp(-1)),
            "<=",
            sp.Integer(0),
            point={"theta_1": 1, "theta_2": 0},
            replay="L = log(1 + e^(-theta)) whatever delta is. From theta_1 = 1 to theta_2 = 0 the "
            "probability of class 0 "
            "falls and that of class 1 rises, so S_+ = {1}, y_1 = 0 and A_theta = 0; the losses are "
            "0.313 and 0.693.",
            dimension=(1,),
        )
    yield two_maxima()
    yield from log_ratio(stated.factor)
    yield from weighted(stated.factor)
    theta = sp.Symbol("theta", real=True)
    yield limit(
        "the constant is approached: for f = (-L theta, L theta), y = (1, 0) the slope tends to factor "
        "L_theta",
        sp.diff(sp.log(1 + sp.exp(2 * L * theta)), theta),
        theta,
        sp.oo,
        stated.factor * L,
    )


def global_constant(stated: SimpleNamespace) -> Iterator[Fact]:
    """grad L = sum (h_i - y_i) grad f_i, and sum |h_i - y_i| is at most 2 (1 - min y): the least constant for y."""
    h, y, least = sp.symbols("h_i y_i min_y", nonnegative=True)
    total = sp.Symbol("sum|h-y|", nonnegative=True)
    yield implies(
        "sum |h_i - y_i| is twice the sum of its positive parts, over the classes with h_i > y_i: not "
        "all of them, so "
        "that these parts are at most 1 minus the smallest y",
        [
            sp.Eq(total, 2 * (h - y)),
            sp.Le(h, 1),
            sp.Ge(y, least) if stated.counts_smallest else sp.Ge(y, 0),
        ],
        sp.Le(total, stated.factor * (1 - least)),
        shows=(
            "h and y both sum to 1; h_i, y_i here are the sums over the classes with h_i > y_i, one "
            "class at least",
        ),
    )
    theta, q = sp.Symbol("theta", real=True), sp.Symbol("q", positive=True)
    soft = -(1 - q) * sp.log(1 / (1 + sp.exp(2 * L * theta))) - q * sp.log(
        sp.exp(2 * L * theta) / (1 + sp.exp(2 * L * theta))
    )
    yield limit(
        "it is approached: K = 2, y = (1 - q, q), q the smaller, f = (-L theta, L theta), theta -> infinity",
        sp.simplify(sp.diff(soft, theta)),
        theta,
        sp.oo,
        stated.factor * L * (1 - q),
    )


def tight(stated: SimpleNamespace) -> Iterator[Fact]:
    """The slope tends to 2 L_theta and never reaches it."""
    theta = sp.Symbol("theta", real=True)
    slope = sp.diff(sp.log(1 + sp.exp(2 * L * theta)), theta)
    yield limit("the slope of log(1 + e^(2 L theta)) tends to it", slope, theta, sp.oo, stated.factor * L)
    e, rate = sp.symbols("e^(2L.theta) slope/L", positive=True)
    yield implies(
        "and is smaller at every theta" if stated.asymptotic else "and is reached or passed at every theta",
        [sp.Eq(rate * (1 + e), 2 * e)],
        sp.Lt(rate, stated.factor) if stated.asymptotic else sp.Ge(rate, stated.factor),
    )


CONSTANT = "A_theta = 2 sum_(i in S_+) y_i L_theta"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="theorem4.2",
        location="Sec. 4.1, Theorem 4.2; App. B.1",
        kind="theorem",
        title="The adversarial loss is A_theta-Lipschitz, with S_+ taken at delta_1",
        statement="Under Assumption 4.1, |L_epsilon(x, theta_1) - L_epsilon(x, theta_2)| <= A_theta "
        "||theta_1 - theta_2|| "
        f"with {CONSTANT}, S_+ the set of i with y_i >= 0 and h_i(x + delta_1, theta_2) > h_i(x + "
        f"delta_1, theta_1).",
        assumptions=("Assumption 4.1: every logit is L_theta-Lipschitz in theta", "y in the simplex"),
        expected=Verdict.FALSE,
        check=theorem,
        stated={"index_set": "of delta_1", "factor": sp.Integer(2)},
        sides=(sp.log(2) - sp.log(1 + sp.exp(-1)), 0),
        corrected=Reading(
            statement="Name theta_1 the weights with the larger adversarial loss and delta_1 an optimal "
            "attack there; then "
            f"the bound holds with {CONSTANT} and the printed S_+. (App. B.1 treats the other case by "
            f"replacing delta_1 by "
            "delta_2; S_+ and the order of theta_1 and theta_2 in it change too.)",
            stated={"index_set": "of the larger loss"},
        ),
        sharpest=Reading(
            statement="Without reference to the pair: |L_epsilon(x, theta_1) - L_epsilon(x, theta_2)| "
            "<= 2 (1 - min_i y_i) "
            "L_theta ||theta_1 - theta_2||, and no smaller constant depends on y and L_theta alone.",
            check=global_constant,
            stated={"counts_smallest": True},
        ),
        twins=(
            Twin("the printed index set", {"index_set": "of delta_1"}),
            Twin("one per cent less", {"factor": sp.Rational(198, 100)}),
            Twin("half the constant", {"factor": sp.Integer(1)}),
        ),
        remark="The display is lost; reconstructed from the constants below it and the proof. Read with "
        "theta_1 as the weights "
        "with the larger loss, as the proof's first case does, the statement is the corrected one.",
    ),
    Claim(
        id="theorem4.2.tight",
        location="App. B.1, below Eq. (13)",
        kind="proof step",
        equations=(13,),
        title="The bound of Theorem 4.2 is tight, asymptotically",
        statement="The bound on the right of (13) is tight: it can be achieved asymptotically.",
        expected=Verdict.TRUE,
        check=tight,
        stated={"factor": sp.Integer(2), "asymptotic": True},
        twins=(
            Twin("reached at some theta", {"asymptotic": False}),
            Twin("one per cent less", {"factor": sp.Rational(198, 100)}),
        ),
        remark="For one hard label and K = 2. It is approached and never reached.",
    ),
    Claim(
        id="theorem4.2.continuous",
        location="Sec. 4.1, below Theorem 4.2",
        kind="prose",
        title="The adversarial loss is Lipschitz continuous",
        statement="The adversarial loss L_epsilon(x, theta) is Lipschitz continuous in theta (with "
        "constant 2 L_theta for "
        "every label).",
        assumptions=("Assumption 4.1",),
        expected=Verdict.TRUE,
        check=lambda stated: theorem(SimpleNamespace(index_set="of the larger loss", **vars(stated))),
        stated={"factor": sp.Integer(2)},
        twins=(
            Twin("one per cent less", {"factor": sp.Rational(198, 100)}),
            Twin("the constant of the logits", {"factor": sp.Integer(1)}),
        ),
    ),
)
