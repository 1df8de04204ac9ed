"""The answer of `python -m theory check`: a loss of one's own attacked, with the first and second order
conditions, the derivative and the constants of Lemmas 4 and 5."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import mpmath
import sympy
from mpmath import mpf, nstr
from sympy import Expr, Symbol

from theory.calculus.derivatives import bordered_hessian, gradient, hessian, mixed
from theory.own_loss.lemmas import lemma4, lemma5
from theory.own_loss.matrices import Matrix, Spectrum, chopped, from_entries, spectral_norm, spectrum
from theory.own_loss.newton import Maximum
from theory.own_loss.objective import DIGITS, Objective, exact, resolve_small
from theory.own_loss.problem import LossProblem, kink_at, read_problem
from theory.own_loss.search import SearchResult, find_attack
from theory.own_loss.text import LossReport

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
) -> LossReport:
    """The attack `argmax l(x', theta)` over `||x' - center|| <= epsilon` at theta = at, its conditions,
    derivative and constants.

        report = check_loss("log(1+exp(-y*(t1*x1+t2*x2)))", "x1,x2", "t1,t2",
                            center=(-1, 1), at=(1, 0.5), epsilon="3/5", values={"y": 1})
        print(report); report.attack; report.lipschitz; report.to_json()

    Args: `loss` text (see `theory.deciders.expressions.parse`) or a sympy expression; `x`, `theta` the names of its
    symbols, as "x1,x2" or a sequence; `center`, `at` one number per symbol; `epsilon` > 0; `norm` "l2" or
    "linf"; `values` numbers for every other symbol. Numbers may be ints, floats (read as the decimal they
    print), fractions or strings such as "8/255".
    Raises: ValueError, one line, for bad input; when no maximum is found; and when the Hessian that decides
    the case is singular, so that the attack is not isolated or not differentiable at this theta.
    Source: Lemmas 4 and 5, Eqs. (20), (22), (39), (44), derived by `theory.calculus.derivatives`.
    """
    problem = read_problem(loss, x, theta, center=center, at=at, epsilon=epsilon, norm=norm, values=values)
    objective = Objective(problem.at_theta, problem.x, problem.center, problem.epsilon)
    found = find_attack(objective, norm)
    with mpmath.workdps(objective.digits):
        _refuse_singular(objective, problem, found)
        return _report(objective, problem, found)


def _refuse_singular(objective: Objective, problem: LossProblem, found: SearchResult) -> None:
    best = found.best
    if not best.singular:
        return
    spaces = {
        "interior": f"its Hessian in x ({len(problem.x)} x {len(problem.x)}, interior)",
        "sphere": "the Hessian of the Lagrangian on the tangent space of the sphere",
        "box": "its Hessian in the coordinates that are free or held by a zero multiplier",
    }
    units = [e / exact(problem.epsilon) ** 2 for e in best.eigenvalues]
    smallest = f", smallest |eigenvalue| {nstr(min(map(abs, units)), 3)}" if units else ""
    other = f"; another maximiser is ({_place(objective, found.ties[0])})" if found.ties else ""
    raise ValueError(
        f"loss has a singular Hessian at its maximum x' = ({_place(objective, best)}): "
        f"{spaces[best.case]} is singular{smallest}{other}; "
        "the attack is not isolated or not differentiable at this theta, D_theta x' does not exist "
        "and Lemmas 4 and 5 do not apply: choose another theta, center or epsilon"
    )


def _place(objective: Objective, maximum: Maximum) -> str:
    return ", ".join(nstr(entry, 6) for entry in objective.point(maximum.u))


def _report(objective: Objective, problem: LossProblem, found: SearchResult) -> LossReport:
    """The report at the best maximum: B is grad_theta grad_x l (d x m), T the basis of allowed directions."""
    best, basis, epsilon = found.best, found.best.basis, exact(problem.epsilon)
    attack = objective.point(best.u)
    here = _values(problem, attack)
    slope = mpmath.matrix(chopped(_evaluated(gradient(problem.loss, problem.x), here)))
    curvature = _evaluated(hessian(problem.loss, problem.x), here)
    cross = _evaluated(mixed(problem.loss, problem.x, problem.theta), here)
    theta_slope = _evaluated(gradient(problem.loss, problem.theta), here)
    theta_curvature = _evaluated(hessian(problem.loss, problem.theta), here)

    whole, multipliers = spectrum(curvature), tuple(m / epsilon for m in best.multipliers)
    mu = multipliers[0] if best.case == "sphere" else None
    bordered = None if mu is None else _bordered(problem, here, mu)
    reduced = spectrum(basis.T * (bordered.matrix[1:, 1:] if bordered else curvature) * basis)
    residual = basis.T * slope if mu is None else slope - mu * mpmath.matrix(list(best.u))
    distance = epsilon * _depth(best.u, problem.norm) if best.case == "interior" else mpf(0)

    movement = _movement(reduced, basis, cross) if best.strict else None
    lipschitz = None if movement is None else spectral_norm(movement)
    second = None if movement is None or found.ties else theta_curvature + cross.T * movement
    c_theta_x, c_theta_theta = spectral_norm(cross), spectral_norm(theta_curvature)
    kink = kink_at(problem.loss, _point(problem, attack))
    return LossReport(
        problem=problem,
        attack=tuple(attack),
        loss=best.value,
        loss_at_center=objective.precise_value([mpf(0)] * len(attack)),
        starts=found.starts,
        other_maxima=found.other_values,
        ties=tuple(tuple(objective.point(tie.u)) for tie in found.ties),
        case=best.case,
        active=best.active,
        distance_to_boundary=distance,
        gradient=slope,
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
        reduced_bound=_ratio(spectral_norm(basis.T * cross), reduced.smallest_singular_value),
        lemmas=(
            lemma4(best, whole=whole, c_theta_x=c_theta_x, kink=kink, distance=distance),
            lemma5(best, bordered=bordered, reduced=reduced, multiplier=mu, c_theta_x=c_theta_x, kink=kink),
        ),
        adversarial_gradient=theta_slope,
        adversarial_hessian=second,
        smoothness=None if second is None else spectral_norm(second),
        lemma1_bound=None if lipschitz is None or found.ties else c_theta_theta + lipschitz * c_theta_x,
        differentiable=_gradients_agree(objective, problem, found, theta_slope),
    )


def _values(problem: LossProblem, attack: Sequence[mpf]) -> dict[Symbol, mpf]:
    """What x and theta are at the attack, in mpmath's current precision."""
    numbers = [*attack, *map(exact, problem.at)]
    return dict(zip([*problem.x, *problem.theta], numbers, strict=True))


