"""Adversaries of Lemma 5, its proof, and its sharper form on the tangent space (beyond.tangent)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.interior import central, waves
from numerics.adversaries.smooth import NOWHERE, bounded, equal, largest, worst
from numerics.adversaries.sphere import (
    ROUNDING,
    bordered,
    differences,
    lemma5_gap,
    on_sphere,
    padded,
    placed,
    product,
    sphere_instance,
)


def odd_or_vanishing(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Lemma 5 as printed: its hypothesis does not exclude mu = 0, where the attack leaves the sphere; for mu > 0 and
    det > 0 its constant is held against the branch."""
    loss, centre, _ = placed(instance)
    zero, none = np.zeros(centre.size), 0 * instance["theta"]
    whole = bordered(loss, zero, none, abs(instance["mu"]), centre)
    if not sentence.strict and instance["mu"] < 0.3:
        return lemma5_gap(instance, SimpleNamespace(**{**vars(sentence), "vanishing": True}))
    return lemma5_gap(instance, sentence) if np.linalg.det(whole) > 0 else NOWHERE


def eq44_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """D g~ by differences of the branch against -(grad^2 J)^{-1} [0; B]."""
    loss, centre, _ = placed(instance)
    zero, none = np.zeros(centre.size), 0 * instance["theta"]
    whole = bordered(loss, zero, none, abs(instance["mu"]), centre)
    right = padded(loss.mixed(zero, none))
    formula = -sentence.sign * (np.linalg.solve(whole, right) if sentence.inverted else whole @ right)
    found = differences(instance, 0.0 if sentence.fixed else 1.0)
    if found is None:
        return NOWHERE
    return equal(found[0], formula, found[1] + 1e-7 * (1e-6 + largest(formula)))


def eq45_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The three inequalities between the way of the attack, that of (mu, x), its derivative, and C_theta_x/c."""
    found = on_sphere(instance)
    if found is None:
        return NOWHERE
    apart = 2 * float(np.linalg.norm(instance["theta"]))
    (mu, x), (other_mu, other_x) = found.ends
    way, between = float(np.linalg.norm(x - other_x)), mu - other_mu
    whole = float(np.sqrt(way**2 + between**2)) if not sentence.subtracted else way
    middle = np.sqrt(max(way**2 - between**2, 0)) if sentence.subtracted else whole
    first = sentence.first * found.moves[0] * apart
    bound = product(found.mixed, found.inverse)
    near = ROUNDING * (1 + whole)
    return worst(
        Gap(way, float(middle), near),
        Gap(whole, first, found.moves[1] * apart + near),
        Gap(found.moves[0], sentence.second * bound[0], ROUNDING * (1 + found.moves[0])),
    )


def padded_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """grad_theta J = A sin(x) of l = theta.A sin(x), differentiated in (mu, x) by differences."""
    matrix, x = instance["matrix"], instance["t"]
    found = central(lambda at: matrix @ np.sin(at[1:]), np.concatenate([[0.7], x]))
    if sentence.ones:
        found = found + np.eye(1, x.size + 1)
    return Gap(largest(found), sentence.factor * largest(matrix), 1e-8 * (1 + largest(matrix)))


def subscript_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """sigma_1(D g~) <= sigma_1(B)/c with c the smallest singular value of the bordered matrix, and, as printed, that
    grad_x^2 J alone has none below c."""
    loss, centre, _ = placed(instance)
    zero, none = np.zeros(centre.size), 0 * instance["theta"]
    whole = bordered(loss, zero, none, abs(instance["mu"]), centre)
    c = float(np.linalg.svd(whole)[1][-1])
    if sentence.printed:
        return Gap(c, float(np.linalg.svd(whole[1:, 1:])[1][-1]), 1e-9 * c)
    mixed = loss.mixed(zero, none)
    moves = largest(np.linalg.solve(whole, padded(mixed)))
    return Gap(sentence.factor * c * moves, largest(mixed), 1e-9 * largest(mixed))


def smooth_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The gradient grad_theta l(x'(theta), theta) at both ends of the branch against C_theta_theta + C_theta_x^2/c."""
    if sentence.vanishing:  # mu = 0: l = -0.1 x_1^2/2 - x_2^2/2 + x_1 theta at n = (1, 0), for theta < 0
        h, n = np.diag([0.1, 1.0]), np.array([[1.0, 0.0]])
        whole = np.block([[np.zeros((1, 1)), -n], [-n.T, -h]])
        return Gap(1 / h[0, 0], 1 / float(np.linalg.svd(whole)[1][-1]))
    found = on_sphere(instance)
    if found is None:
        return NOWHERE
    apart = 2 * float(np.linalg.norm(instance["theta"]))
    square, missed = product(found.mixed, found.mixed) if sentence.power == 2 else found.mixed
    grown, more = product((square, missed), found.inverse)
    change = float(np.linalg.norm(found.slopes[1] - found.slopes[0]))
    right = sentence.factor * (found.own[0] + grown) * apart
    return Gap(change, right, (found.own[1] + more) * apart + ROUNDING * (change + right))


