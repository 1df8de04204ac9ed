"""Sec. 4, the prose around Theorem 3: adversarial training and Lipschitz constants, EntropySGD and kinks."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import ANALYTIC, X
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin

THETA = sp.Symbol("theta", real=True)
STEP, EPSILON = sp.symbols("h epsilon", positive=True)
PROBABILITY, ONE_TERM, OTHERS = sp.symbols("p e^z_y sum_of_others", positive=True)


def clean(theta: sp.Expr) -> sp.Expr:
    """log(1 + exp(-theta x)) for d = 1, x = 1, y = 1."""
    return sp.log(1 + sp.exp(-theta))


def attacked(theta: sp.Expr, epsilon: sp.Expr, side: int) -> sp.Expr:
    """log(1 + exp(-theta + epsilon |theta|)), d = 1 and x = y = 1, where |theta| = side theta."""
    return sp.log(1 + sp.exp(-theta + epsilon * side * theta))


def increases(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = 1 + cos(theta + x), x = 0, epsilon = pi: the attack reaches the loss's maximum 2 at every theta."""
    turns = sp.Symbol("k", integer=True)
    worst = 1 + sp.cos(THETA + (2 * sp.pi * turns - THETA))
    yield identity(
        "delta = 2 pi k - theta, at most pi long for the integer k nearest to theta/(2 pi), gives 2, the "
        "largest value of 1 + cos",
        worst,
        sp.Integer(2),
        dimension=(1,),
    )
    curvatures = [sp.Abs(sp.diff(loss, THETA, 2).subs(THETA, sp.pi)) for loss in (worst, 1 + sp.cos(THETA))]
    yield compare(
        "the Lipschitz constant of the adversarial loss's gradient on R is that of the clean one at least",
        curvatures[0],
        stated.relation,
        curvatures[1],
        point={"l": "1 + cos(theta + x)", "x": 0, "epsilon": "pi", "theta": "pi"},
        replay="Some delta in [-pi, pi] makes theta + delta a multiple of 2 pi, so that the adversarial loss "
        "is 2 for every theta and its gradient constant, while the clean loss 1 + cos(theta) has the second "
        "derivative 1 at theta = pi.",
        dimension=(1,),
    )


def scaled(stated: SimpleNamespace) -> Iterator[Fact]:
    """Second derivative of the adversarial loss on either side of 0 against the clean one's supremum 1/4."""
    p = sp.Symbol("p", real=True)
    yield implies(
        "the clean second derivative p (1 - p) is at most 1/4",
        [],
        sp.Le(p * (1 - p), sp.Rational(1, 4)),
        dimension=(1,),
    )
    for side, factor, name in ((1, stated.right, "theta > 0"), (-1, stated.left, "theta < 0")):
        curvature = sp.diff(attacked(THETA, EPSILON, side), THETA, 2)
        argument = (1 - side * EPSILON) * THETA
        yield identity(
            f"on {name} the adversarial second derivative is the stated multiple of the clean one at (1 -+ "
            f"epsilon) theta",
            curvature,
            factor * sp.diff(clean(THETA), THETA, 2).subs(THETA, argument),
            dimension=(1,),
        )
        yield identity(
            f"which tends to factor/4 as theta -> 0: the constant on {name}",
            curvature.subs(THETA, 0),
            factor / 4,
            dimension=(1,),
        )


def kink(stated: SimpleNamespace) -> Iterator[Fact]:
    """The one-sided derivatives of the adversarial loss at theta = 0 for d = 1, x = y = 1."""
    right, left = (sp.diff(attacked(THETA, EPSILON, side), THETA).subs(THETA, 0) for side in (1, -1))
    yield identity(
        "the gradient jumps at theta = 0 by the stated amount",
        sp.simplify(right - left),
        stated.jump,
        dimension=(1,),
    )
    yield limit(
        "so the ratio of ||nabla l(h) - nabla l(-h)|| to 2h has no bound",
        (stated.jump / (2 * STEP)).subs(EPSILON, 1),
        STEP,
        0,
        sp.oo,
        dimension=(1,),
    )


def smoothens(stated: SimpleNamespace) -> Iterator[Fact]:
    """L = |theta|, gamma = 1, m = 1: a kink at 0, where -F has the stated second derivative."""
    yield limit(
        "the slope of L jumps at 0: |1 - (-1)|/(2h) has no bound",
        2 / (2 * STEP),
        STEP,
        0,
        sp.oo,
        dimension=(1,),
    )
    half = sp.exp(-X - X**2 / 2)  # one half of p_0, without its normaliser
    mass, second = (sp.expand(sp.integrate(X**power * half, (X, 0, sp.oo))) for power in (0, 2))
    yield identity(
        "with c the integral of exp(-x - x^2/2) over x > 0, E theta'^2 = 2 - 1/c, so that -F''(0) = 1 - E "
        "theta'^2 = 1/c - 1",
        second,
        2 * mass - 1,
        dimension=(1,),
    )
    yield identity(
        "c = sqrt(pi e/2) erfc(1/sqrt 2) gives the stated number",
        mass,
        sp.expand((1 / (1 + stated.curvature)).rewrite(sp.erf)),
        dimension=(1,),
    )
    yield compare("it is positive: -F stays convex", stated.curvature, ">", sp.Integer(0), dimension=(1,))
    yield compare(
        "and below gamma = 1, as -nabla^2 F <= gamma I demands",
        stated.curvature,
        "<",
        sp.Integer(1),
        dimension=(1,),
    )


