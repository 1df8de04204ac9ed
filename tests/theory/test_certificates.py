"""The checker of stored certificates: it accepts each, and none that has been tampered with; it reads statements as
Python's own arithmetic does; and what the ledger asks today is what is stored."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from fractions import Fraction

import pytest
from stored_facts import SATISFIED_EXAMPLE, python_truth

from theory.certificates import checker
from theory.certificates.checker import follows, impossible, possible, system, variables
from theory.certificates.store import differences, key, question_of, read_claims, read_store
from theory.certificates.verify import Known, counted, known_by, refused

STORED = read_store()
FOLLOWS = {
    key(fact): fact for entry in STORED.values() for fact in entry["facts"] if fact["kind"] == "follows"
}
PROVED = [fact for fact in FOLLOWS.values() if fact["holds"]]
REFUTED = [fact for fact in FOLLOWS.values() if fact["holds"] is False]
POINTS = 6  # random points at which each statement is evaluated twice


def leaves(fact: dict) -> Iterator[tuple[list, dict]]:
    """Each case, or part of a split case, of a fact's certificate with the proof that closes it."""
    values = variables(list(fact["variables"]))
    waiting = list(zip(system(fact, True, values), fact["proofs"], strict=True))
    while waiting:
        case, proof = waiting.pop()
        if "split" in proof:
            q = checker.polynomial(proof["split"], values)
            waiting += [([*case, (-q, ">")], proof["below"]), ([*case, (q, ">=")], proof["rest"])]
        else:
            yield case, proof


def closes(fact: dict, case: list, proof: dict) -> bool:
    return not refused(impossible, case, proof, variables(list(fact["variables"])))


def used(proof: dict) -> set[int]:
    return {index for _, chosen, *_ in proof["sum"] for index in chosen} | {
        index for _, index in proof.get("equations", [])
    }


def test_every_implication_that_z3_decided_has_a_certificate():
    assert len(PROVED) > 200
    assert all(known_by(fact) is Known.EXACT for fact in FOLLOWS.values())


def test_a_coefficient_that_is_changed_is_refused_in_every_certificate():
    for fact in PROVED:
        for case, proof in leaves(fact):
            for number, (weight, chosen, *_) in enumerate(proof["sum"]):
                if any(case[index][0] == 0 for index in chosen):
                    continue  # 0 > 0 is impossible whatever its weight
                changed = copy.deepcopy(proof)
                changed["sum"][number][0] = str(Fraction(weight) + Fraction(1, 7))
                assert not closes(fact, case, changed), fact["says"]


def test_a_negative_weight_is_refused_in_every_certificate():
    for fact in PROVED:
        for case, proof in leaves(fact):
            changed = copy.deepcopy(proof)
            changed["sum"][0][0] = "-" + changed["sum"][0][0]
            assert not closes(fact, case, changed), fact["says"]


def test_a_multiple_of_an_equation_that_is_changed_is_refused_in_every_certificate():
    for fact in PROVED:
        for case, proof in leaves(fact):
            for number, (multiple, index) in enumerate(proof.get("equations", [])):
                if case[index][0] == 0:
                    continue
                changed = copy.deepcopy(proof)
                changed["equations"][number][0] = f"({multiple}) + 1"
                assert not closes(fact, case, changed), fact["says"]


def test_a_condition_without_its_strictness_is_refused_in_every_certificate():
    for fact in PROVED:
        for case, proof in leaves(fact):
            loose = [(p, ">=" if sign == ">" else sign) for p, sign in case]
            assert not closes(fact, loose, {**proof, "sum": [t for t in proof["sum"] if t[1]]}), fact["says"]


def test_a_hypothesis_that_is_dropped_is_refused_in_every_certificate():
    for fact in PROVED:
        for case, proof in leaves(fact):
            for index in used(proof):
                shorter = case[:index] + case[index + 1 :]
                assert not closes(fact, shorter, proof) or case[index] in shorter, fact["says"]


def test_a_case_that_is_left_out_is_refused_in_every_certificate():
    for fact in PROVED:
        for number in range(len(fact["proofs"])):
            fewer = fact["proofs"][:number] + fact["proofs"][number + 1 :]
            assert refused(follows, fact, fewer), fact["says"]


def test_half_a_split_is_refused_in_every_certificate():
    for fact in PROVED:
        for number, proof in enumerate(fact["proofs"]):
            for side in ("below", "rest"):
                if "split" in proof:
                    changed = {**proof, side: {"sum": []}}
                    proofs = [*fact["proofs"][:number], changed, *fact["proofs"][number + 1 :]]
                    assert refused(follows, fact, proofs), fact["says"]


