"""The Lipschitz bounds on the report page: those of the paper's that fail, with the pair that breaks them, then all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from figures.page.markup import Html, absent, command, count, folded, inline, join, table, tag
from figures.page.sources import BOUNDS
from numerics.bounds.report import HEAD, cells, worst_pair


def bounds(rows: list[dict[str, Any]] | None, claims: Collection[str]) -> Html:
    """What gradient ascent found against each bound; `claims` are the ids that the page can lead to."""
    if rows is None:
        return absent(f"results/{BOUNDS[0]}", BOUNDS[1])
    printed = [row for row in rows if row["paper_verdict"] is not None]
    failing = [row for row in printed if row["paper_verdict"] != "holds"]
    reached = sum(row["attained"] for row in rows)
    over = sum(not row["ours_holds"] for row in rows)
    said = (
        f"Gradient ascent from many starts looked for the pair of points that comes closest to each of "
        f"{count(len(rows), 'bound')}, or breaks it. {len(failing)} of the paper's {len(printed)} fail. Our "
        f"constants are exceeded in {over}, and reached, or their absence confirmed, in {reached}. A search proves no "
        "upper bound: the claim named in each line does."
    )
    broken = [_failing(row, claims) for row in failing]
    whole = [[inline(cell.replace("**", ""), claims) for cell in cells(row)] for row in rows]
    return join(
        [
            tag("p", said),
            tag("h3", "The paper's bounds that fail") if failing else None,
            table(
                ("Statement", "On", "The paper allows", "What is so", "Worst pair found"),
                broken,
                label="Bounds of the paper that fail",
                class_="bounds failing",
            )
            if failing
            else None,
            folded(
                f"All {count(len(rows), 'bound')}, with the largest ratio found",
                table(HEAD, whole, label="All bounds", class_="bounds"),
            ),
            command(BOUNDS[1], "searches again; results/bounds.md has the same table"),
        ]
    )


def _failing(row: dict[str, Any], claims: Collection[str]) -> list[str]:
    statement, names, what, place, paper, ours, *_ = cells(row)
    verdict = tag("span", row["paper_verdict"], class_="verdict false")
    return [
        join([inline(statement), tag("br"), inline(names, claims)]),
        join([inline(what), tag("br"), tag("span", inline(place), class_="muted")]),
        join([inline(paper), tag("br"), verdict]),
        inline(ours),
        inline(worst_pair(row)),
    ]
