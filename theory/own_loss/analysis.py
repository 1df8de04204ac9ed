"""The answer of `python -m theory check`: a loss of one's own attacked, with the first and second order
conditions, the derivative and the constants of Lemmas 4 and 5."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import mpmath
from mpmath import mpf, nstr
from sympy import Expr

from theory.own_loss.clock import SECONDS, Clock
from theory.own_loss.evaluate import Unresolved
from theory.own_loss.kinks import kink_at, smooth_within
from theory.own_loss.lemmas import lemma4, lemma5
from theory.own_loss.local import Local
from theory.own_loss.matrices import Matrix, Spectrum, solved, spectral_norm, spectrum, times
from theory.own_loss.newton import SINGULAR, Maximum
from theory.own_loss.objective import DIGITS, WORKING_DIGITS, Objective, exact
from theory.own_loss.problem import LossProblem, read_problem
from theory.own_loss.search import SearchResult, find_attack, place_of
from theory.own_loss.text import LossReport

ZERO_MULTIPLIER = {
    "interior": "nothing",
    "sphere": "the sphere, whose multiplier is 0,",
    "box": "the faces of zero multiplier",
}
ZERO = mpf(10) ** -40  # of the loss's scale: a slope below it is rounding, and printed as 0
MOST_EXTRA_DIGITS = 3000
SAME_GRADIENT = mpf(10) ** -20  # relative difference of two gradients in theta that count as equal


def check_loss(
    loss: str | Expr,
    x: str | Sequence[Any],
    theta: str | Sequence[Any],
    *,
    center: Iterable[Any],
    at: Iterable[Any],
    epsilon: Any,
    norm: str = "l2",
    values: Mapping[str, Any] | None = None,
    seconds: float = SECONDS,
    tell: Callable[[str], None] | None = None,
) -> LossReport:
    """The attack `argmax l(x', theta)` over `||x' - center|| <= epsilon` at theta = at, its conditions,
    derivative and constants.

        report = check_loss("log(1+exp(-y*(t1*x1+t2*x2)))", "x1,x2", "t1,t2",
                            center=(-1, 1), at=(1, 0.5), epsilon="3/5", values={"y": 1})
        print(report); report.attack; report.lipschitz; report.to_json()

    Args: `loss` text (see `theory.own_loss.language.parse`) or a sympy expression; `x`, `theta` the names of its
    symbols, as "x1,x2" or a sequence; `center`, `at` one number per symbol; `epsilon` > 0; `norm` "l2" or
    "linf"; `values` numbers for every other symbol; `seconds` that the analysis may take; `tell` called with
    what is being done, now and then. Numbers may be ints, floats (read as the decimal they print),
    fractions, numpy's, or strings such as "8/255".
    Raises: ValueError, one line, for bad input; when no maximum is found; when the Hessian that decides the
    case is singular, so that the attack is not isolated or not differentiable at this theta; and when the
    numbers cannot be had to the promised digits, or not in that time.
    Source: Lemmas 4 and 5, Eqs. (20), (22), (39), (44), derived by differentiating the loss.
    """
    problem = read_problem(loss, x, theta, center=center, at=at, epsilon=epsilon, norm=norm, values=values)
    try:
        objective = Objective(problem, Clock(seconds, tell))
        found = find_attack(objective, norm)
        with mpmath.workdps(WORKING_DIGITS):
            _refuse_singular(objective, problem, found)
            return _report(objective, problem, found)
    except Unresolved as error:
        raise ValueError(f"loss cannot be evaluated: {error}") from None


def _refuse_singular(objective: Objective, problem: LossProblem, found: SearchResult) -> None:
    best = found.best
    if not best.singular:
        return
    spaces = {
        "interior": f"its Hessian in x ({len(problem.x)} x {len(problem.x)}, interior)",
        "sphere": "the Hessian of the Lagrangian on the tangent space of the sphere",
        "box": "its Hessian in the coordinates that are free or held by a zero multiplier",
    }
    where = (
        spaces[best.case] if best.flat else f"its Hessian in x, with {ZERO_MULTIPLIER[best.case]} released,"
    )
    units = [e / exact(problem.epsilon) ** 2 for e in best.eigenvalues]
    smallest = f", smallest |eigenvalue| {nstr(min(map(abs, units)), 3)}" if units else ""
    other = f"; another maximiser is ({place_of(objective, found.ties[0].u)})" if found.ties else ""
    raise ValueError(
        f"loss has a singular Hessian at its maximum x' = ({place_of(objective, best.u)}): "
        f"{where} is singular, to {-int(mpmath.log10(SINGULAR))} digits of the loss's largest derivative on the ball"
        f"{smallest}{other}; "
        "the attack is not isolated or not differentiable at this theta, D_theta x' does not exist "
        "and Lemmas 4 and 5 do not apply: choose another theta, center or epsilon"
    )


def _report(objective: Objective, problem: LossProblem, found: SearchResult) -> LossReport:
    """The report at the best maximum: B is grad_theta grad_x l (d x m), T the basis of allowed directions."""
    best, basis, epsilon = found.best, found.best.basis, exact(problem.epsilon)
    attack, local = objective.point(best.u), Local(problem)
    objective.clock.step("evaluating the report")
    slope = local.slope(best.u, best.scale)
    curvature, cross = local.bends(best.u, best.scale), local.cross(best.u)
    theta_slope, theta_curvature = local.theta_slope(best.u), local.theta_bends(best.u)

    whole, multipliers = spectrum(curvature), tuple(m / epsilon for m in best.multipliers)
    mu = multipliers[0] if best.case == "sphere" else None
    bordered = None if mu is None else _bordered(local, best, mu, epsilon)
    bends = curvature if mu is None else curvature - mu / epsilon * mpmath.eye(len(attack))
    reduced = spectrum(times(basis.T, bends, basis))
    residual = basis.T * slope if mu is None else slope - mu * mpmath.matrix(list(best.u))
    _refuse_missed(residual, best, epsilon)
    distance = epsilon * _depth(best.u, problem.norm) if best.case == "interior" else mpf(0)

    movement = _movement(reduced, basis, cross) if best.strict else None
    lipschitz = None if movement is None else spectral_norm(movement)
    second = None if movement is None or found.ties else theta_curvature + times(cross.T, movement)
    c_theta_x, c_theta_theta = spectral_norm(cross), spectral_norm(theta_curvature)
    kink = kink_at(local, best.u)
    return LossReport(
        problem=problem,
        attack=tuple(attack),
        loss=best.value,
        loss_at_center=objective.precise_value([mpf(0)] * len(attack)),
        smooth_within=smooth_within(local, best.u) if kink is None else mpf(0),
        starts=found.starts,
        other_maxima=found.other_values,
        ties=tuple(tuple(objective.point(tie.u)) for tie in found.ties),
        case=best.case,
        active=best.active,
        distance_to_boundary=distance,
        gradient=mpmath.matrix(
            [entry if abs(entry) * epsilon > ZERO * best.scale else mpf(0) for entry in slope]
        ),
        residual=residual,
        multipliers=multipliers,
        strict_complementarity=best.strict,
        hessian=whole,
        bordered=bordered,
        reduced=reduced,
        mixed=cross,
        attack_jacobian=movement,
        lipschitz=lipschitz,
        c_theta_x=c_theta_x,
        reduced_bound=_ratio(spectral_norm(times(basis.T, cross)), reduced.smallest_singular_value),
        lemmas=(
            lemma4(best, whole=whole, c_theta_x=c_theta_x, kink=kink, distance=distance),
            lemma5(best, bordered=bordered, reduced=reduced, multiplier=mu, c_theta_x=c_theta_x, kink=kink),
        ),
        adversarial_gradient=theta_slope,
        adversarial_hessian=second,
        smoothness=None if second is None else spectral_norm(second),
        lemma1_bound=None if lipschitz is None or found.ties else c_theta_theta + lipschitz * c_theta_x,
        differentiable=_gradients_agree(local, found, theta_slope),
    )


def _refuse_missed(residual: Matrix, best: Maximum, epsilon: mpf) -> None:
    """The first-order condition, from derivatives in x, at a point that derivatives in u led to."""
    missed = max((abs(entry) for entry in residual), default=mpf(0))
    if not missed * epsilon <= mpf(10) ** -DIGITS * best.scale:
        raise ValueError(
            f"loss: the first-order condition is missed by {nstr(missed, 3)} at the attack that was found, more than "
            f"{DIGITS} digits allow; the report would be wrong: please report this loss"
        )


def _bordered(local: Local, best: Maximum, mu: mpf, epsilon: mpf) -> Spectrum:
    """With as many digits beyond 50 as the loss has zeros beside the border, which has the length 1."""
    scale = best.scale / epsilon**2
    with mpmath.workdps(WORKING_DIGITS + min(MOST_EXTRA_DIGITS, max(0, -int(mpmath.log10(scale))))):
        return spectrum(local.bordered(best.u, mu, scale))


def _depth(u: Sequence[mpf], norm: str) -> mpf:
    """The distance from u to the boundary of the unit ball."""
    return 1 - mpmath.norm(mpmath.matrix(list(u)), 2 if norm == "l2" else mpmath.inf)


def _movement(reduced: Spectrum, basis: Matrix, cross: Matrix) -> Matrix:
    """`D_theta x' = -T (T^T H_J T)^{-1} T^T B`; T = I inside, rows of held coordinates are zero."""
    if basis.cols == 0:
        return mpmath.zeros(cross.rows, cross.cols)
    right = times(basis.T, cross)
    found = solved(reduced.matrix, right)
    if found is None:  # so ill conditioned that only the exact matrix has a solution
        size = max(abs(e) for e in reduced.eigenvalues)  # lu_solve takes a tiny matrix for a singular one
        columns = [mpmath.lu_solve(reduced.matrix / size, right[:, j] / size) for j in range(right.cols)]
        found = mpmath.matrix([[column[i] for column in columns] for i in range(right.rows)])
    return -times(basis, found)


def _ratio(above: mpf, below: mpf | None) -> mpf:
    """above/below, and 0 when there is no direction to move in (below is None)."""
    return mpf(0) if below is None else above / below


def _gradients_agree(local: Local, found: SearchResult, theta_slope: Matrix) -> bool:
    """Whether every maximiser that ties gives grad_theta l the same value, so that l_epsilon has no kink."""
    branches = [local.theta_slope(tie.u) for tie in found.ties]
    return all(mpmath.norm(theta_slope - b) <= SAME_GRADIENT * mpmath.norm(b) for b in branches)
