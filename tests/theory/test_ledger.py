"""The ledger as a whole: coverage of the paper, the documented JSON keys, what counts as wrong, and the
report's files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from theory.__main__ import main
from theory.ledger import report
from theory.ledger import rows as ledger
from theory.ledger.claim import KINDS, decide
from theory.ledger.paper import open_paper

DOCUMENTED_KEYS = [
    *("id", "location", "equations", "kind", "statement", "assumptions", "verdict", "grade", "method"),
    *("dimension", "evidence", "witness", "corrected", "sharpest", "tightness", "group"),
    *("quote", "reading", "remark", "adversary"),
]
VERDICTS = {"true", "false", "typo", "definition", "empirical", "undecided"}
GRADES = {"proved", "certified", "sampled", "none"}
# Enough for the tests of form, with a claim about the text; the verdicts themselves are tested one by one.
PAPER = open_paper()
SOME_FILES = ("sec31.lemma2", "sec31.lemma2_proof", "sec2.eq13_flatness")


@pytest.fixture(scope="module")
def rows() -> list[ledger.Row]:
    return [row for name in SOME_FILES for row in ledger.rows_of(name)]


def test_every_equation_from_1_to_77_is_decided_by_a_claim() -> None:
    covered = ledger.coverage(PAPER.claims, PAPER)
    assert sorted(covered) == list(range(1, 78))
    assert [number for number, ids in covered.items() if not ids] == []


def test_ids_are_unique_and_kinds_are_known() -> None:
    claims = PAPER.claims
    assert len({claim.id for claim in claims}) == len(claims)
    assert {claim.kind for claim in claims} <= set(KINDS)


def test_the_two_ways_of_citing_agree(rows: list[ledger.Row]) -> None:
    covered = ledger.coverage(PAPER.claims, PAPER)
    for claim in PAPER.claims:
        assert all(claim.id in covered[number] for number in claim.equations)
    index = report.markdown(rows, PAPER)
    for row in rows:
        assert all(f"| ({number}) | " in index and f"`{row.id}`" in index for number in row.equations)


def test_the_json_objects_have_the_documented_keys_and_types(rows: list[ledger.Row]) -> None:
    for entry in json.loads(report.as_json(rows)):
        assert list(entry) == DOCUMENTED_KEYS
        assert entry["verdict"] in VERDICTS
        assert entry["grade"] in GRADES
        dimension = entry["dimension"]
        assert dimension in (None, "all") or all(isinstance(d, int) for d in dimension)
        assert all(isinstance(number, int) for number in entry["equations"])
        assert (entry["witness"] is not None) == (entry["verdict"] in ("false", "typo"))


def test_the_report_names_every_claim_and_replaces_its_files_whole(
    rows: list[ledger.Row], tmp_path: Path
) -> None:
    (tmp_path / "theory.md").write_text("an older report")
    paths = report.write(rows, PAPER, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    for path in paths:
        text = path.read_text(encoding="utf-8").replace("\\_", "_").replace("\\allowbreak{}", "")
        assert all(row.id in text for row in rows), path.name


def test_a_claim_about_the_text_alone_has_no_dimension(rows: list[ledger.Row]) -> None:
    for name in ("sec5.sec52_setup", "sec5.sec53_results"):
        assert [decide(claim).dimension for claim in PAPER.claims_of(name)] == [None] * len(
            PAPER.claims_of(name)
        )
    (reference,) = (row for row in rows if row.id == "eq13.reference")
    assert json.loads(report.as_json([reference]))[0]["dimension"] is None
    shown = report.markdown([reference], PAPER)
    assert "proved from the text" in shown
    assert "75 agrees with 13` fails" in shown
    assert "all d" not in shown


def test_a_reading_that_fails_is_no_error_of_the_paper(rows: list[ledger.Row]) -> None:
    printed, read = (
        next(row for row in rows if row.id == f"lemma2.{name}") for name in ("scalar", "slackness")
    )
    assert printed.erratum
    assert not read.erratum
    # Lemma 5 assumes the sign of the determinant, Sec. 3.2.2 asserts what follows from it.
    assert ledger.find("lemma5.odd-dimension").kind == "reading"
    assert ledger.find("sec322.determinant-sufficient").kind == "prose"
    text = report.markdown([printed, read], PAPER)
    assert (
        text.index("## Errata")
        < text.index(printed.title.replace("_", "\\_"))
        < text.index("## Readings that fail")
    )
    assert "- Read as: " in text[text.index("## Readings that fail") :]


def test_the_latex_table_names_its_packages_and_lets_long_ids_break(rows: list[ledger.Row]) -> None:
    table = report.latex(rows)
    opening = table[: table.index(r"\begin{longtable}")]
    assert r"\usepackage{longtable}" in opening
    assert r"\usepackage{array}" in opening
    assert r"lemma2.\allowbreak{}off-\allowbreak{}the-\allowbreak{}origin & " in table
    entries = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert [line.count(" & ") for line in entries] == [4] * len(rows)
    assert table.count("{") == table.count("}")


def test_a_report_that_cannot_be_written_leaves_nothing_half_done(
    rows: list[ledger.Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "theory.md").write_text("an older report")
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*theory.md'"):
        report.write(rows, PAPER, tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["an older report"]


def test_a_verdict_other_than_the_pinned_one_makes_the_command_fail(
    rows: list[ledger.Row], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ledger, "rows", lambda *_: [replace(rows[0], verdict="false")])
    assert main(["--json"]) == 1
    assert f"{rows[0].id} came out false, the ledger expects true" in capsys.readouterr().err
