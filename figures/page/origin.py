"""The last section of the report page: the files it was made of, with their digests, the versions and the machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from figures.page.markup import Html, command, join, table, tag
from figures.page.sources import Sources

EVERYTHING = "make reproduce"


def origin(sources: Sources) -> Html:
    """Inputs by digest, versions as the files state them, and the command for everything."""
    said = (
        "The page states what these files hold and computes nothing but counts: the same files give the same page, "
        "byte for byte. The first digits of a SHA-256 tell whether yours are these."
    )
    files = [
        [
            tag("code", f"results/{one.name}"),
            f"{one.size:,}",
            tag("code", one.digest[:16]),
            tag("code", one.command),
        ]
        for one in sources.inputs
    ]
    made = _versions(sources)
    return join(
        [
            tag("p", said),
            table(("File", "Bytes", "SHA-256", "Made by"), files, label="Files", class_="runs")
            if files
            else None,
            tag("h3", "Versions and machines") if made else None,
            table(("Of", "Made with"), made, label="Versions and machines") if made else None,
            command(EVERYTHING, "makes all that needs no download"),
            command("python -m figures.page", "makes this page"),
        ]
    )


def _versions(sources: Sources) -> list[list[str]]:
    """A line a kind of file, with each distinct set of versions once."""
    figures = [_said(picture.facts.get("versions")) for picture in sources.pictures]
    bench = (
        _said(sources.bench["about"], ("python", "numpy", "scipy", "processor", "system"))
        if sources.bench
        else ""
    )
    runs = [_run(record) for record in sources.records or ()]
    found = (("Figures", figures), ("Bench", [bench]), ("Runs", runs))
    lines = [(name, "; ".join(dict.fromkeys(filter(None, told)))) for name, told in found]
    return [[name, told] for name, told in lines if told]


def _run(record: Mapping[str, Any]) -> str:
    hardware = record["hardware"]
    machine = (
        hardware.get("accelerator")
        or f"{hardware.get('cpu') or 'unknown processor'}, {record['threads']} threads"
    )
    commit, plus, changes = record["commit"].partition("+")
    return f"{_said(record['versions'])}, on {machine}, commit {commit[:10]}{plus}{changes}"


def _said(versions: Any, keys: tuple[str, ...] = ()) -> str:
    """`numpy 2.1, scipy 1.15`; empty for a file that states none."""
    if not isinstance(versions, Mapping):
        return ""
    chosen = {key: versions[key] for key in keys if key in versions} if keys else versions
    return ", ".join(f"{key} {value}" for key, value in chosen.items())
