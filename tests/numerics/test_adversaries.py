"""Adversaries: the search finds what is there to be found, each agrees with the ledger, each twin it names is one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from numerics.__main__ import main
from numerics.adversaries import command
from numerics.adversaries.adversary import Adversary, Gap, search
from numerics.adversaries.judgement import judge, power, sentence_of
from numerics.adversaries.registry import adversaries
from theory.ledger.attacked import fingerprint

EVERY = adversaries()
DRAWS, MOVES = 40, 20  # small; `python -m numerics adversaries` does more


def parabola(factor: float = 1.0) -> Adversary:
    """Attacks "1 - (x - 0.3)^2 <= factor": true from 1 on, and below 1 false only near 0.3."""
    return Adversary(
        claim="lemma2",
        how="made up",
        draw=lambda rng: {"x": float(rng.uniform(-1, 1))},
        gap=lambda at, said: Gap(1 - (at["x"] - 0.3) ** 2, said.factor, 1e-12),
        sentence={"factor": factor},
        twins={"less": {"factor": 0.5}},
    )


def test_a_search_climbs_to_a_violation_that_drawing_alone_misses():
    assert not search(parabola(1 - 1e-9), draws=5, seed=3, moves=0).violated
    found = search(parabola(1 - 1e-9), draws=5, seed=3, moves=300)
    assert found.violated
    assert abs(found.instance["x"] - 0.3) < 1e-4


def test_a_true_sentence_stands_and_its_ratio_is_approached():
    found = search(parabola(), draws=20, moves=300)
    assert not found.violated
    assert 1 - 1e-6 < found.ratio <= 1


def test_what_rounding_may_do_is_no_violation():
    closer = replace(parabola(1 - 1e-13), draw=lambda rng: {"x": 0.3})
    assert not search(closer, draws=3).violated


def test_a_search_is_the_same_again_and_another_with_another_seed():
    one, same, other = (search(parabola(), draws=3, moves=2, seed=seed) for seed in (0, 0, 1))
    assert one.instance == same.instance != other.instance


def test_moves_keep_to_what_is_admitted():
    kept = replace(parabola(1 - 1e-9), admit=lambda at: at if at["x"] < 0 else None)
    kept = replace(kept, draw=lambda rng: {"x": float(rng.uniform(-1, -0.5))})
    assert search(kept, draws=5, moves=100).instance["x"] < 0


def test_sides_that_are_no_numbers_are_no_violation_and_nothing_at_all_is_an_error():
    nowhere = replace(parabola(), gap=lambda at, said: Gap(math.nan, 1.0))
    with pytest.raises(ValueError, match="adversary of lemma2 drew 200 instances and could evaluate none"):
        search(nowhere)


def test_a_twin_that_changes_what_the_sentence_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"'wrong' of the adversary of lemma2 changes b, .* it has factor"):
        replace(parabola(), twins={"wrong": {"b": 1}})
    with pytest.raises(ValueError, match=r"reading = 'best' .* printed, corrected, sharpest"):
        replace(parabola(), reading="best")


@pytest.mark.parametrize("adversary", EVERY, ids=lambda one: one.name)
def test_an_adversary_says_of_its_sentence_what_the_ledger_says(adversary):
    found = judge(adversary, draws=DRAWS, moves=MOVES)
    assert found.agrees, found.counterexample or "called false, and no counterexample found"


@pytest.mark.parametrize("adversary", EVERY, ids=lambda one: one.name)
def test_instances_are_drawn_the_same_again(adversary):
    one, other = (adversary.draw(np.random.default_rng(5)) for _ in range(2))
    assert str(one) == str(other)


def test_a_sentence_that_has_changed_is_attacked_again(tmp_path, capsys):
    line = ["adversaries", "lemma2", "--out", str(tmp_path), "--draws", "20"]
    assert main(line) == 0
    assert "2 of 2 sentences attacked (2 now)" in capsys.readouterr().out
    assert main(line) == 0
    assert "(0 now)" in capsys.readouterr().out
    path = tmp_path / command.NAME
    path.write_text(path.read_text().replace(fingerprint(sentence_of(adversaries(["lemma2"])[0])), "0" * 12))
    assert main(line) == 0
    assert "(1 now)" in capsys.readouterr().out


def test_an_adversary_that_disagrees_with_the_ledger_makes_the_command_fail(tmp_path, capsys, monkeypatch):
    wrong = replace(
        adversaries(["lemma2"])[0], sentence={"factor": 0.5, "power": 1, "bounded_below": True}, twins={}
    )
    monkeypatch.setattr(command, "adversaries", lambda names=(): [wrong])
    assert main(["adversaries", "--out", str(tmp_path), "--draws", "20"]) == 1
    assert "numerics: lemma2 (printed) fails at epsilon = " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lemma99"], "no adversary attacks lemma99; attacked are"),
        (["--draws", "0"], "draws = 0; it must be at least 1"),
        (["--seed", "-1"], "seed = -1; it must be at least 0"),
        (["--seed", "1" + 26 * "0"], "it must be at most 2147483647"),
        (["--budget", "nan"], "budget = nan; it must be a number of seconds, at least 0"),
        (["--budget", "-1"], "budget = -1.0; it must be a number of seconds, at least 0"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words, said, tmp_path, capsys):
    assert main(["adversaries", "--out", str(tmp_path), *words]) == 2
    assert said in capsys.readouterr().err


def test_power_counts_twins_over_all():
    assert power([judge(parabola(), draws=5, moves=5)]) == (1, 1)
