"""Lemmas 4 and 5 at one attack, for `python -m theory check`: which assumptions hold there, and the
constants."""

from __future__ import annotations

from mpmath import mpf, nstr

from theory.own_loss.matrices import Spectrum
from theory.own_loss.newton import Maximum
from theory.own_loss.report import Assumption, LemmaReport


def lemma4(best: Maximum, *, whole: Spectrum, c_theta_x: mpf, kink: str | None, distance: mpf) -> LemmaReport:
    """Lemma 4: x' inside the ball and `grad_x^2 l <= -c I`; then `||D_theta x'|| <= C_thetax/c`.

    Args: `whole` grad_x^2 l; `c_theta_x` sigma_1(grad_theta grad_x l); `kink` what spoils smoothness, if
    anything; `distance` from x' to the boundary.
    """
    inside, negative = best.case == "interior", whole.negative_definite
    largest = max(whole.eigenvalues)
    assumptions = (
        _smooth_gradient(kink),
        Assumption(
            "x' lies inside the ball",
            inside,
            f"distance to the boundary {nstr(distance, 6) if inside else 0}",
        ),
        Assumption("grad_x^2 l is negative definite", negative, f"largest eigenvalue {nstr(largest, 6)}"),
    )
    return _report("Lemma 4", assumptions, -largest if inside and negative else None, c_theta_x)


def lemma5(
    best: Maximum,
    *,
    bordered: Spectrum | None,
    reduced: Spectrum,
    multiplier: mpf | None,
    c_theta_x: mpf,
    kink: str | None,
) -> LemmaReport:
    """Lemma 5: x' on the L2 sphere and a bordered Hessian with the sign of a strict maximum; c is its
    smallest singular value.

    Args: `bordered` the Hessian of Eq. (20)'s J in (mu, x') and `multiplier` mu, both None off the sphere;
    `reduced` its tangent Hessian; the rest as in `lemma4`.
    """
    smooth = _smooth_gradient(kink)
    if bordered is None:
        where = "inside the ball" if best.case == "interior" else "on the boundary of an L_infinity ball"
        return _report(
            "Lemma 5", (smooth, Assumption("x' lies on the L2 sphere", False, where)), None, c_theta_x
        )
    size = len(best.u)
    determinant = bordered.determinant
    sign = 1 if size % 2 == 0 else -1
    wrong = "" if size % 2 == 0 else f"; at d = {size} every strict maximum has it negative"
    largest = f"largest eigenvalue {nstr(max(reduced.eigenvalues), 6)}" if size > 1 else "empty at d = 1"
    assumptions = (
        smooth,
        Assumption("x' lies on the L2 sphere", True, "constraint active"),
        Assumption(
            "as printed: det(bordered Hessian) > 0", determinant > 0, f"{nstr(determinant, 6)}{wrong}"
        ),
        Assumption(
            f"corrected: tangent Hessian negative definite, so (-1)^{size} det > 0",
            reduced.negative_definite and sign * determinant > 0,
            largest,
        ),
        Assumption(
            "not printed but needed: strict complementarity, mu > 0",
            best.strict,
            f"mu = {nstr(multiplier, 6)}",
        ),
    )
    c = bordered.smallest_singular_value if best.strict else None
    return _report("Lemma 5", assumptions, c, c_theta_x)


def _smooth_gradient(kink: str | None) -> Assumption:
    evidence = "the loss is analytic near x'" if kink is None else f"in doubt because of {kink}"
    return Assumption("grad_x l is C^1 near x'", kink is None, evidence)


def _report(name: str, assumptions: tuple[Assumption, ...], c: mpf | None, c_theta_x: mpf) -> LemmaReport:
    return LemmaReport(name, assumptions, c, c_theta_x / c if c else None)
