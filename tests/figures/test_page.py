"""The report page: whole, self-contained, escaped, legible and deterministic, with counts that the files confirm."""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from run_records import run_record

from figures.page import look
from figures.page.__main__ import main
from figures.page.build import page
from figures.page.errata import FURTHEST, WEIGHTIEST
from figures.page.grids import grids
from figures.page.markup import VOID, Html, inline, join, tag
from theory.ledger.paper import open_paper
from training.results.records import append
from training.results.tables import TABLES, render
from training.results.typesetting import Grid, typeset

ROOT = Path(__file__).resolve().parents[2]
PAPER = open_paper()
RESULTS = ROOT / "results"
SECTIONS = (
    "checked",
    "errata",
    "beyond",
    "bounds",
    "figures",
    "laptop",
    "compact",
    "tables",
    "ledger",
    "origin",
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
LEAST_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3, text of ordinary size
HOSTILE = "<script>alert(1)</script> & \"x\" 'y' </dd></style> |a| < 1 `<b>`"
# A PNG of one grey pixel.
PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
CLAIM: dict[str, Any] = {
    "id": "made.up",
    "location": "Sec. 9",
    "equations": [3],
    "kind": "lemma",
    "statement": "x < 1",
    "assumptions": [],
    "verdict": "false",
    "grade": "proved",
    "method": "by hand",
    "dimension": "all",
    "evidence": ["[refuted] x < 1 (proved, all d; by hand)"],
    "witness": {"point": {"x": "1"}, "left": "1", "relation": "<", "right": "1", "replay": None},
    "corrected": None,
    "sharpest": None,
    "tightness": None,
    "quote": "the words of the paper",
}
CAPTION = {"title": "Fig. 9", "seen": "a dot", "measure": "1", "differs": "nothing"}


class Outline(HTMLParser):
    """The parts of a page: whether its tags are balanced, ids, links, what it loads, headings, text by section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.section = ""
        self.text: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self.section = dict(attrs)["id"] or ""
        if tag == "math":  # read as it was written
            self.text[self.section] = self.text.get(self.section, "") + (dict(attrs)["alttext"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)
        if tag == "section":
            self.section = ""

    def handle_data(self, data: str) -> None:
        if "math" not in self.open:
            self.text[self.section] = self.text.get(self.section, "") + data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def ids(self) -> list[str]:
        return [one["id"] or "" for _, one in self.elements if "id" in one]

    @property
    def local(self) -> list[str]:
        """Where the links within the page lead."""
        links = [one["href"] or "" for one in self.all("a")]
        return [link[1:] for link in links if link.startswith("#")]

    def words(self, section: str) -> str:
        return " ".join(self.text.get(section, "").split())


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed results, with tables of two made-up runs."""
    folder = tmp_path_factory.mktemp("results")
    for name in ("theory.json", "bounds.json", "bench.json"):
        shutil.copy(RESULTS / name, folder)
    (folder / "figures").mkdir()
    for path in [*(RESULTS / "figures").glob("*.json"), *(RESULTS / "figures").glob("*.png")]:
        shutil.copy(path, folder / "figures")
    records = [
        run_record("cifar10-rn18-at", 0, 5100, auto=4800),
        run_record("compact-awp", 0, 100, n=200, data="digits", device="cpu"),
    ]
    for record in records:
        append(folder / "records.jsonl", record)
    text = "\n\n".join(render(table, records) for table in TABLES) + "\n"
    (folder / "tables.md").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def text(results: Path) -> str:
    return page(results, PAPER)


@pytest.fixture(scope="module")
def outline(text: str) -> Outline:
    return Outline(text)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return json.loads((RESULTS / "theory.json").read_text(encoding="utf-8"))


def made_up(
    folder: Path, claims: list[dict[str, Any]], captions: dict[str, dict[str, Any]] | None = None
) -> Path:
    """A folder of results with these claims and figures alone."""
    (folder / "figures").mkdir(parents=True)
    (folder / "theory.json").write_text(json.dumps(claims), encoding="utf-8")
    for name, caption in (captions or {}).items():
        (folder / "figures" / f"{name}.json").write_text(json.dumps(caption), encoding="utf-8")
        (folder / "figures" / f"{name}.png").write_bytes(PIXEL)
    return folder


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a refused command prints; its exit status is 2 and it prints nothing else."""
    status: Any
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    printed = capsys.readouterr()
    assert (status, printed.out, printed.err.count("\n")) == (2, "", 1)
    return printed.err


def test_every_section_is_there_once_with_a_heading_and_in_the_contents(outline):
    assert [one["id"] for one in outline.all("section")] == list(SECTIONS)
    assert len(outline.all("h1")) == 1
    assert len(outline.all("h2")) == len(SECTIONS)
    contents = [name for name in outline.local if name in SECTIONS]
    assert contents[-len(SECTIONS) :] == list(SECTIONS)


def test_tags_are_balanced_ids_unique_and_local_links_lead_somewhere(outline):
    assert (outline.open, outline.unbalanced) == ([], [])
    assert [name for name, number in Counter(outline.ids).items() if number > 1] == []
    assert len(outline.local) > 300
    assert [link for link in outline.local if link not in outline.ids] == []


@pytest.mark.parametrize("broken", ["<p><b>x</p></b>", "<p>", "</p>", "<div><p></div>"])
def test_tags_that_are_not_balanced_are_seen(broken):
    found = Outline(broken)
    assert found.open or found.unbalanced


def test_nothing_is_loaded_from_anywhere_and_the_only_address_is_the_papers(outline, text):
    for name, attributes in outline.elements:
        for key in ("src", "href", "action", "data", "poster", "srcset"):
            value = attributes.get(key) or "#"
            assert value.startswith(("#", "data:")) or (name, value) == ("a", PAPER.url)
    assert set(re.findall(r"https?://[^\s\"<]+", text)) == {PAPER.url}
    assert not re.search(r"@import|url\(|@font-face", text)
    policy = next(one["content"] for one in outline.all("meta") if "http-equiv" in one)
    assert "default-src 'none'" in policy


def test_headings_go_down_one_level_at_a_time_and_the_page_names_its_language(outline):
    levels = [int(name[1]) for name, _ in outline.elements if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert outline.all("html") == [{"lang": "en"}]


def test_tables_scroll_in_their_own_box_their_headings_have_a_scope_and_pictures_a_text(outline):
    assert {one.get("scope") for one in outline.all("th")} == {"col", "row"}
    boxes = [one for one in outline.all("div") if one.get("class") == "scroll"]
    assert len(boxes) == len(outline.all("table"))
    assert all(one["tabindex"] == "0" and one["aria-label"] for one in boxes)
    assert all(len(one["alt"] or "") > 10 and one["width"] and one["height"] for one in outline.all("img"))
    first = next(one for name, one in outline.elements if name == "a")
    assert first["href"] == "#main"


def test_the_counts_at_the_top_are_those_of_the_files(outline, rows):
    bounds = json.loads((RESULTS / "bounds.json").read_text(encoding="utf-8"))
    printed = sum(row["paper_says"] != "nothing" for row in bounds)
    failing = sum(row["paper_verdict"] not in (None, "holds") for row in bounds)
    verdicts: Counter[str] = Counter()
    readings = 0
    for row in rows:
        verdicts[row["verdict"]] += row["kind"] != "reading"
        readings += row["kind"] == "reading" and row["verdict"] == "false"
    distinct = {
        row["group"] or row["id"] for row in rows if row["verdict"] == "false" and row["kind"] != "reading"
    }
    top = outline.words("")
    for number, said in (
        (str(len(rows)), "statements decided"),
        (str(verdicts["false"]), f"false as printed, {len(distinct)} distinct defects"),
        (str(verdicts["typo"]), "slips of the pen"),
        (f"{len({n for row in rows for n in row['equations']})} / 77", "numbered equations"),
        (f"{failing} / {printed}", "of the paper's bounds fail"),
        (str(len(list((RESULTS / "figures").glob("*.png")))), "figures"),
        ("2 / 45", "cells of Tables 1-3 trained in full"),
    ):
        assert f"{number}{said}" in top
    assert f"{readings} readings more fail" in outline.words("checked")
    grades = Counter((row["verdict"], row["grade"]) for row in rows)
    assert f"true{grades['true', 'proved']}{grades['true', 'certified']}-" in outline.words("checked")


def test_every_claim_stands_in_the_ledger_and_every_erratum_and_new_result_in_its_section(outline, rows):
    ids = set(outline.ids)
    assert {f"claim-{row['id']}" for row in rows} <= ids
    wrong = {row["id"] for row in rows if row["verdict"] in ("false", "typo")}
    assert {name.removeprefix("erratum-") for name in ids if name.startswith("erratum-")} == wrong
    new = {row["id"] for row in rows if row["sharpest"] or row["kind"] == "beyond"}
    assert {name.removeprefix("result-") for name in ids if name.startswith("result-")} == new
    shown = outline.words("errata")
    for row in rows:
        if row["id"] in wrong:
            assert " ".join(row["statement"].split()) in shown
            assert not row["quote"] or " ".join(row["quote"].split()) in shown
            assert f"python -m theory show {row['id']}" in shown
            assert not row["corrected"] or " ".join(row["corrected"]["statement"].split()) in shown


def test_the_statements_shown_first_are_those_of_the_readme():
    errata, furthest = README.split("Results that go beyond the paper")
    assert set(WEIGHTIEST) == set(re.findall(r"theory show ([\w.-]+)` \|", errata))
    assert set(FURTHEST) == set(re.findall(r"theory show ([\w.-]+)` \|", furthest))


def test_every_equation_leads_to_the_claims_that_decide_it(text, rows):
    for number in (1, 23, 77):
        names = [row["id"] for row in rows if number in row["equations"]]
        links = ", ".join(f'<a href="#claim-{name}"><code>{name}</code></a>' for name in names)
        assert f"<li>({number}) {links}</li>" in text


def test_every_bound_that_fails_stands_with_the_pair_that_breaks_it(outline):
    shown = outline.words("bounds")
    report = (RESULTS / "bounds.md").read_text(encoding="utf-8").split("## Worst pairs")[1]
    pairs = re.findall(r"- `([\w.-]+)`: (.+)", report)
    assert len(pairs) == 12
    for name, pair in pairs:
        assert name in shown
        assert pair in shown


def test_every_figure_is_in_the_page_as_it_lies_in_its_file(outline):
    pictures = {one["alt"]: one["src"] for one in outline.all("img")}
    files = sorted((RESULTS / "figures").glob("*.png"))
    assert len(pictures) == len(files)
    inside = {b64decode((source or "").partition(",")[2]) for source in pictures.values()}
    assert inside == {path.read_bytes() for path in files}
    for path in files:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert " ".join(facts["seen"].replace("`", "").split()) in outline.words("figures")


def test_a_picture_opens_and_closes_without_a_script(outline, text):
    opened = {one["href"] for one in outline.all("a") if one.get("class") == "open"}
    assert opened == {f"#large-{path.stem}" for path in (RESULTS / "figures").glob("*.png")}
    assert ".picture:target{position:fixed" in text


def test_the_panels_of_a_sheet_follow_it_folded_and_others_stand_in_the_papers_order(outline):
    shown = [name.removeprefix("figure-") for name in outline.ids if name.startswith("figure-")]
    panels = [f"figure2{letter}" for letter in "abcdefgh"]
    assert shown[shown.index("figure2") : shown.index("figure4a")][:9] == ["figure2", *panels]
    assert shown.index("figure1") == 0
    assert shown.index("figure5b") < shown.index("pgd_gap")
    assert "8 panels of figure2" in outline.words("figures")


def test_the_tables_show_what_was_measured_and_what_is_missing(outline, results):
    tables = outline.words("tables")
    # Table 1 and Table 3 share the one cell with a record.
    assert "2 of 45 cells are trained in full here, 43 of 45 lines lack a number of ours." in tables
    assert "15 of 16 lines lack a number." in tables
    assert "23 of 24 lines lack a number." in tables
    assert "48.0±0.2" in tables
    assert "48.00" in tables
    assert "5 of 5 lines lack a number." in tables
    assert "python training/run.py --table 2 --seeds 3 --data-dir DIR" in tables
    assert "50.00" in outline.words("compact")
    compact = (results / "tables.md").read_text(encoding="utf-8").partition("### Compact")[2]
    lines = [line for line in compact.splitlines() if line.startswith("| A")]
    assert len(lines) > 6
    lacking = sum("missing" in line for line in lines)
    assert f"{lacking} of {len(lines)} lines lack a number." in outline.words("compact")


def test_the_origin_names_files_versions_and_machines(outline, results):
    shown = outline.words("origin")
    for name in ("theory.json", "bounds.json", "tables.md", "records.jsonl"):
        assert sha256((results / name).read_bytes()).hexdigest()[:16] in shown
    assert "torch 2.6.0, on Some GPU, commit 0123456789" in shown
    assert "Some CPU, 2 threads" in shown


def test_the_same_files_give_the_same_page(text, results, tmp_path):
    other = tmp_path / "elsewhere"
    shutil.copytree(results, other)
    assert page(other, PAPER) == text


def test_text_that_looks_like_html_is_shown_and_does_nothing(tmp_path):
    hostile = {
        **CLAIM,
        "quote": HOSTILE,
        "statement": HOSTILE,
        "location": HOSTILE,
        "assumptions": [HOSTILE],
        "evidence": [HOSTILE],
        "witness": {**CLAIM["witness"], "point": {HOSTILE: HOSTILE}, "left": HOSTILE, "replay": HOSTILE},
        "corrected": {
            "statement": HOSTILE,
            "grade": "proved",
            "dimension": "all",
            "holds": True,
            "evidence": [f"[holds] {HOSTILE}"],
        },
    }
    captions = {"figure9": dict.fromkeys(CAPTION, HOSTILE)}
    folder = made_up(tmp_path / "made", [hostile], captions)
    plain = made_up(tmp_path / "plain", [CLAIM], {"figure9": CAPTION})
    for made, words in ((folder, HOSTILE), (plain, "plain")):
        grid = Grid(f"Table 1. {words}", ("a", words), ((words, "missing"),), (words,))
        (made / "tables.md").write_text(typeset(grid, "markdown"), encoding="utf-8")
    entitled = replace(PAPER, title=HOSTILE, authors=HOSTILE, source=HOSTILE)
    entitled.__dict__["claims"] = (replace(PAPER.claims[0], id="made.up", title=HOSTILE),)
    text, tame = page(folder, entitled), Outline(page(plain, PAPER))
    found = Outline(text)
    assert (found.open, found.unbalanced) == ([], [])
    assert len(found.all("script")) == len(tame.all("script")) == 1
    assert found.all("b") == tame.all("b")
    assert "<script>alert" not in text
    for section in ("errata", "ledger", "tables", "figures"):
        assert "<script>alert(1)</script> & \"x\" 'y' </dd></style> |a| < 1" in found.words(section)


def test_only_html_is_taken_as_it_is():
    assert tag("p", "a < b & c", title='"<"') == '<p title="&quot;&lt;&quot;">a &lt; b &amp; c</p>'
    assert tag("p", tag("b", "<")) == "<p><b>&lt;</b></p>"
    assert tag("br") == "<br>"
    assert tag("p", None, hidden=True, id=None) == "<p hidden></p>"
    assert join(["<", Html("<br>")], " & ") == "&lt; &amp; <br>"
    assert inline("see `x<y` and `lemma5`", {"lemma5"}) == (
        'see <code>x&lt;y</code> and <a href="#claim-lemma5"><code>lemma5</code></a>'
    )


@pytest.mark.parametrize("palette", [look.LIGHT, look.DARK], ids=["light", "dark"])
def test_every_colour_of_text_reads_on_every_ground(palette):
    for ink in look.INKS:
        for ground in look.GROUNDS:
            assert contrast(palette[ink], palette[ground]) >= LEAST_CONTRAST, (ink, ground)


def test_contrast_is_that_of_wcag():
    # Published examples: black on white 21, #767676 is the lightest grey that passes on white, #777777 fails.
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") >= LEAST_CONTRAST > contrast("#777777", "#ffffff")


def test_colours_stand_in_the_palettes_alone():
    sheet = str(look.style_sheet())
    rules = sheet.partition(look.PAGE.strip()[:20])[2]
    assert not re.search(r"#[0-9a-f]{3,8}\b(?![^{]*\{)", rules)
    used = set(re.findall(r"var\(--([a-z]+)\)", sheet))
    assert used <= set(look.LIGHT)
    assert set(look.LIGHT) == set(look.DARK)
    assert set(re.findall(r"[^-]color:var\(--([a-z]+)\)", sheet)) <= set(look.INKS)


def test_the_style_is_for_dark_screens_phones_and_paper_too():
    sheet = str(look.style_sheet())
    for rule in ("prefers-color-scheme:dark", "max-width:44rem", "@media print", ".scroll{overflow-x:auto"):
        assert rule in sheet
    assert sheet.count("{") == sheet.count("}")


@pytest.mark.parametrize(
    ("absent", "section", "command"),
    [
        ("theory.json", "errata", "python -m theory report"),
        ("theory.json", "checked", "python -m theory report"),
        ("theory.json", "ledger", "python -m theory report"),
        ("bounds.json", "bounds", "python -m numerics bounds"),
        ("figures", "figures", "python -m figures"),
        ("figures/pgd_gap.png", "figures", "python -m figures --only pgd_gap"),
        ("tables.md", "tables", "python training/run.py --render"),
        ("tables.md", "compact", "python training/run.py"),
    ],
)
def test_a_file_that_is_not_there_is_named_with_its_command(absent, section, command, results, tmp_path):
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    path = folder / absent
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    found = Outline(page(folder, PAPER))
    assert f"results/{absent}" in found.words(section)
    assert f"is not there. This makes it:$ {command}" in found.words(section)
    assert (found.open, found.unbalanced) == ([], [])
    assert [link for link in found.local if link not in found.ids] == []


def test_a_page_of_nothing_names_every_command(tmp_path, capsys):
    assert main(["--results", str(tmp_path)]) == 0
    found = Outline((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert [one["id"] for one in found.all("section")] == list(SECTIONS)
    assert sum("is not there" in found.words(section) for section in SECTIONS) == len(SECTIONS) - 1


def corrupt() -> Iterator[tuple[str, bytes, str]]:
    """File, content, and what the one line has to say."""
    yield "theory.json", b"{", "theory.json is no JSON"
    yield "theory.json", b"\xff\xff", "theory.json is no text"
    yield "theory.json", b"[" * 100_000, "theory.json is nested more than 50 deep"
    yield "theory.json", b"[]", "is an empty list, need a list that is not empty"
    yield "theory.json", b"[1]", "line 1: [0] = 1, need an object"
    yield (
        "theory.json",
        json.dumps([{**CLAIM, "statement": 1}]).encode(),
        "line 1: [0].statement = 1, need a text",
    )
    yield "theory.json", json.dumps([CLAIM, CLAIM]).encode(), "[1].id = 'made.up', need each id once"
    yield (
        "theory.json",
        json.dumps([{**CLAIM, "id": "a b"}]).encode(),
        '[0].id = "a b", need letters, digits, dots and dashes',
    )
    yield (
        "theory.json",
        json.dumps([{**CLAIM, "verdict": "maybe"}]).encode(),
        '[0].verdict = "maybe", need one of definition',
    )
    yield (
        "theory.json",
        json.dumps([{**CLAIM, "witness": {}}]).encode(),
        "[0].witness.point is missing, need an object",
    )
    yield "theory.json", json.dumps([{**CLAIM, "evidence": [1]}]).encode(), "[0].evidence[0] = 1, need a text"
    yield "bounds.json", b'[{"id": "a"}]', "[0].statement is missing, need a text"
    yield "figures/figure1.json", b"[]", "figure1.json is an empty list, need an object"
    yield "figures/figure1.json", b'{"title": 1}', "title = 1, need a text"
    yield "figures/figure1.png", b"GIF89a", "it is no PNG"
    yield "tables.md", b"hello", "tables.md, line 1: stands before any title"
    yield "tables.md", b"### T\n| a | b |\n|---|---|\n| 1 |\n", "line 4: a row of 1 entries below 2 headings"
    yield "tables.md", b"### T\n", "holds no whole table"
    yield "records.jsonl", b"{}\n", "records.jsonl, line 1"
    yield "bench.json", b"[]", "bench.json is an empty list, need an object"


@pytest.mark.parametrize(("name", "content", "said"), list(corrupt()))
def test_a_corrupt_file_is_one_line_and_the_old_page_stays(name, content, said, tmp_path, capsys):
    folder = made_up(tmp_path / "results", [CLAIM], {"figure1": CAPTION})
    (folder / "index.html").write_text("old", encoding="utf-8")
    (folder / name).write_bytes(content)
    line = refused(["--results", str(folder)], capsys)
    assert said in line
    assert (folder / "index.html").read_text(encoding="utf-8") == "old"
    assert not list(folder.glob(".index*"))


def test_bad_arguments_are_one_line(tmp_path, capsys):
    assert "must be a folder, and is none" in refused(["--results", str(tmp_path / "none")], capsys)
    assert "did you mean --results?" in refused(["--resultz", "x"], capsys)
    made_up(tmp_path / "results", [CLAIM])
    out = ["--results", str(tmp_path / "results"), "--out", str(tmp_path)]
    assert "must be a file to replace, and is none" in refused(out, capsys)


def test_the_page_is_written_where_it_is_asked_for_and_replaces_the_old_one(tmp_path, capsys):
    folder = made_up(tmp_path / "results", [CLAIM], {"figure9": CAPTION})
    out = tmp_path / "new" / "page.html"
    for _ in range(2):
        assert main(["--results", str(folder), "--out", str(out)]) == 0
    assert [path.name for path in out.parent.iterdir()] == ["page.html"]
    assert out.read_text(encoding="utf-8") == page(folder, PAPER)
    assert str(out) in capsys.readouterr().out


def test_a_figure_of_a_name_that_is_new_is_shown(tmp_path):
    folder = made_up(
        tmp_path / "results", [CLAIM], {"figure10": CAPTION, "figure9": CAPTION, "another": CAPTION}
    )
    shown = [name for name in Outline(page(folder, PAPER)).ids if name.startswith("figure-")]
    assert shown == ["figure-figure9", "figure-figure10", "figure-another"]


def test_tables_are_read_back_as_they_were_written():
    written = [
        Grid("Table 1. A | B", ("a", "b|c"), (("1", "x | y"), ("missing", "-")), ("a note", "another")),
        Grid("Compact table.", ("a",), (("1",),), ()),
    ]
    found = grids("\n\n".join(typeset(one, "markdown") for one in written))
    assert [
        (one.title, tuple(one.columns), tuple(map(tuple, one.rows)), tuple(one.notes)) for one in found
    ] == [(one.title, one.columns, one.rows, one.notes) for one in written]
    assert [one.missing for one in found] == [1, 0]


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours `#rrggbb`."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