def scale_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """k l in place of l: the Jacobian by differences, and the constant k C_theta_x / c_k against k C_theta_x."""
    k = float(np.exp(instance["theta"][0] / np.linalg.norm(instance["theta"]) * 2))
    scaled = {**instance, "coef": k * instance["coef"], "bilinear": k * instance["bilinear"]}
    scaled["mu"] = k * instance["mu"]
    one, other = differences(instance), differences(scaled)
    if one is None or other is None:
        return NOWHERE
    loss, centre, _ = placed(scaled)
    zero, none = np.zeros(centre.size), 0 * instance["theta"]
    c = float(np.linalg.svd(bordered(loss, zero, none, abs(scaled["mu"]), centre))[1][-1])
    mixed = largest(instance["bilinear"] if instance["coef"].shape[0] == zero.size else 0 * zero)
    error = one[1] + other[1] + 1e-7 * (1 + largest(one[0][1:]))
    return worst(
        equal(one[0][1:], other[0][1:], error),
        Gap(sentence.factor * k**sentence.power * mixed, k * mixed / c, 1e-9 * mixed * k),
    )


def at_most_one_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The smallest singular value of the bordered Hessian against 1."""
    loss, centre, _ = placed(instance)
    zero, none = np.zeros(centre.size), 0 * instance["theta"]
    whole = bordered(loss, zero, none, abs(instance["mu"]), centre)
    return Gap(float(np.linalg.svd(whole)[1][-1]), sentence.most, 1e-10)


def sharp_instance(rng: np.random.Generator) -> Instance:
    """As `sphere_instance`, now and then with a very sharp maximum."""
    instance = sphere_instance(rng)
    return {**instance, "coef": instance["coef"] * 10 ** rng.uniform(0, 3)}


def tangent_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """beyond.tangent: derivative, Lipschitz constant, and C_tangent/c_T <= C_theta_x/c; d >= 2."""
    if instance["n"].size < 2:
        return NOWHERE
    return lemma5_gap(instance, sentence)


DATA = {
    "factor": 1.0,
    "sign": 1,
    "tangent": False,
    "at_the_point": False,
    "vanishing": False,
    "det_positive": False,
}
HOW = "quartic losses, 1 to 4 inputs, convex and concave; a maximum on the sphere followed by Newton's method"
TANGENT = {**DATA, "tangent": True}
ADVERSARIES = (
    Adversary(
        claim="lemma5",
        how="losses with det > 0, the multiplier 0 included, where the maximum goes inside",
        draw=sphere_instance,
        gap=odd_or_vanishing,
        admit=bounded,
        sentence={**DATA, "strict": False},
    ),
    Adversary(
        claim="lemma5",
        reading="corrected",
        how=HOW,
        draw=sphere_instance,
        gap=lemma5_gap,
        admit=bounded,
        sentence=DATA,
        twins={
            "multiplier allowed to vanish": {"vanishing": True},
            "det > 0 required of a maximum in every dimension": {"det_positive": True},
            "constant one per cent smaller": {"factor": 0.99},
        },
    ),
    Adversary(
        claim="lemma5",
        reading="sharpest",
        how=HOW,
        draw=sphere_instance,
        gap=lemma5_gap,
        admit=bounded,
        sentence=TANGENT,
        twins={
            "sharpened constant one per cent smaller": {"factor": 0.99},
            "c_T and C_tangent read at x* alone": {"at_the_point": True},
            "old wording: hypotheses at x* alone": {"at_the_point": True},
            "multiplier allowed to vanish": {"vanishing": True},
        },
    ),
    Adversary(
        claim="beyond.tangent",
        how=HOW,
        draw=sphere_instance,
        gap=tangent_gap,
        admit=bounded,
        sentence=TANGENT,
        twins={
            "sign dropped": {"sign": -1},
            "constant one per cent smaller": {"factor": 0.99},
            "c_T and C_tangent read at x* alone": {"at_the_point": True},
            "old wording: hypotheses at x* alone": {"at_the_point": True},
            "multiplier allowed to vanish": {"vanishing": True},
        },
    ),
    Adversary(
        claim="lemma5.eq44",
        how="quartic losses; D (mu, x') by differences of Newton's solutions",
        draw=sphere_instance,
        gap=eq44_gap,
        admit=bounded,
        sentence={"sign": 1, "inverted": True, "fixed": True},
        twins={
            "sign dropped": {"sign": -1},
            "bordered Hessian not inverted": {"inverted": False},
            "theta in the constraint": {"fixed": False},
        },
    ),
    Adversary(
        claim="lemma5.eq45",
        how=HOW,
        draw=sphere_instance,
        gap=eq45_gap,
        admit=bounded,
        sentence={"first": 1.0, "second": 1.0, "subtracted": False},
        twins={
            "first constant one per cent smaller": {"first": 0.99},
            "second constant one per cent smaller": {"second": 0.99},
            "multiplier's square subtracted": {"subtracted": True},
        },
    ),
    Adversary(
        claim="lemma5.padded",
        how="theta.A sin(x); its derivatives in (mu, x) and theta by differences",
        draw=waves,
        gap=padded_gap,
        sentence={"factor": 1.0, "ones": False},
        twins={"a row of ones": {"ones": True}, "one per cent": {"factor": 0.99}},
    ),
    Adversary(
        claim="lemma5.subscript",
        how="maxima on the sphere; singular values of the bordered matrix and of its block",
        draw=sphere_instance,
        gap=subscript_gap,
        sentence={"factor": 1.0, "printed": True},
    ),
    Adversary(
        claim="lemma5.subscript",
        reading="corrected",
        how="maxima on the sphere; singular values of the bordered matrix, and the derivative's norm",
        draw=sphere_instance,
        gap=subscript_gap,
        sentence={"factor": 1.0, "printed": False},
        twins={"subscript as printed": {"printed": True}, "c one per cent larger": {"factor": 1.01}},
    ),
    Adversary(
        claim="sec322.smooth",
        how=HOW + "; grad_theta l at both ends",
        draw=sphere_instance,
        gap=smooth_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 2, "vanishing": False},
        twins={
            "one per cent smaller": {"factor": 0.99},
            "C_theta_x not squared": {"power": 1},
            "multiplier allowed to vanish": {"vanishing": True},
        },
    ),
    Adversary(
        claim="beyond.c-at-most-one",
        how="maxima on the sphere, very sharp ones among them; the smallest singular value",
        draw=sharp_instance,
        gap=at_most_one_gap,
        admit=bounded,
        sentence={"most": 1.0},
        twins={"one per cent less": {"most": 0.99}, "one half": {"most": 0.5}},
    ),
    Adversary(
        claim="beyond.scale",
        how="losses l and k l, k over two decades; Jacobians by differences",
        draw=sphere_instance,
        gap=scale_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 1},
        twins={"k squared": {"power": 2}, "one per cent more": {"factor": 1.01}},
    ),
)
