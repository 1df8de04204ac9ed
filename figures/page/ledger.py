"""The whole ledger on the report page: every statement with its evidence, folded, in chapters, and by equation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from figures.page.errata import reading, refutation, told_as, where
from figures.page.markup import Html, absent, anchor, command, count, folded, join, tag
from figures.page.sources import LEDGER
from theory.deciders.facts import Verdict, known
from theory.ledger.rows import EQUATIONS

# The first part of an id -> the chapter it stands in.
CHAPTERS = {
    "Abstract, introduction, conclusion": ("abstract", "intro", "sec6"),
    "Section 2: definitions, Assumption 1, Proposition 1, EntropySGD": (
        *("eq1", "definition1", "eq4", "assumption1", "prop1", "eq10", "eq11", "eq12", "eq13"),
    ),
    "Section 3: Eq. (14), Lemma 1": ("eq14", "lemma1"),
    "Section 3.1: Lemma 2 and Theorem 1, L2 attacks on the linear model": ("lemma2", "theorem1"),
    "Section 3.1: Lemma 3 and Theorem 2, L-infinity attacks on the linear model": (
        *("lemma3", "theorem2", "sec31"),
    ),
    "Section 3.2.1: Lemma 4, attacks inside the ball": ("lemma4", "sec321"),
    "Section 3.2.2: Lemma 5, attacks on the boundary": ("eq20", "eq22", "eq43", "lemma5", "sec322"),
    "Section 3.2.3: limitations": ("sec323",),
    "Section 4: Theorem 3, EntropySGD smooths": ("theorem3", "sec4"),
    "Section 5 and the experiments": ("sec51", "fig2", "fig2e", "fig2f", "sec52", "sec53", "table3", "appe"),
    "Appendices B, C, D and F": ("definition2", "eq76", "appc", "eq77", "appf"),
    "Algorithm 1": ("alg1",),
    "Beyond the paper": ("beyond",),
}


def ledger(rows: list[dict[str, Any]] | None, titles: Mapping[str, str]) -> Html:
    """Every claim with its evidence. Nothing is left out without the script, which only filters."""
    if rows is None:
        return absent(f"results/{LEDGER[0]}", LEDGER[1])
    chapters: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(
        rows, key=lambda row: list(CHAPTERS).index(_chapter(row)) if _chapter(row) in CHAPTERS else 99
    ):
        chapters.setdefault(_chapter(row), []).append(row)
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
    ]
    replay = command("python -m theory show lemma5", "prints one derivation step by step")
    return join([tag("p", said), _filter(rows), *parts, _equations(rows), replay])


def _chapter(row: Mapping[str, Any]) -> str:
    first = row["id"].partition(".")[0]
    return next((name for name, parts in CHAPTERS.items() if first in parts), first)


def _claim(row: Mapping[str, Any], titles: Mapping[str, str]) -> Html:
    summary = join(
        [
            tag("code", row["id"], class_="name"),
            tag("span", titles.get(row["id"], row["statement"]), class_="says"),
            tag("span", row["verdict"], class_=f"verdict {row['verdict']}"),
            tag("span", known(row["grade"], row["dimension"]), class_="grade"),
        ],
        " ",
    )
    told: list[tuple[str, str]] = [("Where", where(row)), ("Statement", row["statement"])]
    told += [("Assumes", _list(row["assumptions"]))] if row["assumptions"] else []
    told += [("Evidence", _evidence(row["evidence"]))] if row["evidence"] else []
    told += [("Refuted", refutation(row["witness"]))] if row["witness"] else []
    for heading, field in (("What holds", "corrected"), ("Sharpest known", "sharpest")):
        if row[field]:
            told.append((heading, join([reading(row[field]), _evidence(row[field]["evidence"])])))
    told += [("Attained", row["tightness"]["pair"])] if row["tightness"] else []
    told += [("Replay", tag("code", f"python -m theory show {row['id']}"))]
    inside = tag("div", told_as(told), class_="inside")
    return folded(summary, inside, class_="claim", id=anchor(row["id"]), data_verdict=row["verdict"])


def _list(lines: list[str]) -> Html:
    return tag("ul", *(tag("li", line) for line in lines))


def _evidence(lines: list[str]) -> Html:
    """The facts; their first word, in brackets in the file, says how each turned out."""
    items = []
    for line in lines:
        mark, bracket, rest = line.removeprefix("[").partition("] ")
        known_mark = line.startswith("[") and bracket
        outcome = {"holds": "true", "refuted": "false"}.get(mark, "undecided")
        word = tag("span", mark, class_=f"verdict {outcome}")
        items.append(tag("li", join([word, " ", rest]) if known_mark else line))
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


def _equations(rows: list[dict[str, Any]]) -> Html:
    """Equation -> the claims that decide it."""
    items = []
    for number in EQUATIONS:
        names = [row["id"] for row in rows if number in row["equations"]]
        links = [tag("a", tag("code", name), href=f"#{anchor(name)}") for name in names]
        items.append(tag("li", f"({number}) ", join(links, ", ") if links else "none"))
    title = f"By equation: (1) to ({EQUATIONS[-1]})"
    return folded(title, tag("ul", *items, class_="equations"))
