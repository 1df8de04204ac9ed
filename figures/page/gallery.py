"""The figures on the report page: every one that lies in results/figures/, picture and caption."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Sequence

from figures.page.markup import Html, absent, command, count, folded, inline, join, tag
from figures.page.sources import FIGURES, Picture
from figures.plate import PLATES

NUMBERED = re.compile(r"figure(\d+)(.*)")
PANEL = re.compile(r"(figure\d+)[a-z]")
CAPTION = (("Seen", "seen"), ("To measure", "measure"), ("Against the paper", "differs"))
LAST = 10**6


def gallery(pictures: Sequence[Picture], claims: Collection[str]) -> Html:
    """The paper's figures in its order, then ours. The panels of a sheet that shows them all follow it folded."""
    if not pictures:
        return absent(f"results/{FIGURES[0]}", FIGURES[1])
    names = {picture.name for picture in pictures}
    panels: dict[str, list[Picture]] = {}
    shown = []
    for picture in sorted(pictures, key=_place):
        sheet = PANEL.fullmatch(picture.name)
        if sheet and sheet[1] in names:
            panels.setdefault(sheet[1], []).append(picture)
        else:
            shown.append(picture)
    parts: list[str] = []
    for picture in shown:
        parts.append(_figure(picture, claims))
        inside = panels.get(picture.name, [])
        if inside:
            title = f"{count(len(inside), 'panel')} of {picture.name}, large and with numbers"
            parts.append(folded(title, *(_figure(panel, claims) for panel in inside)))
    said = (
        "Surfaces of losses are drawn from exact worst cases, not from PGD. Select a picture to enlarge it. The JSON "
        "file beside each in results/figures/ has all its parameters, seeds, domains and error estimates."
    )
    return join([tag("p", said), *parts, command(FIGURES[1], "draws them again")])


def _place(picture: Picture) -> tuple[int, int, str]:
    number = NUMBERED.fullmatch(picture.name)
    if number:
        return 0, int(number[1]), number[2]
    order = {plate.name: place for place, plate in enumerate(PLATES)}
    return 1, order.get(picture.name, LAST), picture.name


def _figure(picture: Picture, claims: Collection[str]) -> Html:
    told = [
        part
        for heading, key in CAPTION
        for part in (tag("dt", heading), tag("dd", inline(picture.facts[key], claims)))
    ]
    return tag(
        "figure",
        tag("h3", picture.facts["title"]),
        _picture(picture),
        tag("figcaption", tag("dl", *told)),
        id=f"figure-{picture.name}",
    )


def _picture(picture: Picture) -> Html:
    if picture.png is None:
        return absent(f"results/{FIGURES[0]}{picture.name}.png", f"{FIGURES[1]} --only {picture.name}")
    what = next((plate.what for plate in PLATES if plate.name == picture.name), "described below")
    width, height = (int.from_bytes(picture.png[start : start + 4], "big") for start in (16, 20))
    image = tag(
        "img",
        src=f"data:image/png;base64,{b64encode(picture.png).decode()}",
        alt=f"{picture.facts['title']}: {what}",
        width=width,
        height=height,
    )
    return tag(
        "div",
        tag("a", image, href=f"#large-{picture.name}", class_="open"),
        tag("a", "Close", href=f"#figure-{picture.name}", class_="close"),
        class_="picture",
        id=f"large-{picture.name}",
    )
