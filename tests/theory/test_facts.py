"""How facts and their witnesses read: dimensions, places, and what becomes of facts about the text alone."""

from __future__ import annotations

import pytest
import sympy as sp

from theory.deciders.exact import compare, limit
from theory.deciders.facts import ALL, Dimension, Fact, Finding, Grade, Witness, at_place, known
from theory.deciders.reals import implies
from theory.ledger.quoted import about_the_text, agrees


@pytest.mark.parametrize(
    ("point", "spoken"),
    [
        ({}, ""),
        ({"x": "1", "epsilon": "any"}, "at x = 1, any epsilon"),
        ({"|theta|": ">= 1", "c": "< 2"}, "at |theta| >= 1, c < 2"),
        ({"t": "-> oo"}, "as t -> oo"),
        ({"alpha": "3/4", "L": "-> oo"}, "at alpha = 3/4, L -> oo"),
        ({"where": "Sec. 5.2; E.1", "grid": "{1, 2}"}, "in Sec. 5.2; E.1, grid = {1, 2}"),
    ],
)
def test_a_point_reads_as_a_sentence(point: dict[str, str], spoken: str) -> None:
    assert at_place(point) == spoken


def test_a_witness_says_where_which_relation_fails() -> None:
    assert Witness({"x": 2}, sp.Integer(3), "<=", sp.Integer(1)).line() == "at x = 2: 3 <= 1 fails"
    assert Witness({}, sp.Integer(3), "<=", sp.Integer(1)).line() == "3 <= 1 fails"


def test_a_refuted_limit_names_the_limit_it_takes() -> None:
    t = sp.Symbol("t", positive=True)
    refuted = limit("t grows to 1", t, t, sp.oo, 1)
    assert refuted.witness is not None
    assert refuted.witness.line() == "as t -> oo: oo == 1 fails"


def test_a_refuted_conjunction_is_said_in_words() -> None:
    t = sp.Symbol("t", real=True)
    refuted = implies("", [sp.Eq(t, 3)], sp.And(sp.Le(t, 1), sp.Ge(t, -1)))
    assert refuted.witness is not None
    assert refuted.witness.line() in (
        "at t = 3: (t <= 1) and (t >= -1) is true fails",
        "at t = 3: (t >= -1) and (t <= 1) is true fails",
    )


@pytest.mark.parametrize(
    ("grade", "dimension", "said"),
    [
        (Grade.PROVED, ALL, "proved, all d"),
        (Grade.CERTIFIED, (2, 3), "certified, d = 2, 3"),
        ("proved", [1], "proved, d = 1"),
        (Grade.PROVED, None, "proved from the text"),
        (Grade.NONE, ALL, "none"),
        (Grade.NONE, None, "none"),
    ],
)
def test_how_something_is_known_reads_as_words(grade: str, dimension: Dimension, said: str) -> None:
    assert known(grade, dimension) == said


def test_a_finding_has_the_dimensions_of_those_facts_that_have_one() -> None:
    general = compare("", sp.Integer(1), "==", sp.Integer(1))
    plane = compare("", sp.Integer(1), "==", sp.Integer(1), dimension=(2,))
    text = agrees("", "a", "a", where="Sec. 1")
    assert Finding.of([text]).dimension is None
    assert Finding.of([text, general]).dimension == ALL
    assert Finding.of([text, general, plane]).dimension == (2,)
    assert Finding.of([]).dimension is None


def test_a_check_about_the_text_keeps_its_outcome_and_loses_its_dimension() -> None:
    @about_the_text
    def check(stated: object) -> list[Fact]:
        return [
            compare("", sp.Integer(30), "==", sp.Integer(20), point={"where": "Sec. 5.2; E.1"}),
            agrees("", "d", "m", where="Algorithm 1"),
        ]

    numbers, words = check(None)  # type: ignore[arg-type]
    for fact in (numbers, words):
        assert (fact.holds, fact.grade, fact.dimension) == (False, Grade.PROVED, None)
        assert fact.witness is not None
    assert numbers.method == "text, exact arithmetic"
    assert words.method == "text, two places side by side"
    assert numbers.witness is not None
    assert numbers.witness.line() == "in Sec. 5.2; E.1: 30 agrees with 20 fails"
