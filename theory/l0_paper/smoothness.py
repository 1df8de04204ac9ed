"""Theorem 4.4: the gradient of the adversarial loss. The bound is right, never below what is known without it, and
says nothing of discontinuity; a bound without the term 4 L_theta holds."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.l0_paper.gradients import (
    LTT,
    LTX,
    LX,
    L,
    T,
    W,
    gradient_at_most,
    gradient_formula,
    softmax_moves,
    weighted_sum,
    weights_at_most_two,
)
from theory.ledger.claim import Claim, Reading, Twin

THETA = sp.Symbol("theta", real=True)


def formula(stated: SimpleNamespace) -> Iterator[Fact]:
    """K = 3 in full, and one class by itself for every K."""
    at, slopes = sp.symbols("a_0:3", real=True), sp.symbols("b_0:3", real=True)
    logits = [a + b * THETA for a, b in zip(at, slopes, strict=True)]  # all that a derivative sees of them
    y = [*sp.symbols("y_0 y_1", real=True)]
    y.append(1 - y[0] - y[1])
    z = sum(map(sp.exp, logits))
    loss = sp.log(z) - sum(weight * f for weight, f in zip(y, logits, strict=True))
    printed = sum(
        (sp.exp(f) / z - stated.label * weight) * sp.diff(f, THETA)
        for weight, f in zip(y, logits, strict=True)
    )
    yield identity("K = 3: the derivative of the loss is sum (h_i - y_i) f_i'", sp.diff(loss, THETA), printed)
    if stated.sums_to_one:
        yield gradient_formula()
    else:
        yield compare("the entries of y sum to 1", sp.Integer(2), "==", sp.Integer(1))


def theorem(stated: SimpleNamespace) -> Iterator[Fact]:
    first, second, whole = sp.symbols("|first| |second| |whole|", nonnegative=True)
    yield gradient_formula()
    yield weighted_sum("a mean of gradients of logits with weights h or y is at most L_theta", L)
    yield weighted_sum("a mean of their differences at one x is at most L_thetatheta |d theta|", LTT * T)
    yield implies(
        "at one perturbation: y's part moves by at most L_thetatheta |d theta|, h's part by at most 2 "
        "L_theta",
        [sp.Le(first, LTT * T), sp.Le(second, 2 * L), sp.Le(whole, first + second)],
        sp.Le(whole, LTT * T + 2 * L),
    )
    yield implies(
        "at one theta: y's part moves by at most L_thetax |d delta|, h's part by at most 2 L_theta",
        [sp.Le(first, LTX * W), sp.Le(second, 2 * L), sp.Le(whole, first + second)],
        sp.Le(whole, LTX * W + 2 * L),
    )
    yield identity(
        "the sum of both is A_thetatheta |d theta| + B_thetadelta",
        (LTT * T + 2 * L) + (LTX * W + 2 * L),
        stated.curvature * T + stated.jump,
    )


def without_constant(stated: SimpleNamespace) -> Iterator[Fact]:
    """(h(1) - y) meets the change of the gradients, and the change of h meets a gradient: both vanish with the move."""
    yield from (gradient_formula(), weights_at_most_two())
    moved = LTT * T + LTX * W
    yield weighted_sum(
        "sum (h_i(1) - y_i)(f_i'(1) - f_i'(2)) is at most (L_thetatheta |d theta| + L_thetax |d delta|) "
        "sum |h - y|",
        moved,
    )
    yield from softmax_moves()
    yield weighted_sum("sum (h_i(1) - h_i(2)) f_i'(2) is at most L_theta sum |h(1) - h(2)|", L)
    yield identity(
        "no logit moves by more than s = L_theta |d theta| + L_x |d delta|: together",
        2 * moved + L * (L * T + LX * W),
        stated.curvature * T + stated.jump,
    )


def nothing_new(stated: SimpleNamespace) -> Iterator[Fact]:
    """The left side is at most 4 L_theta under Assumption 4.1 alone, which is at most B_thetadelta."""
    yield from gradient_at_most(2)
    one, other, apart = sp.symbols("|grad_1| |grad_2| |grad_1-grad_2|", nonnegative=True)
    yield implies(
        "so two gradients are at most 4 L_theta apart, at most what Theorem 4.4 allows them at distance "
        "0 of the weights",
        [sp.Le(one, 2 * L), sp.Le(other, 2 * L), sp.Le(apart, one + other)],
        sp.And(sp.Le(apart, stated.factor * L), sp.Le(apart, LTX * W + stated.allowed * L)),
    )
    yield identity(
        "4 L_theta being the part of B_thetadelta that does not depend on delta", 4 * L, stated.allowed * L
    )
    yield identity("and twice the largest gradient", 2 * (2 * L), stated.factor * L)


def inference(stated: SimpleNamespace) -> Iterator[Fact]:
    e = sp.Symbol("e^theta", positive=True)
    if stated.infers_kink:
        yield compare(
            "K = 2, f = (theta, 0), any epsilon: some two gradients are further apart than 1 |theta_1 - "
            "theta_2|",
            sp.Rational(1, 4),
            ">",
            sp.Integer(1),
            point={"L_theta": 1, "B_thetadelta": 4},
            replay="L_epsilon = log(1 + e^(-theta)) whatever delta is; its second derivative e^theta/(1 "
            "+ e^theta)^2 is at "
            "most 1/4. Theorem 4.4 has B_thetadelta = 4 for it.",
            dimension=(1,),
        )
    yield implies(
        "the loss log(1 + e^(-theta)), for which B_thetadelta = 4 L_theta, is 1/4-smooth",
        [],
        sp.Le(e, stated.smooth * (1 + e) ** 2),
    )
    yield identity("with equality at theta = 0", (e / (1 + e) ** 2).subs(e, 1), stated.smooth)
    yield from without_constant(SimpleNamespace(curvature=2 * LTT + L**2, jump=stated.jump))


def kink(stated: SimpleNamespace) -> Iterator[Fact]:
    """d = 2, one pixel changed, f_1 - f_0 = theta (x_1 - x_2), x = 0: the attacked pixel changes with theta's sign."""
    slope = sp.diff(sp.log(1 + sp.exp(THETA)), THETA)
    yield limit(
        "from the right of 0 the slope of log(1 + e^|theta|) tends to 1/2", slope, THETA, 0, stated.jump / 2
    )
    yield identity(
        "and from the left to minus that, being even: the gradient jumps by",
        2 * slope.subs(THETA, 0),
        stated.jump,
    )
    if not stated.one_pixel:
        yield compare("with no pixel changed the slope jumps by as much", sp.Integer(0), "==", sp.Integer(1))


