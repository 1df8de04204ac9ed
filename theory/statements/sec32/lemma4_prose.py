"""The sentences around Lemma 4 (Sec. 3.2.1): stationarity, linear models, sufficient conditions, and what
a change of theta can break."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements import measured
from theory.statements.sec32.branches import THETA, X

STEP = sp.Symbol("t", positive=True)


def stationary(stated: SimpleNamespace) -> Iterator[Fact]:
    """Fermat in all d: along p = grad_x l =: q the loss gains t|q|^2 - o(t), more than nothing unless q
    = 0 or p leaves the region."""
    slope, gain = sp.Symbol("|grad_x l|", nonnegative=True), sp.Symbol("gain", real=True)
    expansion = sp.Ge(gain, STEP * slope**2 - STEP * slope**2 / 2)
    hypotheses = [sp.Or(sp.Eq(slope, 0), expansion)]
    hypotheses += [sp.Le(gain, 0)] if stated.inside else []
    yield implies(
        "a step t grad_x l that stays in the region, with remainder below t |grad_x l|^2/2, gains nothing "
        "only if grad_x l = 0",
        hypotheses,
        sp.Eq(slope, 0),
        method="reduction to scalars, z3 on nonlinear real arithmetic",
    )
    loss = THETA * X - X**2 / 2
    yield identity(
        "at its interior maximum x = theta the loss theta x - x^2/2 has the stated gradient",
        sp.diff(loss, X).subs(X, sp.solve(sp.diff(loss, X), X)[0]),
        stated.gradient,
    )


def linear_on_the_boundary(stated: SimpleNamespace) -> Iterator[Fact]:
    """The margin y theta.delta of an interior delta exceeds -epsilon |theta|, the value at delta = -y
    epsilon theta/|theta|; all d."""
    margin = sp.Symbol("y <theta,delta>", real=True)
    weight, size, epsilon = (sp.Symbol(n, nonnegative=True) for n in ("|theta|", "|delta|", "epsilon"))
    yield implies(
        "an interior delta is never optimal for the linear model",
        [
            sp.Gt(epsilon, 0),
            sp.Lt(size, epsilon) if stated.interior else sp.Le(size, epsilon),
            sp.Ge(margin, -weight * size),
            sp.Gt(weight, 0) if stated.nonzero else sp.Ge(weight, 0),
        ],
        sp.Gt(margin, -epsilon * weight),
        method="Cauchy-Schwarz on named scalars, z3 on nonlinear real arithmetic",
    )


def sufficient(stated: SimpleNamespace) -> Iterator[Fact]:
    """Taylor at x*: l(x* + p) - l(x*) <= <g, p> - c|p|^2/2 + rho|p|^2, negative once the remainder rho <
    c/2; all d."""
    change, linear = sp.Symbol("l(x*+p)-l(x*)", real=True), sp.Symbol("<g,p>", real=True)
    size, remainder = (sp.Symbol(n, nonnegative=True) for n in ("|p|", "rho"))
    curvature = sp.Symbol("c", nonnegative=True)
    yield implies(
        "every small p != 0 lowers the loss",
        [
            sp.Gt(curvature, 0) if stated.strict else sp.Ge(curvature, 0),
            sp.Eq(linear, 0) if stated.stationary else sp.Le(linear, size),
            sp.Le(change, linear - curvature * size**2 / 2 + remainder * size**2),
            sp.Lt(remainder, curvature / 2) if stated.strict else sp.Le(remainder, 1),
            sp.Gt(size, 0),
        ],
        sp.Lt(change, 0),
        method="reduction to scalars, z3 on nonlinear real arithmetic",
    )


def flat_maximum(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta x - x^4/4 on |x| <= 1: at theta = 0 the maximum x* = 0 is interior and unique, and its
    Hessian is 0."""
    loss = THETA * X - X**4 / 4
    s = sp.Symbol("s", real=True)
    yield implies(
        "x = s beats every other x at theta = s^3",
        [sp.Ne(X, s)],
        sp.Gt(sp.expand(loss.subs({X: s, THETA: s**3}, simultaneous=True) - loss.subs(THETA, s**3)), 0),
        dimension=(1,),
    )
    largest = sp.diff(loss, X, 2).subs(X, 0)
    yield compare(
        "the largest eigenvalue of the Hessian at the interior maximum x* = 0 of theta x - x^4/4, theta = "
        "0, is negative",
        largest,
        stated.relation,
        sp.Integer(0),
        point={"theta": 0, "x*": 0},
        replay="l = -x^4/4 has its only maximum at 0, and l'' = -3x^2 = 0 there: no c > 0 exists.",
        dimension=(1,),
    )


def necessary(stated: SimpleNamespace) -> Iterator[Fact]:
    """A positive eigenvalue would make the loss grow along its eigenvector, so an interior maximum has
    lambda_max <= 0; all d."""
    top, gain = sp.symbols("lambda_max gain", real=True)
    yield implies(
        "an interior maximum has lambda_max <= 0",
        [sp.Or(sp.Le(top, 0), sp.Ge(gain, STEP**2 * top / 2 - STEP**2 * top / 4)), sp.Le(gain, 0)],
        sp.Le(top, 0) if stated.relation == "<=" else sp.Lt(top, 0),
        method="second-order expansion along an eigenvector, z3",
    )
    yield from (fact.as_example() for fact in flat_maximum(stated))
    yield from sufficient(SimpleNamespace(strict=True, stationary=stated.stationary))


