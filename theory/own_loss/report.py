"""What `python -m theory check` reports: the attack on a loss, its conditions, derivative and constants, and
Lemmas 4 and 5 at this point, as an object, as data and as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import mpmath
from mpmath import mpf

from theory.own_loss.matrices import Matrix, Spectrum
from theory.own_loss.objective import DIGITS
from theory.own_loss.problem import LossProblem


@dataclass(frozen=True)
class Findings:
    """The attack on a loss at one parameter, and what Lemmas 4 and 5 say there; numbers carry 30 digits.

    `case` is interior, sphere (L2 boundary) or box (L_infinity boundary, `active` maps coordinates to
    sides). `multipliers` are mu on the sphere and side_i dl/dx_i on the faces. `reduced` is the Hessian
    that decides the second order: grad_x^2 l inside, the Lagrangian's Hessian on the tangent space of the
    sphere, grad_x^2 l in the free coordinates of the box. `attack_jacobian` (D_theta x') is None where
    strict complementarity fails; `adversarial_hessian` then too. `ties` are other maximisers with the same
    loss. `smooth_within` is a radius around the attack, in the largest coordinate, in which the loss is proved
    analytic in x, None where that goes farther than matters. The maximum is searched for, not certified to be global.
    """

    problem: LossProblem
    attack: tuple[mpf, ...]
    loss: mpf
    loss_at_center: mpf
    smooth_within: mpf | None
    starts: int
    other_maxima: tuple[float, ...]
    ties: tuple[tuple[mpf, ...], ...]
    case: str
    active: Mapping[int, int]
    distance_to_boundary: mpf
    gradient: Matrix
    residual: Matrix
    multipliers: tuple[mpf, ...]
    strict_complementarity: bool
    hessian: Spectrum
    bordered: Spectrum | None
    reduced: Spectrum
    mixed: Matrix
    attack_jacobian: Matrix | None
    lipschitz: mpf | None
    c_theta_x: mpf
    reduced_bound: mpf
    lemmas: tuple[LemmaReport, ...]
    adversarial_gradient: Matrix
    adversarial_hessian: Matrix | None
    smoothness: mpf | None
    lemma1_bound: mpf | None
    differentiable: bool

    def as_dict(self) -> dict[str, Any]:
        """The report as nested dicts, lists, numbers and strings; a number outside the range of a double is
        a string."""
        problem = self.problem
        return {
            "loss": problem.text,
            "x": list(problem.x),
            "theta": list(problem.theta),
            "values": {name: str(value) for name, value in problem.values.items()},
            "center": [str(v) for v in problem.center],
            "at": [str(v) for v in problem.at],
            "epsilon": str(problem.epsilon),
            "norm": problem.norm,
            "dimension": len(problem.x),
            "attack": [_plain(v) for v in self.attack],
            "attack_digits": [mpmath.nstr(v, DIGITS) for v in self.attack],
            "loss_at_attack": _plain(self.loss),
            "loss_at_center": _plain(self.loss_at_center),
            "analytic_within": _plain(self.smooth_within),
            "search": {
                "starts": self.starts,
                "certified_global": False,
                "ties": [[_plain(v) for v in tie] for tie in self.ties],
                "other_local_maxima": list(self.other_maxima),
            },
            "position": {
                "case": self.case,
                "active": {problem.x[i]: side for i, side in self.active.items()},
                "distance_to_boundary": _plain(self.distance_to_boundary),
            },
            "first_order": {
                "gradient": _column(self.gradient),
                "residual": _column(self.residual),
                "multipliers": [_plain(v) for v in self.multipliers],
                "strict_complementarity": self.strict_complementarity,
            },
            "hessian": _spectrum(self.hessian),
            "bordered_hessian": _spectrum(self.bordered),
            "reduced_hessian": _spectrum(self.reduced),
            "mixed_derivative": _rows(self.mixed),
            "attack_jacobian": _rows(self.attack_jacobian),
            "constants": {
                "C_thetax": _plain(self.c_theta_x),
                "reduced_bound": _plain(self.reduced_bound),
                "local_lipschitz": _plain(self.lipschitz),
            },
            "lemmas": [_lemma(lemma) for lemma in self.lemmas],
            "adversarial_loss": {
                "gradient": _column(self.adversarial_gradient) if self.differentiable else None,
                "hessian": _rows(self.adversarial_hessian),
                "smoothness": _plain(self.smoothness),
                "lemma1_bound": _plain(self.lemma1_bound),
                "differentiable": self.differentiable,
            },
        }

    def to_json(self) -> str:
        """The report as one JSON object."""
        return json.dumps(self.as_dict(), indent=2, allow_nan=False)


@dataclass(frozen=True)
class LemmaReport:
    """A lemma at this point: its assumptions, c and C_thetax/c (None where the lemma does not apply)."""

    name: str
    assumptions: tuple[Assumption, ...]
    c: mpf | None
    bound: mpf | None

    @property
    def holds(self) -> bool:
        """Whether every assumption holds at this point."""
        return all(a.holds for a in self.assumptions)


@dataclass(frozen=True)
class Assumption:
    """One assumption of a lemma, whether it holds at this point, and the number that decides it."""

    says: str
    holds: bool
    evidence: str


def _plain(value: Any) -> float | str | None:
    if value is None:
        return None
    number = float(value)
    lost = number in (float("inf"), float("-inf")) or (number == 0 and value != 0)
    return str(mpmath.nstr(value, 17)) if lost else number


def _column(matrix: Matrix) -> list[float | str | None]:
    return [_plain(v) for v in matrix]


def _spectrum(spectrum: Spectrum | None) -> dict[str, Any] | None:
    if spectrum is None:
        return None
    return {
        "matrix": _rows(spectrum.matrix),
        "determinant": _plain(spectrum.determinant),
        "eigenvalues": [_plain(e) for e in spectrum.eigenvalues],
        "smallest_singular_value": _plain(spectrum.smallest_singular_value),
        "negative_definite": spectrum.negative_definite,
    }


def _rows(matrix: Matrix | None) -> list[list[float | str | None]] | None:
    return None if matrix is None else [[_plain(v) for v in row] for row in matrix.tolist()]


def _lemma(lemma: LemmaReport) -> dict[str, Any]:
    return {
        "name": lemma.name,
        "holds": lemma.holds,
        "c": _plain(lemma.c),
        "bound": _plain(lemma.bound),
        "assumptions": [asdict(assumption) for assumption in lemma.assumptions],
    }