def largest_jump(stated: SimpleNamespace) -> Iterator[Fact]:
    if stated.grows:
        yield compare(
            "L_theta = 1, L_thetax |delta_1 - delta_2| = 10: the jump can be as large as B_thetadelta = 14",
            sp.Integer(4),
            ">=",
            sp.Integer(14),
            point={"L_theta": 1, "B_thetadelta": 14},
            replay="Each gradient is sum (h_i - y_i) grad f_i, of norm at most 2 L_theta = 2: two are "
            "at most 4 apart.",
        )
    yield from nothing_new(SimpleNamespace(factor=stated.factor, allowed=4))
    yield from without_constant(SimpleNamespace(curvature=2 * LTT + L**2, jump=stated.jump))


def magnitude(stated: SimpleNamespace) -> Iterator[Fact]:
    if stated.grows:
        yield compare(
            "L_theta = 1, B_thetadelta = 14: some gradient has a norm of at least 14",
            sp.Integer(2),
            ">=",
            sp.Integer(14),
            point={"L_theta": 1, "B_thetadelta": 14},
            replay="|grad L_epsilon| <= L_theta sum |h_i - y_i| <= 2 L_theta = 2.",
        )
    yield from gradient_at_most(stated.factor)
    yield limit(
        "approached by f = (-L theta, L theta), y = (1, 0)",
        sp.diff(sp.log(1 + sp.exp(2 * L * THETA)), THETA),
        THETA,
        sp.oo,
        stated.factor * L,
    )


