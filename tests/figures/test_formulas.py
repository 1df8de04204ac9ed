"""Formulas in sentences: what is one and what is not, how it is set, and that nothing of a sentence is lost."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import typst as compiler

from figures.formulas import pieces
from figures.typeset import mathml, tex, typst

ROOT = Path(__file__).resolve().parents[2]


def marked(sentence: str) -> str:
    """The sentence with its formulas between dollar signs."""
    return "".join(f"${one.text}$" if one.formula else one.text for one in pieces(sentence))


def only(sentence: str):
    (piece,) = pieces(sentence)
    return piece.formula


def sentences() -> list[str]:
    """Every sentence of the committed ledger."""
    found: list[str] = []
    for row in json.loads((ROOT / "results" / "theory.json").read_text(encoding="utf-8")):
        found += [row["statement"], *row["assumptions"], *row["evidence"]]
        found += [row[name]["statement"] for name in ("corrected", "sharpest") if row[name]]
        found += [row["witness"]["replay"] or "" for _ in [0] if row["witness"]]
    return found


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("a Jacobian of norm at most C/c on it", "a Jacobian of norm at most $C/c$ on it"),
        (
            "C-Lipschitz and (epsilon/theta_min)-Lipschitz",
            "$C$-Lipschitz and $(epsilon/theta_min)$-Lipschitz",
        ),
        ("1-Lipschitz in every coordinate", "1-Lipschitz in every coordinate"),
        ("for all theta (Lemma 4), d >= 2", "for all $theta$ (Lemma 4), $d >= 2$"),
        ("where |x| <= 1 has its maximum", "where $|x| <= 1$ has its maximum"),
        ("3 seeds, 77 equations", "3 seeds, 77 equations"),
        ("z3 on nonlinear real arithmetic", "z3 on nonlinear real arithmetic"),
        ("J' = a J - 1, so it does", "$J' = a J - 1$, so it does"),
        ("At (1, 0): mu = 0. As before", "At (1, 0): $mu = 0$. As before"),
        ("the distance is 1 - <a,b>/(|a||b|)", "the distance is $1 - <a,b>/(|a||b|)$"),
        ("at l = theta.x. Then", "at $l = theta.x$. Then"),
        ("`python -m theory show x` and x", "`python -m theory show x` and $x$"),
        ("int e^(-at - t^2/2) dt", "$int e^(-at - t^2/2) dt$"),
        ("(a remark on x)^2", "(a remark on $x$)^2"),
    ],
)
def test_a_formula_is_found_where_one_is(sentence, shown):
    assert marked(sentence) == shown


@pytest.mark.parametrize(
    ("formula", "in_tex", "in_typst"),
    [
        ("C_theta_x/c", r"C_{\theta x} / c", r"C_(theta x) \/ c"),
        (
            "||grad_x l||_2 <= epsilon",
            r"\| \nabla_{x} \, \ell \|_{2} \le \varepsilon",
            'class("opening", ‖) nabla_(x) thin ell class("closing", ‖)_(2) <= epsilon',
        ),
        ("d^(1/2 - 1/p)", r"d ^ { 1 / 2 - 1 / p }", r"d ^ ( 1 \/ 2 - 1 \/ p )"),
        ("sqrt(d) e^-t", r"\sqrt{ d } \, e ^ {-t}", "sqrt( d ) thin e ^ (-t)"),
        ("x1 != x*", r"x_{1} \neq x^{*}", "x_(1) != x^(*)"),
        ("theta_bar_j", r"\bar{\theta}_{j}", "overline(theta)_(j)"),
        ("<w,Bv> >= 0", r"\langle w , B v \rangle \ge 0", "chevron.l w , B v chevron.r >= 0"),
    ],
)
def test_a_formula_is_set_in_both_notations(formula, in_tex, in_typst):
    assert tex(only(formula)) == in_tex
    assert typst(only(formula)) == in_typst


def test_no_letter_of_the_ledger_is_lost_and_its_formulas_can_be_set():
    whole = sentences()
    assert len(whole) > 1000
    found: dict[str, tuple[str, str]] = {}
    for sentence in whole:
        parts = list(pieces(sentence))
        assert "".join(one.text for one in parts) == sentence
        found.update({one.text: (tex(one.formula), typst(one.formula)) for one in parts if one.formula})
    assert len(found) > 1000
    for in_tex, _ in found.values():
        ElementTree.fromstring(mathml(in_tex))
    document = "\n\n".join(f"${in_typst}$" for _, in_typst in found.values())
    assert compiler.compile(document.encode())[:4] == b"%PDF"


def test_what_the_claims_give_as_latex_can_be_set():
    from theory.ledger.paper import open_paper

    given = [claim.latex for claim in open_paper().claims if claim.latex]
    assert len(given) > 100
    for one in given:
        assert re.match(r"<math.*</math>$", mathml(one), re.DOTALL)


def test_latex_that_cannot_be_set_is_named():
    with pytest.raises(ValueError, match=r"latex = .*frac.* cannot be set"):
        mathml(r"\frac{1}{")
