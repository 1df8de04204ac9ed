"""Builds the report page: the head, the sections in the order in which a reader with ten minutes wants them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from figures.page.bounds import bounds
from figures.page.checked import checked, counts
from figures.page.errata import beyond, errata
from figures.page.gallery import gallery
from figures.page.ledger import ledger
from figures.page.look import SCRIPT, style_sheet
from figures.page.markup import Html, join, tag
from figures.page.origin import EVERYTHING, origin
from figures.page.sources import Sources, load
from figures.page.tables import compact, published

PAPER = "https://arxiv.org/abs/2103.01400v4"
TITLE = "Smoothness Analysis of Adversarial Training, checked"


def page(results: Path, titles: Mapping[str, str]) -> str:
    """The whole page as text.

    results : the folder that holds theory.json, bounds.json, figures/, tables.md, as far as they are there
    titles  : claim -> what it says in a few words, its id or statement where there is none

    Raises: ValueError naming the file that is not what its command writes.
    """
    sources = load(results)
    rows = sources.ledger
    claims = {row["id"] for row in rows or ()}
    sections = (
        ("checked", "What was checked", "Checked", checked(sources)),
        ("errata", "What fails as printed", "Errata", errata(rows, titles)),
        ("beyond", "What goes beyond the paper", "Beyond", beyond(rows, titles)),
        ("bounds", "Lipschitz bounds, measured", "Bounds", bounds(sources.bounds, claims)),
        ("figures", "Figures", "Figures", gallery(sources.pictures, claims)),
        ("compact", "Compact table: six methods on digits", "Compact table", compact(sources.grids)),
        ("tables", "Tables 1-3, published and ours", "Tables 1-3", published(sources.grids)),
        ("ledger", "The whole ledger", "Ledger", ledger(rows, titles)),
        ("origin", "Where this page comes from", "Origin", origin(sources)),
    )
    parts = [
        tag("section", tag("h2", title), content, id=name, aria_label=title)
        for name, title, _, content in sections
    ]
    contents = [tag("li", tag("a", short, href=f"#{name}")) for name, _, short, _ in sections]
    body = tag(
        "body",
        tag("a", "Skip to the contents", href="#main", class_="skip"),
        _header(sources),
        tag("nav", tag("ul", *contents), aria_label="Sections"),
        tag("main", *parts, id="main", class_="wide"),
        tag("footer", tag("div", _footer(), class_="wide")),
        tag("script", SCRIPT),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(), body, lang='en')}\n"


def _head() -> Html:
    digest = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    # Nothing is fetched, and no script runs but the one below.
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", TITLE),
        tag("link", rel="icon", href="data:,"),
        tag("style", style_sheet()),
    )


def _header(sources: Sources) -> Html:
    what = join(
        [
            "A program went through ",
            tag("a", tag("cite", "Smoothness Analysis of Adversarial Training"), href=PAPER),
            " (Kanai, Yamada, Takahashi, Yamanaka, Ida, arXiv 2103.01400v4) statement by statement and equation by "
            "equation. This page says which hold, which fail and what holds instead, how sharp the bounds are, what "
            "the surfaces look like, and what training gives.",
        ]
    )
    how = join(
        [
            "Every section ends with the command behind it; ",
            tag("code", EVERYTHING),
            " runs all that need no download.",
        ]
    )
    return tag(
        "header",
        tag("p", "Report of smoothness-at", class_="eyebrow"),
        tag("h1", TITLE),
        tag("p", what, class_="lead"),
        tag("p", how, class_="muted"),
        counts(sources),
        class_="wide",
    )


def _footer() -> Html:
    return join(
        [
            "MIT licence. If you use this, cite ",
            tag("a", "the paper", href=PAPER),
            "; CITATION.cff has both entries. Folded parts are printed only when they are open.",
        ]
    )