PRINTED = {"curvature": LTT, "jump": LTX * W + 4 * L}
SHARP = {"curvature": 2 * LTT + L**2, "jump": (2 * LTX + L * LX) * W}
ASSUMED = (
    "Assumption 4.1: |f_i| moves by at most L_theta |d theta| and L_x |d x|",
    "Assumption 4.3: grad_theta f_i moves by at most L_thetatheta |d theta| and L_thetax |d x|",
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="eq16",
        location="App. B.2, Eq. (16)",
        kind="equation",
        equations=(16,),
        title="grad L = sum (h_i - y_i) grad f_i",
        statement="For y in the simplex, grad_theta L = sum_i (h_i - y_i) grad_theta f_i.",
        expected=Verdict.TRUE,
        check=formula,
        stated={"label": sp.Integer(1), "sums_to_one": True},
        twins=(
            Twin("no label", {"label": sp.Integer(0)}),
            Twin("a label that sums to 2", {"sums_to_one": False}),
        ),
        remark="The display is lost; this is the form its explanation describes.",
    ),
    Claim(
        id="theorem4.4",
        location="Sec. 4.1, Theorem 4.4; App. B.2, Eqs. (18), (19), (22)",
        kind="theorem",
        equations=(18, 19, 22),
        title="Gradients are at most A_thetatheta |d theta| + B_thetadelta apart",
        statement="||grad L_epsilon(x, theta_1) - grad L_epsilon(x, theta_2)|| <= A_thetatheta "
        "||theta_1 - theta_2|| + "
        "B_thetadelta, A_thetatheta = L_thetatheta, B_thetadelta = L_thetax ||delta_1 - delta_2|| + 4 "
        "L_theta.",
        assumptions=ASSUMED,
        expected=Verdict.TRUE,
        check=theorem,
        stated=PRINTED,
        sharpest=Reading(
            statement="No constant term is needed: the gradients are at most (2 L_thetatheta + "
            "L_theta^2) ||theta_1 - theta_2|| "
            "+ (2 L_thetax + L_theta L_x) ||delta_1 - delta_2|| apart, which vanishes as weights and "
            "attacks approach each "
            "other.",
            check=without_constant,
            stated=SHARP,
        ),
        cites=("mean value inequality",),
        twins=(
            Twin("one per cent less of L_theta", {"jump": LTX * W + sp.Rational(396, 100) * L}),
            Twin("half the curvature", {"curvature": LTT / 2}),
            Twin("without delta", {"jump": 4 * L}),
        ),
        remark="The display is lost; reconstructed from the constants below it. The sum is what the "
        "proof's two steps give.",
    ),
    Claim(
        id="beyond.nothing-new",
        location="beyond Theorem 4.4",
        kind="beyond",
        title="Theorem 4.4 allows no less than Assumption 4.1 alone",
        statement="Under Assumption 4.1 alone, two gradients of the adversarial loss are at most 4 "
        "L_theta apart, for all "
        "weights and attacks. That is at most B_thetadelta: the bound of Theorem 4.4 is never below it, "
        "and Assumption "
        "4.3 adds nothing to it.",
        assumptions=ASSUMED[:1],
        expected=Verdict.TRUE,
        check=nothing_new,
        stated={"factor": sp.Integer(4), "allowed": sp.Integer(4)},
        twins=(
            Twin("one per cent less", {"factor": sp.Rational(396, 100)}),
            Twin("with 2 L_theta in B_thetadelta", {"allowed": sp.Integer(2)}),
        ),
    ),
    Claim(
        id="theorem4.4.not-smooth",
        location="Sec. 4.1, below Theorem 4.4",
        kind="prose",
        title="Theorem 4.4 indicates that the adversarial loss is not smooth",
        statement="Theorem 4.4 indicates the adversarial loss objective function w.r.t. the model "
        "parameter theta is no longer "
        "smooth.",
        expected=Verdict.FALSE,
        check=inference,
        stated={"infers_kink": True, "smooth": sp.Rational(1, 4), "jump": SHARP["jump"]},
        sides=(sp.Rational(1, 4), 1),
        corrected=Reading(
            statement="It is an upper bound and indicates no lack of smoothness: for K = 2, f = (theta, "
            "0) its B_thetadelta is 4 "
            "L_theta > 0, and the loss is 1/4-smooth. Gradients at one theta differ by at most (2 "
            "L_thetax + L_theta L_x) "
            "||delta_1 - delta_2||, so that they jump only where the attack does.",
            stated={"infers_kink": False},
        ),
        twins=(
            Twin("the inference", {"infers_kink": True}),
            Twin("one per cent smoother", {"smooth": sp.Rational(99, 400)}),
        ),
    ),
    Claim(
        id="theorem4.4.discontinuous",
        location="Sec. 4.1, below Theorem 4.4",
        kind="prose",
        title="Gradients can change discontinuously",
        statement="Gradients in arbitrarily small neighbourhoods in the theta-space can change "
        "discontinuously: for d = 2, one "
        "pixel changed, x = 0, f = (0, theta (x_1 - x_2)), y = (1, 0), L_epsilon = log(1 + e^|theta|) "
        "and the gradient jumps "
        "by 1 at theta = 0.",
        expected=Verdict.TRUE,
        check=kink,
        stated={"jump": sp.Integer(1), "one_pixel": True},
        twins=(
            Twin("one per cent more", {"jump": sp.Rational(101, 100)}),
            Twin("no pixel changed", {"one_pixel": False}),
        ),
        remark="The example is ours; the paper gives none.",
    ),
    Claim(
        id="theorem4.4.larger-distance",
        location="Sec. 4.1, below Theorem 4.4",
        kind="reading",
        title="The discontinuity grows with ||delta_1 - delta_2|| as B_thetadelta does",
        statement="The degree of discontinuity is that of B_thetadelta: with L_theta fixed, gradients "
        "jump by ever more as "
        "L_thetax ||delta_1 - delta_2|| grows.",
        expected=Verdict.FALSE,
        check=largest_jump,
        stated={"grows": True, "factor": sp.Integer(4), "jump": SHARP["jump"]},
        sides=(4, 14),
        corrected=Reading(
            statement="A jump is at most min(4 L_theta, (2 L_thetax + L_theta L_x) ||delta_1 - "
            "delta_2||): a larger distance "
            "can raise it where it is small, and never beyond 4 L_theta.",
            stated={"grows": False},
        ),
        twins=(
            Twin("without end", {"grows": True}),
            Twin("one per cent less", {"factor": sp.Rational(396, 100)}),
        ),
        remark="The paper says that a larger distance 'can intensify the gradient discontinuity', which "
        "is so up to 4 L_theta.",
    ),
    Claim(
        id="theorem4.4.large-gradients",
        location="Sec. 4.1, below Theorem 4.4",
        kind="reading",
        title="A large B_thetadelta makes gradients large",
        statement="A large B_thetadelta introduces large gradient magnitudes asymptotically: with "
        "L_theta fixed, gradients as "
        "large as B_thetadelta occur.",
        expected=Verdict.FALSE,
        check=magnitude,
        stated={"grows": True, "factor": sp.Integer(2)},
        sides=(2, 14),
        corrected=Reading(
            statement="Every gradient of the adversarial loss has a norm of at most 2 L_theta, whatever "
            "the attacks; this is "
            "approached.",
            stated={"grows": False},
        ),
        twins=(
            Twin("as large as B_thetadelta", {"grows": True}),
            Twin("one per cent less", {"factor": sp.Rational(198, 100)}),
        ),
    ),
)
