"""The ledger as a whole: coverage of the paper, the documented JSON keys, the report's files, and the command
line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from theory import ledger, report
from theory.__main__ import main
from theory.claim import KINDS
from theory.statements import ORDER, load

DOCUMENTED_KEYS = [
    *("id", "location", "equations", "kind", "statement", "assumptions", "verdict", "grade", "method"),
    *("dimension", "evidence", "witness", "corrected", "sharpest", "tightness"),
]
VERDICTS = {"true", "false", "typo", "definition", "empirical", "undecided"}
GRADES = {"proved", "certified", "sampled", "none"}
SOME_FILES = ("lemma2",)  # enough for the tests of form; the verdicts themselves are tested one by one


@pytest.fixture(scope="module")
def rows() -> list[ledger.Row]:
    return [row for name in SOME_FILES for row in ledger.rows_of(name)]


def test_every_equation_from_1_to_77_is_decided_by_a_claim() -> None:
    covered = ledger.coverage(load())
    assert sorted(covered) == list(range(1, 78))
    assert [number for number, ids in covered.items() if not ids] == []


def test_every_statement_file_is_in_the_order_exactly_once() -> None:
    files = {path.stem for path in Path(ledger.__file__).parent.joinpath("statements").glob("*.py")} - {
        "__init__"
    }
    with_claims = {
        name
        for name in files
        if "CLAIMS" in (Path(ledger.__file__).parent / "statements" / f"{name}.py").read_text()
    }
    assert sorted(ORDER) == sorted(with_claims)


def test_ids_are_unique_and_kinds_are_known() -> None:
    claims = load()
    assert len({claim.id for claim in claims}) == len(claims)
    assert {claim.kind for claim in claims} <= set(KINDS)


def test_the_two_ways_of_citing_agree(rows: list[ledger.Row]) -> None:
    covered = ledger.coverage(load())
    for claim in load():
        assert all(claim.id in covered[number] for number in claim.equations)
    index = report.markdown(rows)
    for row in rows:
        assert all(f"| ({number}) | " in index and f"`{row.id}`" in index for number in row.equations)


def test_the_json_objects_have_the_documented_keys_and_types(rows: list[ledger.Row]) -> None:
    for entry in json.loads(report.as_json(rows)):
        assert list(entry) == DOCUMENTED_KEYS
        assert entry["verdict"] in VERDICTS
        assert entry["grade"] in GRADES
        assert entry["dimension"] == "all" or all(isinstance(d, int) for d in entry["dimension"])
        assert all(isinstance(number, int) for number in entry["equations"])
        assert (entry["witness"] is not None) == (entry["verdict"] in ("false", "typo"))


def test_the_report_names_every_claim_and_replaces_its_files_whole(
    rows: list[ledger.Row], tmp_path: Path
) -> None:
    (tmp_path / "theory.md").write_text("an older report")
    paths = report.write(rows, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    for path in paths:
        text = path.read_text(encoding="utf-8").replace("\\_", "_")
        assert all(row.id in text for row in rows), path.name


def test_a_verdict_other_than_the_pinned_one_makes_the_command_fail(
    rows: list[ledger.Row], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ledger, "rows", lambda *_: [replace(rows[0], verdict="false")])
    assert main(["--json"]) == 1
    assert f"{rows[0].id} came out false, the ledger expects true" in capsys.readouterr().err


def test_show_prints_the_derivation_the_verdict_and_the_refuted_twins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show", "lemma2"]) == 0
    shown = capsys.readouterr().out
    assert "Verdict  true, proved, all d" in shown
    assert "NOT REFUTED" not in shown
    assert main(["show", "Eq. (32)"]) == 0
    assert "lemma2.eq32" in capsys.readouterr().out
    assert main(["show", "eq22"]) == 0
    assert "Verdict  typo" in capsys.readouterr().out
    assert main(["show", "prop1"]) == 0
    assert "prop1.eq9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "lemma99"], "claim 'lemma99' is unknown; did you mean"),
        (["show", "eq78"], "equation 78 is not in the paper, whose equations are numbered 1 to 77"),
        (["show", "lemma2.eq32", "--dim", "3"], "is decided without coordinates; leave --dim out"),
        (["show", "lemma2", "--dim", "0"], "must be a whole number of coordinates, at least 1"),
        (["show", "lemma2", "--dim", "-2"], "must be a whole number of coordinates, at least 1"),
        (["show", "eq32", "--dim", "3"], "eq32 stands for several claims; show one of them instead"),
        (["report", "--out", __file__], "must be a folder or creatable as one"),
        (["shout"], "invalid choice: 'shout'"),
    ],
)
def test_bad_input_gives_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    captured = capsys.readouterr()
    assert status == 2
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
