"""The errata of the report page, those of most weight first, and the results that go beyond the paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from figures.page.markup import Html, absent, anchor, command, folded, inline, join, tag
from figures.page.sources import LEDGER
from theory.deciders.facts import at_place, known

# Those that README.md lists too: the rest are shown folded, in the paper's order.
WEIGHTIEST = (
    *("sec322.determinant-sufficient", "lemma5", "prop1.eq9", "lemma3", "sec51.l2-not-continuous"),
    *("sec323.projection", "sec322.flatten", "fig2f.lemma4", "appc.optimal-points", "alg1.line10"),
    "alg1.line11",
)
WORDS = {"false": "False:", "typo": "Slip:"}
FURTHEST = (
    *("lemma2", "beyond.strongly-concave", "beyond.small-epsilon", "beyond.active-set", "beyond.tangent"),
    *("beyond.entropy-convex", "beyond.theta-min"),
)


def wrong(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The statements that are false as printed; a reading that fails is no error of the paper's."""
    return [row for row in rows if row["verdict"] == "false" and row["kind"] != "reading"]


def defects(rows: list[dict[str, Any]]) -> int:
    """How many different defects the statements that are false as printed have: those of one group share one."""
    return len({row.get("group") or row["id"] for row in wrong(rows)})


def slips(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The slips of the pen."""
    return [row for row in rows if row["verdict"] == "typo" and row["kind"] != "reading"]


def errata(rows: list[dict[str, Any]] | None, titles: Mapping[str, str]) -> Html:
    """Every erratum with its witness, what holds instead, and the command that replays it."""
    if rows is None:
        return absent(f"results/{LEDGER[0]}", LEDGER[1])
    false = wrong(rows)
    first = _chosen(WEIGHTIEST, false) or false[: len(WEIGHTIEST)]
    rest = [row for row in false if row not in first]
    readings = [row for row in rows if row["verdict"] in ("false", "typo") and row["kind"] == "reading"]
    folds = [
        ("more statements that are false as printed", rest),
        ("slips of the pen, with their corrections", slips(rows)),
        ("readings of ambiguous sentences that fail", readings),
    ]
    said = (
        f"{len(false)} statements are false as printed, with {defects(rows)} distinct defects. These "
        f"{len(first)} carry "
        "most weight; the others follow, folded. Each is told as the paper says it, with the numbers that "
        "refute it and the statement that holds, "
        "which was checked in turn."
    )
    return join(
        (
            tag("p", said),
            *(_card(row, titles) for row in first),
            *(
                folded(f"{len(group)} {name}", *(_card(row, titles) for row in group))
                for name, group in folds
                if group
            ),
            command(LEDGER[1], "lists them all in results/theory.md"),
        )
    )


def beyond(rows: list[dict[str, Any]] | None, titles: Mapping[str, str]) -> Html:
    """What is sharper than printed, or new, proved by the same machinery."""
    if rows is None:
        return absent(f"results/{LEDGER[0]}", LEDGER[1])
    new = [row for row in rows if row["sharpest"] or row["kind"] == "beyond"]
    first = _chosen(FURTHEST, new) or new[: len(FURTHEST)]
    rest = [row for row in new if row not in first]
    said = (
        f"{len(new)} results are sharper than the paper's or new. These {len(first)} change most what the paper can "
        "say; each was decided by the machinery that decided the paper's statements."
    )
    return join(
        (
            tag("p", said),
            *(_result(row, titles) for row in first),
            folded(f"{len(rest)} more", *(_result(row, titles) for row in rest)) if rest else None,
            command("python -m theory show beyond", "lists the new ones by name"),
        )
    )


def where(row: Mapping[str, Any]) -> str:
    """The place in the paper, with the equations that the claim decides and the place does not name."""
    numbers = [f"({number})" for number in row["equations"] if f"({number})" not in row["location"]]
    return f"{row['location']}; Eq. {', '.join(numbers)}" if numbers else row["location"]


def refutation(witness: Mapping[str, Any]) -> Html:
    """The point, what fails there, and how to replay it by hand."""
    at = at_place(witness["point"])
    sides = inline(f"{witness['left']} {witness['relation']} {witness['right']}")
    replay = inline(f" fails. {witness['replay']}" if witness["replay"] else " fails.")
    return join([inline(f"{at}: ") if at else "", sides, replay])


def reading(found: Mapping[str, Any]) -> Html:
    """A statement with how it is known."""
    how = known(found["grade"], found["dimension"])
    return join([inline(found["statement"]), " ", tag("span", f"({how})", class_="muted")])


def told_as(told: Iterable[tuple[str, str]]) -> Html:
    """Headings with what stands under each."""
    return tag(
        "dl", *(tag(kind, text) for pair in told for kind, text in zip(("dt", "dd"), pair, strict=True))
    )


def said(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The paper's words, where it has them, and what the claim takes them to say."""
    printed = [("The paper says", tag("q", row["quote"]))] if row["quote"] else []
    return [*printed, ("Statement" if row["kind"] == "beyond" else "Read as", inline(row["statement"]))]


def _chosen(names: Iterable[str], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id = {row["id"]: row for row in rows}
    return [by_id[name] for name in names if name in by_id]


def _card(row: dict[str, Any], titles: Mapping[str, str]) -> Html:
    told: list[tuple[str, str]] = said(row)
    if row["corrected"]:
        told.append(("What holds", reading(row["corrected"])))
    if row["witness"]:
        told.append(("Refuted", refutation(row["witness"])))
    word = tag("span", WORDS[row["verdict"]], class_=f"verdict {row['verdict']}")
    place = f"{where(row)} · {known(row['grade'], row['dimension'])}"
    parts = [
        tag("h3", word, " ", inline(titles.get(row["id"], row["id"]))),
        tag("p", place, class_="where"),
        told_as(told),
    ]
    return _article(row, parts, row["verdict"], f"erratum-{row['id']}")


def _result(row: dict[str, Any], titles: Mapping[str, str]) -> Html:
    if row["sharpest"]:
        word, verdict, found = (
            "Sharper:",
            "true" if row["sharpest"]["holds"] else "undecided",
            row["sharpest"],
        )
    else:
        word, verdict, found = "New:" if row["verdict"] == "true" else row["verdict"], row["verdict"], row
    heading = tag(
        "h3", tag("span", word, class_=f"verdict {verdict}"), " ", inline(titles.get(row["id"], row["id"]))
    )
    parts = [heading, tag("p", where(row), class_="where"), tag("p", reading(found))]
    return _article(row, parts, verdict, f"result-{row['id']}")


def _article(row: dict[str, Any], parts: list[Html], verdict: str, place: str) -> Html:
    more = tag("a", "the evidence", href=f"#{anchor(row['id'])}")
    replay = command(f"python -m theory show {row['id']}", more)
    return tag("article", *parts, replay, class_=f"card {verdict}", id=place)
