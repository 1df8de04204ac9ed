"""The whole ledger on the report page: every statement with its evidence, folded, in chapters, and by equation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from figures.page.errata import reading, refutation, said, told_as, where
from figures.page.markup import Html, absent, anchor, command, count, folded, inline, join, tag
from figures.page.sources import LEDGER
from theory.deciders.facts import Verdict, known
from theory.ledger.paper import Paper, numbered


def ledger(rows: list[dict[str, Any]] | None, paper: Paper) -> Html:
    """Every claim with its evidence. Nothing is left out without the script, which only filters."""
    if rows is None:
        return absent(f"results/{LEDGER[0]}", LEDGER[1])
    chapters: dict[str, list[dict[str, Any]]] = {name: [] for name in paper.chapters}
    for row in rows:
        chapters.setdefault(_chapter(row, paper), []).append(row)
    titles = paper.titles
    said = (
        f"All {count(len(rows), 'statement')}, in the paper's order. Open one for its assumptions, the facts its "
        "verdict rests on, and what is right or sharper."
    )
    parts = [
        folded(
            join([f"{name} ", tag("span", f"({len(group)})", class_="muted")]),
            *(_claim(row, titles) for row in group),
            class_="chapter",
        )
        for name, group in chapters.items()
        if group
    ]
    example = "lemma5" if "lemma5" in titles else rows[0]["id"]
    replay = command(f"{paper.command} show {example}", "prints one derivation step by step")
    return join([tag("p", said), _filter(rows), *parts, _equations(rows, paper), replay])


def _chapter(row: Mapping[str, Any], paper: Paper) -> str:
    first = row["id"].partition(".")[0]
    return next((name for name, parts in paper.chapters.items() if first in parts), first)


def _claim(row: Mapping[str, Any], titles: Mapping[str, str]) -> Html:
    summary = join(
        [
            tag("code", row["id"], class_="name"),
            tag("span", inline(titles.get(row["id"], row["statement"])), class_="says"),
            tag("span", row["verdict"], class_=f"verdict {row['verdict']}"),
            tag("span", known(row["grade"], row["dimension"]), class_="grade"),
        ],
        " ",
    )
    told: list[tuple[str, str]] = [("Where", where(row)), *said(row)]
    told += [("Assumes", _list(row["assumptions"]))] if row["assumptions"] else []
    told += [("Evidence", _evidence(row["evidence"]))] if row["evidence"] else []
    told += [("Refuted", refutation(row["witness"]))] if row["witness"] else []
    for heading, field in (("What holds", "corrected"), ("Sharpest known", "sharpest")):
        if row[field]:
            told.append((heading, join([reading(row[field]), _evidence(row[field]["evidence"])])))
    told += [("Attained", inline(row["tightness"]["pair"]))] if row["tightness"] else []
    told += [("Replay", tag("code", f"python -m theory show {row['id']}"))]
    inside = tag("div", told_as(told), class_="inside")
    return folded(summary, inside, class_="claim", id=anchor(row["id"]), data_verdict=row["verdict"])


def _list(lines: list[str]) -> Html:
    return tag("ul", *(tag("li", inline(line)) for line in lines))


def _evidence(lines: list[str]) -> Html:
    """The facts; their first word, in brackets in the file, says how each turned out."""
    items = []
    for line in lines:
        mark, bracket, rest = line.removeprefix("[").partition("] ")
        known_mark = line.startswith("[") and bracket
        outcome = {"holds": "true", "refuted": "false"}.get(mark, "undecided")
        word = tag("span", mark, class_=f"verdict {outcome}")
        items.append(tag("li", join([word, " ", inline(rest)]) if known_mark else inline(line)))
    return tag("ul", *items, class_="evidence")


def _filter(rows: list[dict[str, Any]]) -> Html:
    """Shown by the script alone, which does the filtering."""
    verdicts = [str(verdict) for verdict in Verdict if any(row["verdict"] == verdict for row in rows)]
    options = [tag("option", "any", value=""), *(tag("option", name, value=name) for name in verdicts)]
    words = tag("input", type="search", name="words", placeholder="lemma 5, eq. (32), singular ...")
    return tag(
        "form",
        tag("label", "Words in a statement or its evidence", words),
        tag("label", "Verdict", tag("select", *options, name="verdict")),
        tag("output", id="told", class_="muted", for_="filter", aria_live="polite"),
        class_="filter",
        id="filter",
        role="search",
        hidden=True,
    )


def _equations(rows: list[dict[str, Any]], paper: Paper) -> Html:
    """Equation -> the claims that decide it."""
    items = []
    for number in paper.equations:
        names = [row["id"] for row in rows if number in row["equations"]]
        links = [tag("a", tag("code", name), href=f"#{anchor(name)}") for name in names]
        items.append(tag("li", f"({number}) ", join(links, ", ") if links else "none"))
    if not items:
        return Html("")
    return folded(
        f"By equation: {numbered(paper.equations).removeprefix('numbered ')}",
        tag("ul", *items, class_="equations"),
    )