def broken_by_theta(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta x - x^2/2 on |x| <= 1: interior exactly for |theta| < 1."""
    loss, shift = THETA * X - X**2 / 2, sp.Symbol("rho", real=True)
    attack = sp.solve(sp.diff(loss, X), X)[0]
    yield identity("the unconstrained maximum is x = theta", attack, THETA * stated.slope, dimension=(1,))
    for inside, theta in ((True, 1 - shift), (False, 1 + shift)):
        size = attack.subs(THETA, theta)
        yield implies(
            f"at theta = {theta} the unconstrained maximum is {'inside' if inside else 'outside'} |x| < "
            f"{stated.epsilon}, however small rho",
            [sp.Gt(shift, 0), sp.Lt(shift, 1)],
            sp.Lt(size, stated.epsilon) if inside else sp.Gt(size, stated.epsilon),
            dimension=(1,),
        )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="sec321.stationary",
        location="Sec. 3.2.1, before Lemma 4; App. A, proof of Lemma 4",
        kind="prose",
        title="An interior attack satisfies grad_x l = 0",
        statement="Since the constraint is inactive, optimal adversarial examples inside the feasible "
        "region satisfy grad_x l(x*, theta) = 0.",
        latex=r"\nabla_x\ell(x^*,\theta)=0",
        assumptions=("l is differentiable in x", "||x* - x||_p < epsilon"),
        stated={"inside": True, "gradient": sp.Integer(0)},
        check=stationary,
        expected=Verdict.TRUE,
        twins=(
            Twin("on the boundary as well", {"inside": False}),
            Twin("gradient one", {"gradient": sp.Integer(1)}),
        ),
    ),
    Claim(
        id="sec321.linear-boundary",
        location="Sec. 3.2.1, before Lemma 4",
        kind="prose",
        title="Attacks on linear models lie on the boundary",
        statement="Optimal adversarial examples for linear models are on the boundary of the feasible "
        "region.",
        assumptions=(
            "theta != 0; at theta = 0 every point of the ball is optimal",
            "L2 ball (for other norms: Hoelder in place of Cauchy-Schwarz)",
        ),
        stated={"nonzero": True, "interior": True},
        check=linear_on_the_boundary,
        expected=Verdict.TRUE,
        twins=(
            Twin("theta = 0 admitted", {"nonzero": False}),
            Twin("boundary points excluded too", {"interior": False}),
        ),
    ),
    Claim(
        id="sec321.sufficient",
        location="Sec. 3.2.1, after Lemma 4; Sec. 3.2.3",
        kind="prose",
        title="grad_x^2 l < 0 is sufficient for a local maximum",
        statement="grad_x^2 l(x*, theta) < 0 is a sufficient condition for the local maximum points.",
        assumptions=("grad_x l(x*, theta) = 0", "x* is inside the feasible region"),
        stated={"strict": True, "stationary": True},
        check=sufficient,
        expected=Verdict.TRUE,
        twins=(
            Twin("semidefinite only (x^3 at 0)", {"strict": False}),
            Twin("not stationary", {"stationary": False}),
        ),
    ),
    Claim(
        id="sec321.expected-c",
        location="Sec. 3.2.1, after Lemma 4",
        kind="reading",
        title="'Sufficient, and thus x* is expected to have a c'",
        statement="grad_x^2 l < 0 is a sufficient condition for local maximum points, and thus x* is "
        "expected to have a constant c > 0 with lambda_max <= -c.",
        assumptions=(
            "read as the inference it draws, from a sufficient condition to every interior local maximum; "
            "Lemma 4 itself assumes grad_x^2 l(x*) < 0 and does not depend on it",
        ),
        stated={"relation": "<", "stationary": True},
        check=flat_maximum,
        expected=Verdict.FALSE,
        sides=(0, 0),
        corrected=Reading(
            statement="lambda_max(grad_x^2 l(x*)) <= 0 is necessary for an interior local maximum, and "
            "grad_x l = 0 with lambda_max < 0 is sufficient; c = 0 happens.",
            stated={"relation": "<="},
            check=necessary,
        ),
        twins=(
            Twin("negative eigenvalues necessary", {"relation": "<"}),
            Twin("sufficient without stationarity", {"stationary": False}),
        ),
    ),
    Claim(
        id="sec321.easily-broken",
        location="Sec. 3.2.1, end",
        kind="prose",
        title="A small change of theta can push the attack to the boundary",
        statement="The condition that the optimal adversarial example is inside the feasible region might "
        "be easily broken by the change of theta.",
        assumptions=("an existence statement",),
        stated={"epsilon": sp.Integer(1), "slope": sp.Integer(1)},
        check=broken_by_theta,
        expected=Verdict.TRUE,
        twins=(
            Twin("radius two", {"epsilon": sp.Integer(2)}),
            Twin("attack one per cent off", {"slope": sp.Rational(101, 100)}),
        ),
        remark=measured.POSITIONS,
    ),
)
