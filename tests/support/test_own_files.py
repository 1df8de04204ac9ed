"""The one reader of our own JSON (support/own_files.py): what lies there instead is refused in a line that says where.

Second sources: `json` for what a file holds, and lines counted by hand.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.json_places import line_of, written
from support.own_files import DEEPEST, parsed, read_bytes, read_json
from support.shapes import COUNT, POSITIVE, SHARE, Misfit, fit

TEXT = """[
 {"id": "a", "value": 1.5, "of": {"n": 3}},
 {"id": "b", "value": null,
  "of": {"n": 4,
   "list": [1, {"k": "x\\"]"}, [2,
   3]]}}
]
"""
ROW = {"id": str, "value": (float, None), "of": {"n": int}}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


def refused(path: Path, content: str | bytes, shape: object = object) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=re.escape(str(path))) as raised:
        read_json(path, shape, remedy="write it again")
    assert str(raised.value).endswith(": write it again")
    return str(raised.value).removeprefix(str(path)).removesuffix(": write it again")


def test_a_file_of_the_shape_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(TEXT, encoding="utf-8")
    assert read_json(path, [ROW]) == json.loads(TEXT)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json")


@given(VALUES)
def test_what_json_writes_is_read_as_json_reads_it(value: object) -> None:
    for indent in (None, 1):
        text = json.dumps(value, indent=indent)
        assert parsed(text) == json.loads(text)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 1),
        ((0,), 2),
        ((0, "of", "n"), 2),
        ((1,), 3),
        ((1, "value"), 3),
        ((1, "of"), 4),
        ((1, "of", "list", 1, "k"), 5),
        ((1, "of", "list", 2, 1), 6),
        ((1, "missing"), 3),
        ((1, "of", "list", 9), 5),
        ((7,), 1),
    ],
)
def test_the_line_of_a_value_is_where_a_reader_counts_it(place, line: int) -> None:
    assert line_of(TEXT, place) == line


@given(VALUES, st.data())
def test_the_line_of_a_value_is_where_its_text_is_in_an_indented_file(value: object, data) -> None:
    place: list[str | int] = []
    inner = value
    while isinstance(inner, list | dict) and inner and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(range(len(inner)) if isinstance(inner, list) else sorted(inner)))
        place.append(step)
        inner = inner[step]
    lines = json.dumps(value, indent=1).splitlines()
    found = lines[line_of(json.dumps(value, indent=1), tuple(place)) - 1]
    begin = json.dumps(inner)[0] if isinstance(inner, list | dict) else json.dumps(inner)
    assert begin in found
    if place and isinstance(place[-1], str):
        assert json.dumps(place[-1]) in found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.replace('"n": 4', '"m": 4'), ", line 4: [1].of.n is missing, need an integer"),
        (TEXT.replace('"n": 4', '"n": "4"'), ', line 4: [1].of.n = "4", need an integer'),
        (TEXT.replace('"n": 4', '"n": true'), ", line 4: [1].of.n = true, need an integer"),
        (TEXT.replace('"n": 4', '"n": 4.5'), ", line 4: [1].of.n = 4.5, need an integer"),
        (TEXT.replace("1.5", '"1.5"'), ', line 2: [0].value = "1.5", need a number or null'),
        (TEXT.replace("1.5", "NaN"), ", line 2: [0].value = nan, need a finite number"),
        (TEXT.replace("1.5", "-1e999"), ", line 2: [0].value = -inf, need a finite number"),
        (TEXT.replace("1.5", "1" + "0" * 5000), ", line 2: [0].value = inf, need a finite number"),
        (TEXT.replace('{"n": 3}', "[3]"), ", line 2: [0].of is a list, need an object"),
        (TEXT.replace('"a"', '"\\ud800"'), ", line 2: [0].id holds half a character (a lone surrogate)"),
        (TEXT.replace('"id": "a"', '"id": "a", "id": "a"'), " holds the field 'id' twice in one object"),
        ("{}", " is an empty object, need a list"),
        ("[1]", ", line 1: [0] = 1, need an object"),
        ("", " is no JSON (Expecting value at line 1, column 1)"),
        (TEXT[:-20], " is no JSON (Unterminated string starting at line 5, column 22)"),
        (b'["\xff"]', " is no text in UTF-8 (invalid start byte at byte 2)"),
        (TEXT.encode("utf-16"), " is written in UTF-16, need UTF-8"),
        ("[" * 100_000, f" is nested more than {DEEPEST} deep"),
        ('{"a":' * 100_000, f" is nested more than {DEEPEST} deep"),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), f"is nested more than {DEEPEST} deep"),
    ],
)
def test_another_content_is_refused_with_line_field_and_need(content, message: str, tmp_path: Path) -> None:
    assert message in refused(tmp_path / "a.json", content, [ROW])


@pytest.mark.parametrize(
    "stumbled",
    [
        KeyError("x"),
        TypeError("x"),
        AttributeError("x"),
        ZeroDivisionError("x"),
        IndexError("x"),
        OverflowError("x"),
        RecursionError("x"),
    ],
)
def test_a_check_that_stumbles_over_a_content_refuses_it(stumbled: Exception, tmp_path: Path) -> None:
    def check(content: object) -> None:
        raise stumbled

    path = tmp_path / "a.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"a\.json is of another shape \({type(stumbled).__name__}"):
        read_json(path, check=check)


def test_a_check_says_where(tmp_path: Path) -> None:
    def check(content: list) -> None:
        raise Misfit("= b, need another", (1, "id"))

    path = tmp_path / "a.json"
    path.write_text(TEXT, encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.json, line 3: \[1\]\.id = b, need another$"):
        read_json(path, [ROW], check=check)


def test_what_never_ends_or_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), Path("/dev/null")):
        answers: list[str] = []

        def read(path: Path = path, answers: list[str] = answers) -> None:
            try:
                read_json(path)
            except ValueError as error:
                answers.append(str(error))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(20)
        assert answers == [f"{path} is no regular file"]
    with pytest.raises(ValueError, match=f"^{tmp_path} is a folder$"):
        read_json(tmp_path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match=r"has 1,099,511,627,776 bytes, at most 1,000 are read"):
        read_bytes(path, 1000)


def test_a_shape_tells_numbers_flags_and_null_apart() -> None:
    fit({"a": 1, "more": 2}, {"a": float})
    fit([1, None, "x"], [(int, None, str)])
    fit([{"a": 1}, [2]], [({"a": int}, [int])])
    fit({"any": 1, "name": 2}, {str: COUNT})
    fit([], [int])
    fit("at", frozenset({"at", "awp"}))
    fit(True, bool)
    fit(True, object)
    for value, shape in (
        (True, int),
        (True, float),
        (1, bool),
        (0, None),
        (None, (int, str)),
        (1.0, int),
        ("1", float),
    ):
        with pytest.raises(Misfit, match="need"):
            fit(value, shape)
    with pytest.raises(Misfit, match=r"\[0\]\.a = null, need an integer"):
        fit([{"a": None}], [({"a": int}, [int])])


@pytest.mark.parametrize(
    ("value", "shape", "said"),
    [
        ({"any": 1, "name": 0}, {str: COUNT}, "name = 0, need an integer of at least 1"),
        ([], [int, ...], "is an empty list, need a list that is not empty"),
        ({"a": []}, {"a": [int, ...]}, "a is an empty list, need a list that is not empty"),
        ({"a": "sgd"}, {"a": frozenset({"at", "awp"})}, 'a = "sgd", need one of at, awp'),
        ({"a": ["at"]}, {"a": frozenset({"at", "awp"})}, "a is a list, need one of at, awp"),
        ({"a": 0}, {"a": POSITIVE}, "a = 0, need a number above 0"),
        ({"a": True}, {"a": POSITIVE}, "a = true, need a number above 0"),
        ({"a": 1.01}, {"a": (SHARE, None)}, "a = 1.01, need a number from 0 to 1 or null"),
    ],
)
def test_a_rule_says_what_it_needs(value: object, shape: object, said: str) -> None:
    with pytest.raises(Misfit) as raised:
        fit(value, shape)
    assert str(raised.value) == said


def test_a_place_is_written_as_in_a_program() -> None:
    assert written(("rows", 3, "id")) == "rows[3].id"
    assert written((0, "a")) == "[0].a"
    assert len(written(("x" * 1000,))) < 50


def test_reading_needs_no_deeper_stack_than_there_is() -> None:
    text = "[" * DEEPEST + "]" * DEEPEST
    before = sys.getrecursionlimit()
    assert parsed(text) is not None
    assert sys.getrecursionlimit() == before
