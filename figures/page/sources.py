"""What the report page is made of: the files in results/, read whole, and refused when they are something else.

A file that is not there is None, so that its section can name the command that makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from figures.page.grids import Grid, grids
from figures.shapes import ABOUT, BOUND, CAPTION, ROW, check_bounds, each_once
from support.own_files import decoded, read_bytes, read_json
from support.shapes import Shape
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
    tables = _text(results / TABLES[0], TABLES[1])
    records = results / RECORDS[0]
    return Sources(
        ledger=_rows(results, *LEDGER, ROW, each_once),
        bounds=_rows(results, *BOUNDS, BOUND, check_bounds),
        pictures=_pictures(results / FIGURES[0]),
        grids=None if tables is None else grids(tables),
        records=read_records(records) if records.exists() else None,
        bench=_json(results / BENCH[0], BENCH[1], ABOUT),
        inputs=_inputs(results),
    )


def _rows(results: Path, name: str, line: str, shape: Shape, check: Any) -> list[dict[str, Any]] | None:
    return _json(results / name, line, [shape, ...], check)


def _pictures(folder: Path) -> tuple[Picture, ...]:
    found = []
    for path in sorted(folder.glob("*.json")):
        facts = _json(path, FIGURES[1], CAPTION)
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


def _json(path: Path, line: str, shape: Shape, check: Any = lambda content: None) -> Any:
    """None where there is no such file."""
    if not path.exists():
        return None
    return read_json(path, shape, check=check, remedy=f"write it again with `{line}`")


def _text(path: Path, line: str) -> str | None:
    content = _bytes(path)
    try:
        return None if content is None else decoded(content)
    except ValueError as error:
        raise _other(path, line, f"it {error}") from None


def _bytes(path: Path) -> bytes | None:
    """What a regular file holds; None for anything else."""
    return read_bytes(path) if path.is_file() else None


def _other(path: Path, line: str, what: str) -> ValueError:
    return ValueError(f"{path} is not what `{line}` writes: {what}; write it again")
