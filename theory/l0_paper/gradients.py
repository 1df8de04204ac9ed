"""Steps on the gradient of the cross-entropy that the statements of Theorem 4.4 and Proposition C.2 share."""

from __future__ import annotations

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact
from theory.deciders.reals import implies

L, LTT, LTX, LX = sp.symbols("L_theta L_thetatheta L_thetax L_x", positive=True)
T, W = sp.symbols("|theta_1-theta_2| |delta_1-delta_2|", nonnegative=True)
INDUCTION = "induction over the classes, z3 on the step"


def gradient_formula() -> Fact:
    """grad L = sum_i (h_i - y_i) grad f_i, class by class: L = log Z - sum y_i f_i."""
    e, z, slope, y = sp.symbols("E_i Z f_i' y_i", positive=True)
    return identity(
        "class i adds (h_i - y_i) f_i' to the derivative of log Z - sum y_i f_i, for h_i = E_i/Z",
        e * slope / z - y * slope,
        (e / z - y) * slope,
        shows=("the derivative of log Z is sum E_i f_i'/Z; sum y_i = 1 makes the loss log Z - sum y_i f_i",),
    )


def weights_at_most_two() -> Fact:
    """sum |h_i - y_i| <= 2 for h and y in the simplex."""
    inside, outside, total = sp.symbols("sum(h-y)+ sum(y-h)+ sum|h-y|", nonnegative=True)
    return implies(
        "h and y sum to 1: sum |h_i - y_i| is at most 2",
        [sp.Eq(total, inside + outside), sp.Eq(inside, outside), sp.Le(inside, 1)],
        sp.Le(total, 2),
        shows=("the positive parts sum to at most sum h_i = 1, and to as much as the negative parts",),
    )


def weighted_sum(says: str, most: sp.Expr) -> Fact:
    """|sum w_i v_i| <= most sum |w_i| for |v_i| <= most, one class more."""
    total, weights, weight, term, longer = sp.symbols("|S| sum|w| |w_i| |v_i| |S+w_iv_i|", nonnegative=True)
    return implies(
        says,
        [sp.Le(total, most * weights), sp.Le(term, most), sp.Le(longer, total + weight * term)],
        sp.Le(longer, most * (weights + weight)),
        method=INDUCTION,
    )


def gradient_at_most(factor: object) -> list[Fact]:
    """|grad L| <= 2 L_theta, whatever the attack."""
    norm, weights = sp.symbols("|grad_L| sum|h-y|", nonnegative=True)
    return [
        gradient_formula(),
        weights_at_most_two(),
        weighted_sum(
            "a sum of gradients f_i' with weights is at most L_theta times the sum of the weights' sizes", L
        ),
        implies(
            "so the gradient of the loss is at most factor L_theta at every delta and theta",
            [sp.Le(norm, L * weights), sp.Le(weights, 2)],
            sp.Le(norm, sp.sympify(factor) * L),
        ),
    ]


def softmax_moves() -> list[Fact]:
    """|h(1) - h(2)|_1 <= s where no logit moves by more than s."""
    e, z, g, total = sp.symbols("E_i Z g_i sum(E_jg_j)", positive=True)
    mad, second, mean, s = sp.symbols("sum(h|g-mean|) sum(hg^2) mean s", nonnegative=True)
    return [
        identity(
            "where the logits move at speeds g, h_i moves at h_i (g_i - mean of g)",
            e * g / z - e * total / z**2,
            (e / z) * (g - total / z),
        ),
        implies(
            "the mean deviation of g under h is at most s for |g_i| <= s",
            [sp.Le(second, s**2), sp.Le(mad**2, second - mean**2)],
            sp.Le(mad, s),
            shows=("mean deviation^2 <= variance (Cauchy-Schwarz) = sum h g^2 - mean^2",),
        ),
    ]
