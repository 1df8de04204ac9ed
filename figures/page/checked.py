"""The first section of the report page: how many statements were decided, with which verdicts, known how."""

from __future__ import annotations

from collections import Counter
from typing import Any

from figures.page.errata import defects, slips, wrong
from figures.page.markup import Html, absent, command, count, join, table, tag
from figures.page.sources import LEDGER, Sources
from theory.ledger.paper import Paper

MEANING = {
    "true": "holds as printed, under the assumptions listed with it",
    "false": "fails as printed: an exact counterexample is given, and mostly the statement that holds",
    "typo": "a slip of the pen: the correction is plain, and is checked",
    "definition": "defines, and so can be neither; whether it makes sense was checked",
    "empirical": "a claim about experiments, which no proof decides",
    "undecided": "neither proved nor refuted",
}
GRADES = {
    "proved": "proved: an exact argument, in the listed dimensions or in all",
    "certified": "certified: ball arithmetic on a named box",
    "sampled": "sampled: at finitely many points",
    "none": "none: no proof decides it",
}


def counts(sources: Sources, paper: Paper) -> Html:
    """The numbers at the top of the page, each leading to its section."""
    tiles: list[tuple[str, str, str]] = []
    rows, bounds = sources.ledger, sources.bounds
    if rows is not None:
        covered = {number for row in rows for number in row["equations"]} & set(paper.equations)
        tiles += [
            (f"{len(rows)}", f"statements decided, {_ours(rows)} of them ours", "checked"),
            (f"{len(wrong(rows))}", f"false as printed, {defects(rows)} distinct defects", "errata"),
            (f"{len(slips(rows))}", "slips of the pen", "errata"),
        ]
        if paper.equations:
            tiles.append((f"{len(covered)} / {len(paper.equations)}", "numbered equations covered", "ledger"))
    if bounds is not None:
        printed = [row for row in bounds if row["paper_verdict"] is not None]
        failing = [row for row in printed if row["paper_verdict"] != "holds"]
        tiles.append(
            (f"{len(failing)} / {len(printed)}", "of the paper's bounds fail when measured", "bounds")
        )
    if sources.pictures:
        tiles.append((f"{len(sources.pictures)}", "figures, the paper's and ours", "figures"))
    if sources.grids is not None:
        lines = [grid for grid in sources.grids if grid.papers]
        done, cells = (sum(grid.in_full[place] for grid in lines) for place in (0, 1))
        tiles.append((f"{done} / {cells}", "cells of Tables 1-3 trained in full", "tables"))
    items = [
        tag("li", tag("a", tag("b", number), said, href=f"#{section}")) for number, said, section in tiles
    ]
    return tag("ul", *items, class_="counts") if items else Html("")


def checked(sources: Sources, paper: Paper) -> Html:
    """What was decided, a table of verdicts by grade, and what the words mean."""
    rows = sources.ledger
    if rows is None:
        return absent(f"results/{LEDGER[0]}", LEDGER[1])
    verdicts = Counter(row["verdict"] for row in rows)
    readings = sum(row["kind"] == "reading" and row["verdict"] == "false" for row in rows)
    said = (
        f"{count(len(rows), 'statement')}: {len(rows) - _ours(rows)} of the paper's, theorems and proof steps as well "
        f"as sentences of prose, and {_ours(rows)} that go beyond it. {len(wrong(rows))} of the paper's are false as "
        f"printed, with {defects(rows)} distinct defects, and {len(slips(rows))} are slips of the pen; of "
        "sentences that can be read in several ways, "
        f"{count(readings, 'reading')} more {'fails' if readings == 1 else 'fail'}. "
    )
    how = (
        "A program derives every verdict. Each false statement comes with numbers that can be replayed by hand. Each "
        "claim also has false neighbours, such as a constant off by one per cent, which the same code has to refute."
    )
    return join(
        (
            *(tag("p", said), tag("p", how), _bar(verdicts), _table(rows, verdicts), _grades(rows)),
            command(f"{paper.command} report", "decides everything again"),
            command(paper.command, "prints the ledger"),
        )
    )


def _bar(verdicts: Counter[str]) -> Html:
    """The share of each verdict, in the colours of the list below it, which says the same in words."""
    most = verdicts.most_common()
    parts = [tag("span", class_=name, style=f"flex-grow:{number}") for name, number in most]
    key = [tag("li", tag("span", f"{number} {name}", class_=f"verdict {name}")) for name, number in most]
    return join([tag("div", *parts, class_="bar", aria_hidden="true"), tag("ul", *key, class_="key")])


def _table(rows: list[dict[str, Any]], verdicts: Counter[str]) -> Html:
    pairs = Counter((row["verdict"], row["grade"]) for row in rows)
    grades = [grade for grade in GRADES if any(pairs[verdict, grade] for verdict in verdicts)]
    body = [
        [
            tag("span", verdict, class_=f"verdict {verdict}"),
            *(str(pairs[verdict, grade] or "-") for grade in grades),
            str(number),
            MEANING.get(verdict, ""),
        ]
        for verdict, number in verdicts.most_common()
    ]
    heads = ["verdict", *grades, "all", "which means"]
    return table(heads, body, label="Verdicts, and how they are known", class_="numbers")


def _grades(rows: list[dict[str, Any]]) -> Html:
    used = Counter(row["grade"] for row in rows)
    lines = [f"{used[grade]} {meaning}" for grade, meaning in GRADES.items() if used[grade]]
    return tag("p", "How a verdict is known: " + "; ".join(lines) + ".", class_="note")


def _ours(rows: list[dict[str, Any]]) -> int:
    return sum(row["kind"] == "beyond" for row in rows)
