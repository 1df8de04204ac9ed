"""The second routes of `python -m theory verify`: what they accept is so by other means, near misses are refused."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from theory.certificates import intervals, normal_form
from theory.certificates.coq import lemmas
from theory.certificates.store import read_store
from theory.certificates.verify import known_by

SIGNS = {"x": "positive", "y": "positive", "p": "positive", "r": "real"}
SAME = [
    ("exp(x + r)/exp(r)", "exp(x)"),
    ("sqrt(4*x + 4)", "2*sqrt(x + 1)"),
    ("x^p*x^(1 - p)", "x"),
    ("x^(p/(p + 1))*x^(1/(p + 1))", "x"),
    ("log(x^2*y)", "2*log(x) + log(y)"),
    ("exp(2*log(x))", "x^2"),
    ("exp(r)/(1 + exp(r))", "1 - 1/(1 + exp(r))"),
    ("tanh(r)", "(exp(2*r) - 1)/(exp(2*r) + 1)"),
    ("erf(-r)", "-erf(r)"),
    ("erfc(r) + erf(r)", "1"),
    ("Abs(r)^2", "r^2"),
    ("sqrt(2)*sqrt(6)", "2*sqrt(3)"),
]
DIFFERENT = [
    ("sqrt(r^2)", "r"),
    ("exp(x*r)", "exp(x)*exp(r)"),
    ("log(x + y)", "log(x) + log(y)"),
    ("x^p*y^p", "(x + y)^p"),
    ("tanh(r)", "(exp(2*r) - 1)/(exp(2*r) + 2)"),
    ("sqrt(x + 1)", "sqrt(x) + 1"),
    ("log(r^2)", "2*log(r)"),
    ("erf(-r)", "erf(r)"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_an_identity_is_recognised_and_its_neighbour_is_not(left, right):
    assert normal_form.same(left, right, SIGNS)
    assert not normal_form.same(left, f"({right})*101/100", SIGNS)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_what_is_no_identity_is_not_taken_for_one(left, right):
    assert not normal_form.same(left, right, SIGNS)


@pytest.mark.parametrize(
    ("expression", "is_positive"),
    [("exp(-r)/(1 + exp(-r))", True), ("x + 1/y", True), ("x - y", False), ("r^2", False), ("x*r", False)],
)
def test_a_sign_is_read_off_positive_parts_alone(expression, is_positive):
    assert normal_form.positive(expression, SIGNS) is is_positive


@pytest.mark.parametrize(
    ("left", "relation", "right", "answer"),
    [
        ("exp(1)", ">", "271828/100000", True),
        ("exp(1)", ">", "271829/100000", False),
        ("erf(1/2)", "<", "5204999/10000000", True),  # erf(1/2) = 0.52049987...
        ("erf(1/2)", "<", "5204998/10000000", False),
        ("log(2)", "!=", "69/100", True),
        ("sqrt(2)^2", "=", "2", None),  # an interval cannot say so
    ],
)
def test_an_interval_decides_numbers_that_differ_and_no_others(left, relation, right, answer):
    assert intervals.decided(left, relation, right) is answer


def test_a_fact_that_was_not_decided_rests_on_one_decider():
    fact: dict = {
        "says": "",
        "holds": None,
        "method": "",
        "kind": "sign",
        "variables": {},
        "sign": ["1", ">"],
    }
    assert known_by(fact) == "one decider"


@pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc is not installed; apt-get install coq")
def test_coq_accepts_lemma_2_and_refuses_it_without_a_hypothesis(tmp_path):
    claims = {name: entry for name, entry in read_store().items() if name == "lemma2.attack"}
    text = "\n".join(lemmas(claims))
    for name, source in (("good", text), ("bad", re.sub(r"  delta <= epsilon ->\n", "", text))):
        (tmp_path / f"{name}.v").write_text(source, encoding="utf-8")
    runs = [
        subprocess.run(["coqc", "-q", f"{name}.v"], cwd=tmp_path, capture_output=True, text=True)
        for name in ("good", "bad")
    ]
    assert [run.returncode for run in runs] == [0, 1], runs[0].stderr[-500:]
    assert "Admitted" not in text
