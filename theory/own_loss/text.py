"""The text of `python -m theory check`: a LossReport in at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import mpmath
from mpmath import mpf

from theory.own_loss.matrices import Matrix, Spectrum
from theory.own_loss.objective import DIGITS
from theory.own_loss.report import Findings, LemmaReport

WIDTH = 80


class LossReport(Findings):
    """What was found, with a text for a person."""

    def __str__(self) -> str:
        return render(self)


def render(report: Findings) -> str:
    """The report as text of at most 80 columns: headings at the margin, everything else indented."""
    sections = (_problem, _attack, _first_order, _second_order, _movement, _lemmas, _adversarial)
    return "\n".join(line for section in sections for line in section(report))


def _problem(report: Findings) -> Iterator[str]:
    problem = report.problem
    yield "Problem"
    yield from _item("loss", problem.text)
    yield from _item(
        "ball", f"{problem.norm}, epsilon = {problem.epsilon}, x = {_exact_tuple(problem.center)}"
    )
    yield from _item("theta", _exact_tuple(problem.at))
    if problem.values:
        yield from _item("set", ", ".join(f"{name} = {value}" for name, value in problem.values.items()))


def _attack(report: Findings) -> Iterator[str]:
    yield "Attack"
    for symbol, value in zip(report.problem.x, report.attack, strict=True):
        yield from _item(f"{symbol}'", mpmath.nstr(value, DIGITS, strip_zeros=False))
    yield from _item("loss", f"{_number(report.loss)} (at the center {_number(report.loss_at_center)})")
    yield from _item("position", _position(report))
    if report.smooth_within:
        radius = _number(report.smooth_within)
        yield from _item("smooth", f"no kink within {radius} of it in any coordinate (proved)")
    yield from _item("search", _search(report))
    for tie in report.ties:
        yield from _item("tie", f"the same loss at ({', '.join(_number(v) for v in tie)})")


def _position(report: Findings) -> str:
    if report.case == "interior":
        return f"inside the ball, {_number(report.distance_to_boundary)} from its boundary"
    if report.case == "sphere":
        return "on the L2 sphere"
    faces = [
        f"{report.problem.x[i]} at {'+' if side > 0 else '-'}epsilon" for i, side in report.active.items()
    ]
    free = [str(s) for i, s in enumerate(report.problem.x) if i not in report.active]
    return f"active {', '.join(faces)}; free {', '.join(free) or 'none (a corner)'}"


def _search(report: Findings) -> str:
    others = report.other_maxima
    seen = (
        f"{len(others)} lower local maxima seen (best {others[0]:.6g})"
        if others
        else "no other local maximum seen"
    )
    return f"{report.starts} starts, {seen}; searched, not certified global"


def _first_order(report: Findings) -> Iterator[str]:
    condition = {
        "interior": "grad_x l = 0",
        "sphere": "grad_x l = mu n, mu >= 0",
        "box": "side_i dl/dx_i >= 0 if active, dl/dx_i = 0 if free",
    }[report.case]
    yield f"First order: {condition}"
    yield from _item("grad_x l", _vector(report.gradient))
    if report.case == "sphere":
        yield from _item("mu", _number(report.multipliers[0]))
    if report.case == "box":
        pairs = zip(report.active, report.multipliers, strict=True)
        yield from _item("mu", ", ".join(f"{_number(m)} ({report.problem.x[i]})" for i, m in pairs))
    yield from _item("residual", _number(max([abs(v) for v in report.residual] or [mpf(0)]), 2))
    if report.case != "interior":
        verdict = "holds (mu > 0)" if report.strict_complementarity else "FAILS: a multiplier is 0"
        yield from _item("strict", f"complementarity {verdict}")


def _second_order(report: Findings) -> Iterator[str]:
    space = {
        "interior": "grad_x^2 l < 0",
        "sphere": "Hessian of J < 0 on the tangent space",
        "box": "grad_x^2 l < 0 in the free coordinates",
    }[report.case]
    yield f"Second order: {space}: {'holds' if report.reduced.negative_definite else 'FAILS'}"
    yield from _spectrum_lines("Hessian grad_x^2 l", report.hessian)
    size = len(report.problem.x)
    if report.bordered:
        yield from _spectrum_lines(
            "bordered Hessian of J in (mu, x'), border -n as Eq. (20) gives it", report.bordered
        )
        yield from _item("sign", f"a strict maximum has (-1)^{size} det > 0 at d = {size}", "    ")
        yield from _spectrum_lines("tangent Hessian T^T (grad_x^2 l - mu grad_x^2 ||.||) T", report.reduced)
    elif report.case == "box":
        yield from _spectrum_lines("Hessian in the free coordinates", report.reduced)


def _movement(report: Findings) -> Iterator[str]:
    yield "Movement of the attack: D_theta x'"
    if report.attack_jacobian is None:
        yield from _item(
            "D", "not defined: strict complementarity fails, so one-sided derivatives may differ"
        )
        return
    yield from _matrix_lines(report.attack_jacobian)
    yield from _item("norm", f"{_number(report.lipschitz)} = ||D_theta x'||, the local Lipschitz constant")
    bound = f"{_number(report.reduced_bound)} = sigma_1(T^T B)/min|eigenvalue|"
    if any(lemma.bound is not None for lemma in report.lemmas):
        bound += ", never worse than C_thetax/c"
    yield from _item("bound", bound)
    yield from _item("C_thetax", f"{_number(report.c_theta_x)} = sigma_1(B) here, B = grad_theta grad_x l")


def _lemmas(report: Findings) -> Iterator[str]:
    for lemma in report.lemmas:
        yield f"{lemma.name} at this point: {_verdict(lemma)}"
        for assumption in lemma.assumptions:
            yield from _item(
                "yes" if assumption.holds else "NO", f"{assumption.says} ({assumption.evidence})"
            )
        if lemma.c is not None:
            yield from _item("constants", f"c = {_number(lemma.c)}, C_thetax/c = {_number(lemma.bound)}")


def _verdict(lemma: LemmaReport) -> str:
    if lemma.holds:
        return "all assumptions hold"
    failing = [a.says.split(":")[0] for a in lemma.assumptions if not a.holds]
    if failing == ["as printed"]:
        return "holds as corrected, not as printed"
    return f"does not apply: {len(failing)} of {len(lemma.assumptions)} assumptions fail"


def _adversarial(report: Findings) -> Iterator[str]:
    yield "Adversarial loss l_epsilon(theta)"
    if not report.differentiable:
        yield from _item(
            "gradient", "none: the tied attacks give different gradients, so l_epsilon has a kink here"
        )
        return
    yield from _item("gradient", f"{_vector(report.adversarial_gradient)} = grad_theta l(x')")
    if report.adversarial_hessian is None or report.smoothness is None:
        why = "attacks tie" if report.ties else "strict complementarity fails"
        yield from _item("Hessian", f"not reported: {why}")
        return
    yield from _item("Hessian", "grad_theta^2 l + B^T D_theta x'")
    yield from _matrix_lines(report.adversarial_hessian)
    yield from _item(
        "norm",
        f"{_number(report.smoothness)} = local smoothness; Lemma 1: <= {_number(report.lemma1_bound)}",
    )


def _spectrum_lines(title: str, spectrum: Spectrum) -> Iterator[str]:
    yield f"  {title}"
    if not spectrum.eigenvalues:
        yield from _item("", "0 x 0: no direction is free, the condition is empty", "    ")
        return
    yield from _matrix_lines(spectrum.matrix)
    yield from _item("det", _number(spectrum.determinant), "    ")
    yield from _item("eigenvalues", ", ".join(_number(e) for e in spectrum.eigenvalues), "    ")


def _matrix_lines(matrix: Matrix) -> Iterator[str]:
    cells = [[_number(entry) for entry in row] for row in matrix.tolist()]
    width = max(len(cell) for row in cells for cell in row)
    for row in cells:
        text = f"[ {'  '.join(cell.rjust(width) for cell in row)} ]"
        if len(text) + 4 <= WIDTH:
            yield f"    {text}"
        else:
            yield from textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="      ")


def _item(label: str, text: str, indent: str = "  ") -> Iterator[str]:
    head = f"{indent}{label:<12}"
    lines = textwrap.wrap(text, WIDTH - len(head), break_long_words=True, break_on_hyphens=False)
    for index, line in enumerate(lines or [""]):
        yield f"{head if index == 0 else ' ' * len(head)}{line}".rstrip()


def _vector(column: Matrix) -> str:
    return f"({', '.join(_number(v) for v in column)})"


def _exact_tuple(values: Sequence[Any]) -> str:
    return f"({', '.join(str(v) for v in values)})"


def _number(value: Any, digits: int = 6) -> str:
    return str(mpmath.nstr(mpf(value), digits)) if value else "0"
