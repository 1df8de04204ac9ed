"""What the report page is made of: the files in results/, read whole, and refused when they are something else.

A file that is not there is None, so that its section can name the command that makes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from figures.page.grids import Grid, grids
from figures.page.shapes import BOUND, CAPTION, ID, ROW, wrong_bound, wrong_claim, wrong_fields
from training.results.records import Record
from training.results.records import read as read_records

LEDGER = ("theory.json", "python -m theory report")
BOUNDS = ("bounds.json", "python -m numerics bounds")
FIGURES = ("figures/", "python -m figures")
TABLES = ("tables.md", "python training/run.py")
RECORDS = ("records.jsonl", "python training/run.py")
BENCH = ("bench.json", "python -m numerics bench")
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """A figure: its name, its JSON file, and the PNG where there is one."""

    name: str
    facts: dict[str, Any]
    png: bytes | None


@dataclass(frozen=True)
class Input:
    """A file, or a folder of figures, that the page was made of: its size in bytes, its SHA-256, its command."""

    name: str
    size: int
    digest: str
    command: str


@dataclass(frozen=True)
class Sources:
    """Everything the page shows; None for a file that is not there."""

    ledger: list[dict[str, Any]] | None
    bounds: list[dict[str, Any]] | None
    pictures: tuple[Picture, ...]
    grids: tuple[Grid, ...] | None
    records: list[Record] | None
    bench: dict[str, Any] | None
    inputs: tuple[Input, ...]


def load(results: Path) -> Sources:
    """Reads a folder of results.

    Raises: ValueError when there is no such folder, or naming the file that is not what its command writes.
    """
    if not results.is_dir():
        raise ValueError(f"results = {results} must be a folder, and is none: make it with `make reproduce`")
    tables = _bytes(results / TABLES[0])
    records = results / RECORDS[0]
    bench = _json(results / BENCH[0], BENCH[1])
    if bench is not None and not (isinstance(bench, dict) and isinstance(bench.get("about"), dict)):
        raise _other(results / BENCH[0], BENCH[1], "it holds no object with `about`")
    return Sources(
        ledger=_rows(results, *LEDGER, ROW, wrong_claim),
        bounds=_rows(results, *BOUNDS, BOUND, wrong_bound),
        pictures=_pictures(results / FIGURES[0]),
        grids=None if tables is None else grids(_decoded(tables, results / TABLES[0], TABLES[1])),
        records=read_records(records) if records.is_file() else None,
        bench=bench,
        inputs=_inputs(results),
    )


def _rows(
    results: Path, name: str, line: str, fields: Mapping[str, tuple[type, ...]], check: Any
) -> list[dict[str, Any]] | None:
    """The objects of a JSON list, each with these fields and an id of its own."""
    path = results / name
    rows = _json(path, line)
    if rows is None:
        return None
    if not isinstance(rows, list) or not rows:
        raise _other(path, line, "it holds no list of rows")
    seen: set[str] = set()
    for place, row in enumerate(rows):
        wrong = wrong_fields(row, fields) or check(row)
        if not wrong and (row["id"] in seen or not ID.fullmatch(row["id"])):
            wrong = f"id = {row['id']!r}, need letters, digits, dots and dashes, each id once"
        if wrong:
            raise _other(path, line, f"row {place + 1}: {wrong}")
        seen.add(row["id"])
    return rows


def _pictures(folder: Path) -> tuple[Picture, ...]:
    found = []
    for path in sorted(folder.glob("*.json")):
        facts = _json(path, FIGURES[1])
        if wrong_fields(facts, CAPTION):
            raise _other(path, FIGURES[1], wrong_fields(facts, CAPTION))
        assert isinstance(facts, dict)
        png = _bytes(path.with_suffix(".png"))
        if png is not None and (png[: len(PNG)] != PNG or len(png) < 24):
            raise _other(path.with_suffix(".png"), FIGURES[1], "it is no PNG")
        found.append(Picture(path.stem, facts, png))
    return tuple(found)


def _inputs(results: Path) -> tuple[Input, ...]:
    found = []
    for name, line in (LEDGER, BOUNDS, FIGURES, TABLES, RECORDS, BENCH):
        if name == FIGURES[0]:
            paths = sorted(one for ending in ("json", "png") for one in (results / name).glob(f"*.{ending}"))
        else:
            paths = [results / name] if (results / name).is_file() else []
        if paths:
            content = b"".join(path.read_bytes() for path in paths)
            found.append(Input(name, len(content), sha256(content).hexdigest(), line))
    return tuple(found)


def _json(path: Path, line: str) -> Any:
    content = _bytes(path)
    if content is None:
        return None
    try:
        return json.loads(_decoded(content, path, line))
    except RecursionError:
        raise _other(path, line, "it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _other(path, line, f"it is no JSON ({error})") from None


def _decoded(content: bytes, path: Path, line: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _other(path, line, f"it is no text ({error.reason} at byte {error.start})") from None


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _other(path: Path, line: str, what: str) -> ValueError:
    return ValueError(f"{path} is not what `{line}` writes: {what}; write it again")