def non_negative(stated: SimpleNamespace) -> Iterator[Fact]:
    """Cross-entropy is -log of a probability; means and maxima of non-negative losses are non-negative."""
    yield implies(
        "exp(-cross-entropy) = e^(z_y)/(e^(z_y) + the other terms) <= 1, that is, cross-entropy >= 0",
        [sp.Eq(PROBABILITY, stated.probability)],
        PROBABILITY <= 1,
    )
    yield identity(
        "two classes with the logits z and 0 give the logistic loss, 1/(1 + e^(-z))",
        stated.probability.subs({ONE_TERM: sp.exp(THETA), OTHERS: 1}),
        sp.exp(-clean(THETA)),
    )
    total, term = sp.symbols("sum loss", nonnegative=True)
    unattacked, worst = sp.symbols("loss_at_delta_0 max_over_delta", real=True)
    yield implies(
        "a sum of non-negative losses is non-negative, and so is a maximum over delta, which is at least "
        "the value at delta = 0",
        [unattacked >= 0, worst >= unattacked],
        sp.And(total + term + unattacked >= 0, worst >= 0),
    )


_HALF_MASS = sp.sqrt(sp.pi / 2) * sp.exp(sp.Rational(1, 2)) * sp.erfc(1 / sp.sqrt(2))

CLAIMS = (
    Claim(
        id="sec4.increase",
        location="Sec. 4, first sentence",
        kind="prose",
        title="Adversarial training increases Lipschitz constants",
        statement="We showed that adversarial training increases Lipschitz constants of the gradient of "
        "adversarial loss.",
        assumptions=("read as a statement about the constants, not about upper bounds on them",),
        stated={"relation": ">="},
        check=increases,
        expected=Verdict.FALSE,
        sides=(0, 1),
        corrected=Reading(
            statement="Section 3 raises upper bounds on the constant; the constant itself may rise or "
            "fall. For the linear logistic loss with d = 1, "
            "x = y = 1 it is multiplied by (1 + epsilon)^2 on theta < 0 and by (1 - epsilon)^2 on theta > 0.",
            latex=r"C_{\mathrm{adv}}=(1\mp\varepsilon)^2\,C_{\mathrm{clean}}",
            stated={"right": (1 - EPSILON) ** 2, "left": (1 + EPSILON) ** 2},
            check=scaled,
        ),
        twins=(
            Twin("the larger factor on theta > 0", {"right": (1 + EPSILON) ** 2}),
            Twin("not squared", {"left": 1 + EPSILON}),
            Twin("one per cent off", {"left": sp.Rational(101, 100) * (1 + EPSILON) ** 2}),
        ),
        remark="Across theta = 0 there is no constant at all: claim sec4.non-smooth.",
    ),
    Claim(
        id="sec4.non-smooth",
        location="Sec. 4, first sentence",
        kind="prose",
        title="Adversarial training can cause non-smoothness",
        statement="Adversarial training can cause non-smoothness: for d = 1, x = y = 1 the gradient of the "
        "adversarial logistic loss jumps by "
        "epsilon at theta = 0.",
        latex=r"\nabla\ell_\varepsilon(0^+)-\nabla\ell_\varepsilon(0^-)=\varepsilon",
        assumptions=("linear logistic model; every norm constraint is |delta| <= epsilon for d = 1",),
        stated={"jump": EPSILON},
        check=kink,
        expected=Verdict.TRUE,
        twins=(
            Twin("a jump of epsilon/2", {"jump": EPSILON / 2}),
            Twin("no jump", {"jump": sp.Integer(0)}),
        ),
    ),
    Claim(
        id="sec4.smoothens",
        location="Sec. 4, after Theorem 3",
        kind="prose",
        title="EntropySGD smoothens non-smooth losses",
        statement="Theorem 3 indicates that EntropySGD smoothens non-smooth loss functions; L = |theta| "
        "with gamma = 1 has a kink at 0, where -F has the "
        "second derivative 1/(sqrt(pi e/2) erfc(1/sqrt 2)) - 1 = 0.525.",
        latex=r"-F''(0)=\frac{1}{\sqrt{\pi e/2}\,\operatorname{erfc}(1/\sqrt2)}-1",
        assumptions=(
            "in general: claims theorem3.bounded-set and beyond.entropy-lipschitz; -F is even infinitely "
            "differentiable",
        ),
        cites=(ANALYTIC,),
        stated={"curvature": 1 / _HALF_MASS - 1},
        check=smoothens,
        expected=Verdict.TRUE,
        twins=(
            Twin("one per cent off", {"curvature": sp.Rational(101, 100) * (1 / _HALF_MASS - 1)}),
            Twin("sign flipped", {"curvature": 1 - 1 / _HALF_MASS}),
        ),
    ),
    Claim(
        id="sec4.non-negative",
        location="Sec. 4, after Theorem 3",
        kind="prose",
        title="Cross-entropy, clean or attacked, is non-negative",
        statement="Many non-negative loss functions (e.g., cross-entropy for the classification) are used "
        "for training of DNNs, so that Theorem 3 "
        "applies to adversarial training.",
        latex=r"-\log\frac{e^{z_y}}{\sum_ke^{z_k}}\ge0",
        assumptions=(
            "hard labels or any labels that are probabilities",
            "adversarial loss: mean over examples of a maximum over delta",
        ),
        stated={"probability": ONE_TERM / (ONE_TERM + OTHERS)},
        check=non_negative,
        expected=Verdict.TRUE,
        twins=(
            Twin("odds in place of the probability", {"probability": ONE_TERM / OTHERS}),
            Twin(
                "probability one per cent larger",
                {"probability": sp.Rational(101, 100) * ONE_TERM / (ONE_TERM + OTHERS)},
            ),
        ),
    ),
)
