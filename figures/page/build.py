"""Builds the report page: the head, the sections in the order in which a reader with ten minutes wants them."""

from __future__ import annotations

from base64 import b64encode
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
from figures.page.tables import compact, laptop, published
from theory.ledger.paper import DEFAULT, Paper


def page(results: Path, paper: Paper) -> str:
    """The whole page as text; of a paper other than the project's, what the ledger says.

    results : the folder that holds theory.json, bounds.json, figures/, tables.md, as far as they are there
    paper   : the paper whose ledger theory.json is

    Raises: ValueError naming the file that is not what its command writes.
    """
    sources = load(results)
    rows, titles = sources.ledger, paper.titles
    claims = {row["id"] for row in rows or ()}
    sections: list[tuple[str, str, str, Html]] = [
        ("checked", "What was checked", "Checked", checked(sources, paper)),
        ("errata", "What fails as printed", "Errata", errata(rows, titles)),
        ("beyond", "What goes beyond the paper", "Beyond", beyond(rows, titles)),
    ]
    if paper.folder == DEFAULT:
        sections += [
            ("bounds", "Lipschitz bounds, measured", "Bounds", bounds(sources.bounds, claims)),
            ("figures", "Figures", "Figures", gallery(sources.pictures, claims)),
            ("laptop", "Laptop table: six methods on CIFAR-10", "Laptop table", laptop(sources.grids)),
            ("compact", "Compact table: six methods on digits", "Compact table", compact(sources.grids)),
            ("tables", "Tables 1-3, published and ours", "Tables 1-3", published(sources.grids)),
        ]
    sections += [
        ("ledger", "The whole ledger", "Ledger", ledger(rows, paper)),
        ("origin", "Where this page comes from", "Origin", origin(sources)),
    ]
    parts = [
        tag("section", tag("h2", title), content, id=name, aria_label=title)
        for name, title, _, content in sections
    ]
    contents = [tag("li", tag("a", short, href=f"#{name}")) for name, _, short, _ in sections]
    body = tag(
        "body",
        tag("a", "Skip to the contents", href="#main", class_="skip"),
        _header(sources, paper),
        tag("nav", tag("ul", *contents), aria_label="Sections"),
        tag("main", *parts, id="main", class_="wide"),
        tag("footer", tag("div", _footer(paper), class_="wide")),
        tag("script", SCRIPT),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(paper), body, lang='en')}\n"


def _head(paper: Paper) -> Html:
    digest = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    # Nothing is fetched, and no script runs but the one below.
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{paper.title}, checked"),
        tag("link", rel="icon", href="data:,"),
        tag("style", style_sheet()),
    )


def _header(sources: Sources, paper: Paper) -> Html:
    name = tag("cite", paper.title)
    about = ", ".join(part for part in (paper.authors, paper.source) if part)
    whole = paper.folder == DEFAULT
    what = join(
        [
            "A program went through ",
            tag("a", name, href=paper.url) if paper.url else name,
            f" ({about})" if about else "",
            " statement by statement and equation by equation. This page says which hold, which fail and what holds "
            "instead",
            ", how sharp the bounds are, what the surfaces look like, and what training gives."
            if whole
            else ".",
        ]
    )
    how = join(
        [
            "Every section ends with the command behind it; ",
            tag("code", EVERYTHING if whole else f"{paper.command} report"),
            " runs all that need no download." if whole else " decides everything again.",
        ]
    )
    return tag(
        "header",
        tag("p", "Report of smoothness-at", class_="eyebrow"),
        tag("h1", f"{paper.title}, checked"),
        tag("p", what, class_="lead"),
        tag("p", how, class_="muted"),
        counts(sources, paper),
        class_="wide",
    )


def _footer(paper: Paper) -> Html:
    if paper.folder != DEFAULT:
        return join(["Made with smoothness-at. Folded parts are printed only when they are open."])
    return join(
        [
            "MIT licence. If you use this, cite ",
            tag("a", "the paper", href=paper.url),
            "; CITATION.cff has both entries. Folded parts are printed only when they are open.",
        ]
    )
