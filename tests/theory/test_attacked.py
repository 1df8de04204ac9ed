"""What adversaries found, in the ledger: told of the sentence that was attacked, and of no other."""

from __future__ import annotations

import json

import pytest

from theory.__main__ import main
from theory.ledger.attacked import NAME, attacks, fingerprint, outcome, sentences
from theory.ledger.rows import find


def judgement(claim: str, reading: str, sentence: str, **changes) -> dict:
    row = {
        "claim": claim,
        "reading": reading,
        "sentence": fingerprint(sentence),
        "how": "random pairs",
        "seed": 0,
        "draws": 10,
        "instances": 1234,
        "ratio": 0.98765,
        "holds": True,
        "violated": False,
        "counterexample": "",
        "twins": {"a": True, "b": False},
    }
    return {**row, **changes}


@pytest.fixture
def written(tmp_path):
    claim = find("lemma2")
    said = sentences(claim)
    rows = [
        judgement("lemma2", "printed", said["printed"]),
        judgement("lemma2", "sharpest", "another sentence"),
    ]
    (tmp_path / NAME).write_text(json.dumps(rows), encoding="utf-8")
    return tmp_path


def test_what_was_found_of_a_sentence_is_told_and_of_a_changed_one_is_not(written):
    found = attacks(find("lemma2"), written) or {}
    assert list(found) == ["printed"]
    assert found["printed"]["twins"] == [1, 2]
    assert outcome(found["printed"]) == (
        "no counterexample in 1,234 instances, largest ratio 0.9877; 1 of 2 false neighbours refuted (random pairs)"
    )


def test_a_counterexample_is_called_one():
    told = {"violated": True, "instances": 3, "ratio": 2.0, "twins": [0, 0], "how": "a jump"}
    assert outcome(told) == "a counterexample in 3 instances (a jump)"


def test_a_claim_that_was_not_attacked_has_nothing_to_tell(written, tmp_path):
    assert attacks(find("lemma3"), written) is None
    assert attacks(find("lemma2"), tmp_path / "nowhere") is None


def test_a_file_that_changes_is_read_again(written):
    assert attacks(find("lemma2"), written) is not None
    (written / NAME).write_text("[]", encoding="utf-8")
    assert attacks(find("lemma2"), written) is None


def test_another_file_of_that_name_is_one_line(written):
    (written / NAME).write_text('[{"claim": 1}]', encoding="utf-8")
    with pytest.raises(ValueError, match=r"adversaries.json, line 1: .*claim.*remove it"):
        attacks(find("lemma2"), written)


def test_show_says_what_was_found_or_why_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["show", "lemma2"]) == 0
    assert "none yet, or none since the sentence changed" in capsys.readouterr().out
    assert main(["show", "eq13.reference"]) == 0
    assert "none: a sentence about the text" in capsys.readouterr().out
