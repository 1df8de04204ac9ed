"""Sec. 5.1, last sentence on Fig. 2(f): Lemmas 4 and 5 are not limited to shallow networks and two classes."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.ledger.claim import Claim, Twin
from theory.statements.sec32.branches import CROSS, CURVATURE
from theory.statements.sec32.lemma4 import lemma as lemma4
from theory.statements.sec32.lemma5 import lemma as lemma5

X, THETA = sp.symbols("x theta", real=True)


def any_net(stated: SimpleNamespace) -> Iterator[Fact]:
    """The two arguments, in which the loss occurs through H, B and n alone; and three classes after two layers."""
    bound = CROSS / CURVATURE
    yield from lemma4(SimpleNamespace(constant=bound, along_branch=True, convex=True))
    yield from lemma5(SimpleNamespace(constant=bound, positive_multiplier=True, condition="tangent < 0"))
    yield from (fact.as_example() for fact in three_classes(stated.layers, stated.curvature))


def three_classes(layers: int, curvature: sp.Expr) -> Iterator[Fact]:
    """l = log(1 + 2 e^u), the cross-entropy of three classes two of which score u more than the true one, u = g(g(x)),
    g(s) = theta s - s^2, at theta = 1, x = 1/2."""
    score = X
    for _ in range(layers):
        score = THETA * score - score**2
    loss = sp.log(1 + 2 * sp.exp(score))
    at = {THETA: 1, X: sp.Rational(1, 2)}
    shown = (f"u = {sp.expand(score)} after {layers} layers s -> theta s - s^2, l = log(1 + e^u + e^u)",)
    yield identity(
        "three classes, several layers: grad_x l = 0 at theta = 1, x* = 1/2",
        sp.simplify(sp.diff(loss, X).subs(at)),
        sp.Integer(0),
        dimension=(1,),
        shows=shown,
    )
    second = sp.simplify(sp.diff(loss, X, 2).subs(at))
    yield compare(
        "and grad_x^2 l is the stated number there",
        second,
        "==",
        curvature,
        dimension=(1,),
    )
    yield compare(
        "which is negative: the attack inside |x - 1/2| <= epsilon satisfies Lemma 4",
        second,
        "<",
        sp.Integer(0),
        dimension=(1,),
    )


SECOND = -2 * sp.exp(sp.Rational(3, 16)) / (1 + 2 * sp.exp(sp.Rational(3, 16)))

CLAIMS = (
    Claim(
        id="sec51.not-limited",
        location="Sec. 5.1, Fig. 2(f), last sentence",
        kind="prose",
        title="Lemmas 4 and 5 hold for deep nets and many classes",
        statement="Though we use a one-layer simple network to visualize the loss surface, Lemmas 4 and 5 are not "
        "limited to shallow networks and binary classification problems.",
        assumptions=(
            "grad_x l is C^1, as for a net of smooth layers; nothing else is asked of l",
            "Lemma 5 as corrected",
        ),
        cites=("implicit function theorem", "mean value theorem"),
        stated={"layers": 2, "curvature": SECOND},
        check=any_net,
        expected=Verdict.TRUE,
        twins=(
            Twin("the curvature one per cent off", {"curvature": sp.Rational(101, 100) * SECOND}),
            Twin("a layer more at the same point", {"layers": 3}),
            Twin("a flat attack", {"curvature": sp.Integer(0)}),
        ),
        remark="ReLU nets are not covered, for their grad_x l is not C^1; nor does the sentence say that an attack of "
        "a deep net satisfies the conditions.",
    ),
)
