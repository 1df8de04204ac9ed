"""App. B and the proof of Theorem 3: what a Lipschitz gradient is required for, and Eq. (75) read backwards."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import ANALYTIC, SPECTRAL
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec2.eq4_descent import C, D
from theory.statements.sec2.eq4_descent import descent as smooth_descent
from theory.statements.sec2.eq13_flatness import smallest_constant
from theory.statements.sec4.theorem3 import CONSTANT_TWINS, PRINTED, lipschitz, over_the_set_alone

THETA = sp.Symbol("theta", real=True)


def required(stated: SimpleNamespace) -> Iterator[Fact]:
    """L = theta^2/2 + max(0, theta - 1): no Lipschitz gradient, and the step 1/2 halves |theta| from every start."""
    left, right = (
        (THETA**2 / 2).diff(THETA).subs(THETA, 1),
        (THETA**2 / 2 + THETA - 1).diff(THETA).subs(THETA, 1),
    )
    yield compare(
        "the gradient jumps at theta = 1, so it is not Lipschitz",
        right - left,
        "==",
        sp.Integer(1),
        dimension=(1,),
    )
    start, moved = sp.symbols("theta moved", real=True)
    yield implies(
        "a step of size 1/2 takes theta < 1 to theta/2 and theta >= 1 to (theta - 1)/2: |theta| is halved at least",
        [
            sp.Or(
                sp.And(sp.Lt(start, 1), sp.Eq(moved, start / 2)),
                sp.And(sp.Ge(start, 1), sp.Eq(moved, (start - 1) / 2)),
            )
        ],
        sp.Le(moved**2, start**2 / 4),
        dimension=(1,),
    )
    yield compare(
        "without a Lipschitz gradient a step of gradient descent does not halve the distance from theta = 2 to the "
        "minimum 0",
        sp.Integer(2) - stated.step * 3,
        ">",
        sp.Integer(1),
        point={"L": "theta^2/2 + max(0, theta - 1)", "step": stated.step, "theta": 2},
        replay="L' is theta for theta < 1 and theta + 1 for theta > 1, so it jumps at 1. From 2 the step 1/2 "
        "leads to 2 - "
        "3/2 = 1/2, then to 1/4, 1/8, ...; from every start |theta| is halved at least, and L has its minimum at 0.",
        dimension=(1,),
    )


def sufficient(stated: SimpleNamespace) -> Iterator[Fact]:
    """Descent under Eq. (4); and the loss without a Lipschitz gradient on which descent converges all the same."""
    yield from smooth_descent(SimpleNamespace(bound=C * D, limit=stated.limit))
    yield from (fact.as_example() for fact in required(SimpleNamespace(step=stated.step)) if fact.holds)


def bounded_hessian(stated: SimpleNamespace) -> Iterator[Fact]:
    """The mean value inequality on R^m, which Eq. (75) is not; on a set that is not convex the step fails."""
    yield from smallest_constant(SimpleNamespace(convex=stated.convex))
    yield identity(
        "a bound K on the Hessian's norm all along the segment is a Lipschitz constant: attained by L = K theta^2/2",
        sp.diff(stated.bound * THETA**2 / 2, THETA, 2),
        stated.constant,
    )


K = sp.Symbol("K", positive=True)
CLAIMS = (
    Claim(
        id="appb.required",
        location="App. B, first sentence",
        kind="reading",
        title="A Lipschitz gradient is required for effective descent",
        statement="Lipschitz continuity of the gradient of an objective function is required for effective "
        "optimization by gradient-based methods.",
        assumptions=(
            "read to the letter: without it a gradient method is not effective; read as 'assumed by the "
            "guarantees', as "
            "[1] has it, the sentence is right (claim eq4)",
        ),
        stated={"step": sp.Rational(1, 2)},
        check=required,
        expected=Verdict.FALSE,
        sides=(sp.Rational(1, 2), 1),
        corrected=Reading(
            statement="It is sufficient, on the level set of the start (Eq. 4), not required: on theta^2/2 + max(0, "
            "theta - 1), whose gradient jumps, the fixed step 1/2 converges from every start.",
            stated={"limit": 2 / C},
            check=sufficient,
        ),
        twins=(
            Twin("steps one per cent longer than 2/C_s", {"limit": sp.Rational(202, 100) / C}),
            Twin("steps up to 1/C_s only", {"limit": 1 / C}),
        ),
    ),
    Claim(
        id="theorem3.eq75-converse",
        location="App. A, proof of Theorem 3, first sentence; App. B",
        kind="proof step",
        equations=(75,),
        title="Bounded Hessians make -F smooth ('from Eq. (75)')",
        statement="From Eq. (75), the loss of EntropySGD is smooth if the spectral norm of the Hessian matrix of loss "
        "are bounded above by finite values.",
        assumptions=(
            "read on all of R^m, with one finite bound for all theta",
            "Eq. (75) says the converse: smooth functions have bounded Hessians; what is used is the mean value "
            "inequality, which needs a convex set",
        ),
        cites=("mean value inequality",),
        stated={"convex": True, "bound": K, "constant": K},
        check=bounded_hessian,
        expected=Verdict.TRUE,
        twins=(
            Twin("on an open set that is not convex", {"convex": False}),
            Twin("half the bound", {"constant": K / 2}),
            Twin("one per cent less", {"constant": sp.Rational(99, 100) * K}),
        ),
    ),
    Claim(
        id="theorem3.finite-elements",
        location="App. A, proof of Theorem 3, after Eq. (55)",
        kind="reading",
        equations=(55,),
        title="Finite elements of Sigma make the bound a Lipschitz constant",
        statement="Thus, if all elements of Sigma_theta are finite values, gamma + gamma^2 ||Sigma_theta||_F becomes a "
        "Lipschitz constant.",
        assumptions=(
            "read of the number that Sigma_theta gives at the thetas compared; with the supremum over a convex set in "
            "its place, if that is finite, the sentence is Theorem 3 and true (claim theorem3)",
            "beta = 1, L >= 0",
        ),
        stated={"constant": PRINTED},
        check=over_the_set_alone,
        expected=Verdict.FALSE,
        group="where the supremum of Sigma is taken",
        sides=(
            sp.Rational(378, 65) - sp.log(2),
            (sp.Rational(3, 2) + sp.Rational(2304, 4225)) * 2 * sp.log(2),
        ),
        corrected=Reading(
            statement="gamma + gamma^2 sup ||Sigma_theta||_F is a Lipschitz constant, the supremum being over a convex "
            "set that contains the thetas compared; that it is finite has to be shown (claim theorem3.bounded-set).",
            latex=r"\gamma+\gamma^2\sup_\theta\|\Sigma_\theta\|_F",
            check=lipschitz,
        ),
        cites=(ANALYTIC, SPECTRAL, "mean value inequality"),
        twins=CONSTANT_TWINS[:2],
    ),
)
