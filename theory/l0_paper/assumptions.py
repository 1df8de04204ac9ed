"""Assumptions 4.1 and 4.3: a model that meets them, with the least constants, and where it needs bounded weights."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Twin

X, X1, X2, THETA, ONE, OTHER = sp.symbols("x x_1 x_2 theta theta_1 theta_2", real=True)
MOST = sp.Symbol("B", positive=True)
WHERE = "f = theta x, |x| <= 1, |theta| <= B"


def first_order(stated: SimpleNamespace) -> Iterator[Fact]:
    yield implies(
        f"{WHERE}: the logit moves by at most L_theta |d theta|",
        [sp.Le(X**2, 1)] if stated.bounded_images else [],
        sp.Le((ONE * X - OTHER * X) ** 2, stated.in_theta**2 * (ONE - OTHER) ** 2),
        dimension=(1,),
    )
    yield implies(
        "and by at most L_x |d x|",
        [sp.Le(THETA**2, MOST**2)] if stated.bounded_weights else [],
        sp.Le((THETA * X1 - THETA * X2) ** 2, MOST**2 * (X1 - X2) ** 2),
        dimension=(1,),
    )
    yield identity("attained at x = 1", (ONE - OTHER).subs(OTHER, 0), stated.in_theta * ONE, dimension=(1,))


def second_order(stated: SimpleNamespace) -> Iterator[Fact]:
    gradient = sp.diff(THETA * X, THETA)
    yield identity(
        f"{WHERE}: grad_theta f = x does not depend on theta, L_thetatheta = 0",
        sp.diff(gradient, THETA),
        stated.curvature,
        dimension=(1,),
    )
    yield identity(
        "and moves by L_thetax |d x|",
        gradient.subs(X, X1) - gradient.subs(X, X2),
        stated.mixed * (X1 - X2),
        dimension=(1,),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="assumption4.1",
        location="Sec. 4.1, Assumption 4.1",
        kind="assumption",
        title="Logits are Lipschitz in theta and in x",
        statement="Every logit f_i satisfies |f_i(x, theta_1) - f_i(x, theta_2)| <= L_theta ||theta_1 - "
        "theta_2|| and "
        "|f_i(x_1, theta) - f_i(x_2, theta)| <= L_x ||x_1 - x_2||. The linear logit theta x meets it "
        "for |x| <= 1 and |theta| <= B, "
        "with L_theta = 1 and L_x = B.",
        expected=Verdict.DEFINITION,
        check=first_order,
        stated={"in_theta": sp.Integer(1), "bounded_images": True, "bounded_weights": True},
        twins=(
            Twin("one per cent less", {"in_theta": sp.Rational(99, 100)}),
            Twin("all weights", {"bounded_weights": False}),
            Twin("all images", {"bounded_images": False}),
        ),
        remark="The displays are lost; reconstructed from the names of the constants. Already for the "
        "linear logit no constant L_x "
        "serves all weights.",
    ),
    Claim(
        id="assumption4.3",
        location="Sec. 4.1, Assumption 4.3, Inequality (6)",
        kind="assumption",
        equations=(6,),
        title="Gradients of logits are Lipschitz in theta and in x",
        statement="Every logit satisfies ||grad_theta f_i(x, theta_1) - grad_theta f_i(x, theta_2)|| <= "
        "L_thetatheta ||theta_1 - "
        "theta_2|| and ||grad_theta f_i(x_1, theta) - grad_theta f_i(x_2, theta)|| <= L_thetax ||x_1 - "
        "x_2||. The linear logit meets "
        "it with L_thetatheta = 0 and L_thetax = 1.",
        expected=Verdict.DEFINITION,
        check=second_order,
        stated={"curvature": sp.Integer(0), "mixed": sp.Integer(1)},
        twins=(
            Twin("one per cent less", {"mixed": sp.Rational(99, 100)}),
            Twin("a curvature of 1", {"curvature": sp.Integer(1)}),
        ),
        remark="The displays are lost; reconstructed from the names of the constants.",
    ),
)
