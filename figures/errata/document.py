"""The errata document of a paper: the verdict in one page, each defect with its counterexample and what holds instead,
and the sharpened results with their arguments as numbered steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from figures.errata.typst_source import (
    PREAMBLE,
    Source,
    entry,
    heading,
    paragraph,
    place,
    quoted,
    steps,
    table,
    text,
)
from figures.page.errata import FURTHEST, WEIGHTIEST, slips, where, wrong
from theory.deciders.facts import at_place, known
from theory.ledger.paper import Paper

Row = Mapping[str, Any]
SUMMARY = 11  # defects named on the first page
PROVED = 12  # results told with every step; the others by their statements


def document(rows: Sequence[dict[str, Any]], paper: Paper) -> str:
    """The document's source in Typst.

    rows : the rows of theory.json, which is the ledger of `paper`
    """
    titles = paper.titles
    false, small = wrong(list(rows)), slips(list(rows))
    readings = [row for row in rows if row["kind"] == "reading" and row["verdict"] in ("false", "typo")]
    new = [row for row in rows if row["sharpest"] or row["kind"] == "beyond"]
    first = _first(FURTHEST, new, PROVED)
    parts = [
        PREAMBLE,
        f"#set document(title: {_string(f'Errata of {paper.title}')})\n",
        _opening(rows, paper, false),
        heading(1, "Statements that are false as printed"),
        *(_defect(number, row, titles) for number, row in enumerate(false, start=1)),
        heading(1, "Slips of the pen"),
        *(_slip(row, titles) for row in small),
        *([heading(1, "Readings of ambiguous sentences that fail")] if readings else []),
        *(_slip(row, titles) for row in readings),
        heading(1, "Sharper and further results"),
        *(_result(row, titles) for row in first),
        *(_statement(row, titles) for row in new if row not in first),
    ]
    return "".join(parts)


def _opening(rows: Sequence[Row], paper: Paper, false: Sequence[Row]) -> Source:
    verdicts = Counter(row["verdict"] for row in rows)
    ours = sum(row["kind"] == "beyond" for row in rows)
    said = (
        f"A program went through {paper.citation} statement by statement: {len(rows) - ours} statements of the paper "
        f"and {ours} that go beyond it. Each verdict below is computed by an argument that a reader can replay: "
        f"{paper.command} show ID prints it step by step."
    )
    chosen = _first(WEIGHTIEST, false, SUMMARY)
    counted = [(name, str(number)) for name, number in verdicts.most_common()]
    titles = paper.titles
    return Source(
        f"#align(center)[#text(size: 17pt, weight: 700)[{quoted('Errata of')} #emph[{quoted(paper.title)}]]]\n\n"
        + paragraph(quoted(said))
        + table(("verdict", "statements"), counted, "(auto, auto)")
        + paragraph(quoted("The defects of most weight:"))
        + table(
            ("where", "the paper says", "claim"),
            ((row["location"], titles.get(row["id"]) or row["statement"], row["id"]) for row in chosen),
            "(1.1fr, 2fr, 1.2fr)",
        )
        + "#pagebreak()\n"
    )


def _defect(number: int, row: Row, titles: Mapping[str, str]) -> Source:
    parts = [
        heading(2, f"{number}. {titles.get(row['id'], row['id'])}"),
        place(f"{where(row)} · {row['id']} · {known(row['grade'], row['dimension'])}"),
        *_said(row),
    ]
    if row["witness"]:
        parts.append(entry("Refuted", _refutation(row["witness"])))
    if row["corrected"]:
        parts.append(entry("What holds", _reading(row["corrected"])))
    return Source("".join(parts))


def _said(row: Row) -> list[Source]:
    """The paper's words, where it has them, and what the claim takes them to say."""
    printed = [entry("The paper says", quoted(row["quote"]))] if row["quote"] else []
    return [*printed, entry("Read as", text(row["statement"]))]


def _slip(row: Row, titles: Mapping[str, str]) -> Source:
    right = f" Right: {row['corrected']['statement']}" if row["corrected"] else ""
    return Source(
        heading(2, titles.get(row["id"], row["id"]))
        + place(f"{where(row)} · {row['id']}")
        + (paragraph(quoted(f"The paper says: {row['quote']}")) if row["quote"] else "")
        + paragraph(text(f"Read as: {row['statement']}{right}"))
    )


def _result(row: Row, titles: Mapping[str, str]) -> Source:
    found = row["sharpest"] or row
    return Source(
        _statement(row, titles)
        + paragraph(quoted("Argument, each step decided by itself:"))
        + steps(_step(line) for line in found["evidence"])
    )


def _statement(row: Row, titles: Mapping[str, str]) -> Source:
    found = row["sharpest"] or row
    assumed = f"Assumes: {'; '.join(row['assumptions'])}." if row["assumptions"] else ""
    return Source(
        heading(2, titles.get(row["id"], row["id"]))
        + place(f"{where(row)} · {row['id']} · {known(found['grade'], found['dimension'])}")
        + paragraph(text(found["statement"]))
        + (paragraph(text(assumed)) if assumed else "")
    )


def _step(line: str) -> str:
    """A line of evidence without its mark, which is `holds` in every step of a result."""
    return line.partition("] ")[2] if line.startswith("[") else line


def _refutation(witness: Mapping[str, Any]) -> Source:
    at = at_place(witness["point"])
    sides = f"{witness['left']} {witness['relation']} {witness['right']}"
    by_hand = f" {witness['replay']}" if witness["replay"] else ""
    return text(f"{at}: {sides} fails.{by_hand}" if at else f"{sides} fails.{by_hand}")


def _reading(found: Mapping[str, Any]) -> Source:
    return text(f"{found['statement']} ({known(found['grade'], found['dimension'])})")


def _first(names: Iterable[str], rows: Sequence[Row], most: int) -> list[Row]:
    """The named rows first, then others in their order, `most` in all."""
    by_id = {row["id"]: row for row in rows}
    named = [by_id[name] for name in names if name in by_id]
    return [*named, *(row for row in rows if row not in named)][:most]


def _string(plain: str) -> str:
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
