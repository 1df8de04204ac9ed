"""The errata PDF: every defect with its counterexample and correction, hostile text as text, a paper of one's own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import typst

from figures.errata.__main__ import main
from figures.errata.document import document
from figures.errata.typst_source import quoted
from figures.page.errata import slips, wrong
from theory.ledger.new import TEMPLATE
from theory.ledger.paper import open_paper

ROOT = Path(__file__).resolve().parents[2]
PAPER = open_paper()
MOST_PAGES = 25
HOSTILE = '#panic("x") \\ " $ [ ] * _ @ <a> ~ // /* = - + `'


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return json.loads((ROOT / "results" / "theory.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def source(rows) -> str:
    return document(rows, PAPER)


def test_every_false_statement_has_its_place_witness_and_correction(rows, source):
    assert len(wrong(rows)) > 20
    for row in [*wrong(rows), *slips(rows)]:
        assert row["id"] in source
    first, rest = source.split('#"Statements that are false as printed"', 1)
    part = rest.split('#"Slips of the pen"', 1)[0]
    assert part.count('#entry[#"Refuted";]') == len(wrong(rows))
    assert part.count('#entry[#"What holds";]') == sum(row["corrected"] is not None for row in wrong(rows))
    assert "python -m theory show ID" in first


def test_the_document_is_a_pdf_of_ten_to_twenty_five_pages(source):
    made = typst.compile(source.encode())
    assert made[:5] == b"%PDF-"
    pages = len(typst.compile(source.encode(), format="svg"))
    assert 10 <= pages <= MOST_PAGES


def test_the_command_writes_it_and_a_paper_of_ones_own_too(tmp_path, capsys):
    shutil.copy(ROOT / "results" / "theory.json", tmp_path)
    assert main(["--results", str(tmp_path)]) == 0
    assert (tmp_path / "errata.pdf").read_bytes()[:5] == b"%PDF-"
    from theory.__main__ import main as theory

    own = tmp_path / "own"
    assert theory(["--paper", str(TEMPLATE), "report", "--out", str(own)]) == 0
    assert main(["--results", str(own), "--paper", str(TEMPLATE), "--out", str(own / "a.pdf")]) == 0
    assert (own / "a.pdf").is_file()


def test_without_a_ledger_it_says_what_writes_one(tmp_path, capsys):
    assert main(["--results", str(tmp_path)]) == 2
    assert re.search(r"has no theory.json: `python -m theory report --out", capsys.readouterr().err)


def test_hostile_text_stays_text(rows):
    hostile = {**wrong(rows)[0], "statement": HOSTILE, "id": "x.y", "location": HOSTILE}
    typst.compile(document([hostile], PAPER).encode())
    typst.compile(quoted(HOSTILE).encode())