def _point(problem: LossProblem, attack: Sequence[mpf]) -> dict[Symbol, Expr]:
    """What x and theta are at the attack, for sympy."""
    digits = [sympy.Float(nstr(entry, DIGITS), DIGITS) for entry in attack]
    return dict(zip([*problem.x, *problem.theta], [*digits, *problem.at], strict=True))


def _evaluated(matrix: sympy.Matrix, values: Mapping[Symbol, mpf]) -> Matrix:
    entries = [resolve_small(entry) for entry in matrix]
    numbers = sympy.lambdify(list(values), entries, modules="mpmath", cse=True)(*values.values())
    return from_entries(numbers, matrix.cols)


def _bordered(problem: LossProblem, values: Mapping[Symbol, mpf], multiplier: mpf) -> Spectrum:
    """The Hessian of Eq. (20)'s J in (mu, x'), derived by differentiation, evaluated at the attack."""
    mu = sympy.Dummy("mu", real=True)
    symbolic = bordered_hessian(problem.loss, problem.x, problem.center, mu)
    return spectrum(_evaluated(symbolic, {mu: multiplier, **values}))


def _depth(u: Sequence[mpf], norm: str) -> mpf:
    """The distance from u to the boundary of the unit ball."""
    return 1 - mpmath.norm(mpmath.matrix(list(u)), 2 if norm == "l2" else mpmath.inf)


def _movement(reduced: Spectrum, basis: Matrix, cross: Matrix) -> Matrix:
    """`D_theta x' = -T (T^T H_J T)^{-1} T^T B`; T = I inside, rows of held coordinates are zero."""
    result = mpmath.zeros(cross.rows, cross.cols)
    if basis.cols == 0:
        return result
    right = basis.T * cross
    size = max(abs(e) for e in reduced.eigenvalues)  # lu_solve takes a tiny matrix for a singular one
    for j in range(cross.cols):
        column = basis * mpmath.lu_solve(reduced.matrix / size, right[:, j] / size)
        for i in range(cross.rows):
            result[i, j] = -column[i]
    return result


def _ratio(above: mpf, below: mpf | None) -> mpf:
    """above/below, and 0 when there is no direction to move in (below is None)."""
    return mpf(0) if below is None else above / below


def _gradients_agree(
    objective: Objective, problem: LossProblem, found: SearchResult, theta_slope: Matrix
) -> bool:
    """Whether every maximiser that ties gives grad_theta l the same value, so that l_epsilon has no kink."""
    symbolic = gradient(problem.loss, problem.theta)
    branches = [_evaluated(symbolic, _values(problem, objective.point(tie.u))) for tie in found.ties]
    return all(mpmath.norm(theta_slope - b) <= SAME_GRADIENT * mpmath.norm(b) for b in branches)