def test_no_proof_is_taken_for_a_case_that_has_a_point():
    """The certificates of all facts, tried on the premises of each: these are met by the stored point."""
    for fact in PROVED:
        premises = {**fact, "then": "False"}
        assert refused(follows, premises, fact["proofs"]), fact["says"]


def test_a_point_is_refused_for_the_opposite_answer():
    for fact in PROVED:
        assert refused(possible, fact, True, fact["point"]), fact["says"]
    for fact in REFUTED:
        assert possible(fact, True, fact["point"])
        assert refused(possible, {**fact, "given": [*fact["given"], fact["then"]]}, True, fact["point"])


def test_the_checker_reads_statements_as_python_does():
    chance = random.Random(0)
    for fact in FOLLOWS.values():
        for _ in range(POINTS):
            at = {name: Fraction(chance.randint(-4, 8), chance.randint(1, 3)) for name in fact["variables"]}
            point = {"at": {name: str(value) for name, value in at.items()}}
            expected = python_truth(fact, at)
            assert (not refused(possible, fact, True, point)) == expected, (fact["given"], fact["then"], at)


@pytest.mark.parametrize(
    ("root", "x", "then", "violated"),
    [
        (["a^2 - 2", "1", "2"], "a", "x > 3/2", True),
        (["a^2 - 2", "1", "2"], "a", "x > 7/5", False),
        (["a^2 - 2", "1", "2"], "a", "x^4 = 4", False),
        (["a^2 - 2", "1", "2"], "a + 1", "x^2 = 2*x + 1", False),
        (["a^2 - 2", "-2", "-1"], "-a", "x > 3/2", True),
        (["a^2 - 2", "2", "3"], "a", "x > 3", True),  # no root there: no point, whatever is asked
    ],
)
def test_an_algebraic_point_is_evaluated_exactly(root, x, then, violated):
    question = {"variables": {"x": "positive"}, "given": [], "then": then}
    there = root[1:] != ["2", "3"]
    assert possible(question, True, {"a": root, "at": {"x": x}}) == (violated and there)
    assert possible(question, False, {"a": root, "at": {"x": x}}) == there


def test_a_quotient_says_that_its_denominator_is_not_zero():
    question = {"variables": {"x": "real"}, "given": [], "then": "x/x = 1"}
    assert len(system(question, True, variables(["x"]))) == 3
    assert possible(question, True, {"at": {"x": "0"}})


def test_a_claim_whose_premise_or_answer_changes_is_reported():
    name, entry = next((n, e) for n, e in STORED.items() if any(f in PROVED for f in e["facts"]))
    number = next(i for i, fact in enumerate(entry["facts"]) if fact in PROVED)
    today = {name: copy.deepcopy(entry)}
    assert list(differences(today, STORED)) == []
    today[name]["facts"][number]["given"] = ["1 = 1"]
    (line,) = differences(today, STORED)
    assert name in line
    assert "1 = 1" in line
    today = {name: copy.deepcopy(entry)}
    today[name]["facts"][number]["holds"] = False
    lines = list(differences(today, STORED))
    assert f"{name}: z3 answers False and the stored certificate shows True" in lines[0]


def test_a_stored_certificate_that_fails_is_an_error_and_no_lesser_word():
    claims = {"made-up": {"facts": [copy.deepcopy(PROVED[0])]}}
    claims["made-up"]["facts"][0]["proofs"][0] = {"sum": []}
    counts, wrong = counted(claims)
    assert sum(counts.values()) == 0
    assert len(wrong) == 1
    assert "made-up" in wrong[0]


def test_verify_reads_one_file_and_refuses_another(tmp_path, capsys):
    from theory.__main__ import main

    path = tmp_path / "made.json"
    path.write_text(json.dumps({"made-up": {"facts": [PROVED[0]]}}), encoding="utf-8")
    assert main(["verify", str(path)]) == 0
    assert "1 claims verified" in capsys.readouterr().out
    broken = copy.deepcopy(PROVED[0])
    broken["point"]["at"] = dict.fromkeys(broken["point"]["at"], "-1")
    path.write_text(json.dumps({"made-up": {"facts": [broken]}}), encoding="utf-8")
    assert main(["verify", str(path)]) == 1
    path.write_text("[]", encoding="utf-8")
    assert main(["verify", str(path)]) == 2
    assert read_claims.__doc__


def test_the_question_of_a_fact_has_no_certificate():
    assert {"proofs", "point"}.isdisjoint(question_of(PROVED[0]))


def test_the_search_finds_nothing_where_there_is_a_point():
    search = pytest.importorskip("numerics.certificates.linear")
    names = list(SATISFIED_EXAMPLE["variables"])
    for case in system(SATISFIED_EXAMPLE, False, variables(names)):
        assert search.certificate(case, names, 500) is None
