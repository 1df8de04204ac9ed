"""The remarks that say what was measured (theory/statements/measured.py) are the answers of results/probe.json, and
stand at the claims they are about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from theory.statements import measured
from theory.statements.beyond import tangent
from theory.statements.sec5 import sec53_results
from theory.statements.sec32 import deep_nets, sec322_flattening

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("POSITIONS", "BOUNDS", "SMOOTHER", "FLATTENING")
CLAIMS = {
    one.id: one for module in (tangent, sec53_results, deep_nets, sec322_flattening) for one in module.CLAIMS
}


@pytest.mark.parametrize(("place", "name"), list(enumerate(NAMES)))
def test_a_measured_sentence_is_the_answer_of_the_probe(place, name):
    answers = json.loads((ROOT / "results" / "probe.json").read_text(encoding="utf-8"))["answers"]
    assert getattr(measured, name) == measured.LEAD + answers[place][1]


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("sec51.not-shallow", "POSITIONS"),
        ("beyond.tangent", "BOUNDS"),
        ("sec53.because-smooth", "SMOOTHER"),
        ("sec322.difficulty", "FLATTENING"),
    ],
)
def test_it_stands_at_the_claim_it_is_about(claim, name):
    assert getattr(measured, name) in CLAIMS[claim].remark
