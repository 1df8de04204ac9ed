"""What a house's own README.md names is there: every file, and in it every definition said to stand in it.

`file.py` `name` on such a page means that the file, relative to the page or to the project, defines the name. So do
further names behind it, up to the next file.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from imported_names import ROOT
from test_storeys import STOREYS

MOST_LINES = 60
HOUSES = [house for house in STOREYS if (ROOT / house / "README.md").is_file()]
QUOTED = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w/]+\.(?:py|sh)")
FOLDER = re.compile(r"[\w/]+/")
NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)?")


def missing(page: str, house: Path) -> list[str]:
    """The files, folders and definitions that a page names and the house lacks."""
    lacking: list[str] = []
    known: set[str] = set()
    for quoted in QUOTED.findall(page):
        if FILE.fullmatch(quoted) or FOLDER.fullmatch(quoted):
            path = next((at / quoted for at in (house, ROOT) if (at / quoted).exists()), None)
            if path is None:
                lacking.append(quoted)
            if path is not None and path.suffix == ".py":
                known = definitions(path.read_text(encoding="utf-8"))
        elif NAME.fullmatch(quoted) and quoted not in known:
            lacking.append(quoted)
    return lacking


def definitions(source: str) -> set[str]:
    """Functions, classes, methods as `Class.method`, and module constants."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {one.id for one in targets if isinstance(one, ast.Name)}
    return found


@pytest.mark.parametrize("house", HOUSES)
def test_a_page_names_what_is_there(house):
    assert missing((ROOT / house / "README.md").read_text(encoding="utf-8"), ROOT / house) == []


@pytest.mark.parametrize("house", HOUSES)
def test_a_page_is_short_and_shows_every_room_on_its_storey(house):
    page = (ROOT / house / "README.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) < MOST_LINES
    (drawing,) = re.findall(r"^```text\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    drawn = [set(re.findall(r"(\w+)/", line)) for line in drawing.splitlines()]
    folders = [{room for room in storey if (ROOT / house / room).is_dir()} for storey in STOREYS[house]]
    assert [on for on in drawn if on] == [on for on in folders[::-1] if on]


def test_the_page_of_training_follows_a_minibatch():
    assert "training" in HOUSES


@pytest.mark.parametrize(
    ("page", "lacking"),
    [
        ("`a.py` `f`, `C.m`, `LIMIT`, `TYPED`, then `rooms/`", []),
        ("`b.py` `f`", ["b.py", "f"]),
        ("`a.py` `g`", ["g"]),
        ("`a.py` `C.n`", ["C.n"]),
        ("`f` of `a.py`", ["f"]),
        ("`a.py` `f`, `rooms/c.py` `f`", ["f"]),
        ("`attic/`", ["attic/"]),
        ("`python -m rooms --all`", []),
    ],
)
def test_a_name_that_is_not_there_is_reported(tmp_path, page, lacking):
    (tmp_path / "rooms").mkdir()
    source = (
        "LIMIT = 1\nTYPED: int = 2\n\n\ndef f():\n    pass\n\n\nclass C:\n    def m(self):\n        pass\n"
    )
    (tmp_path / "a.py").write_text(source, encoding="utf-8")
    (tmp_path / "rooms" / "c.py").write_text("", encoding="utf-8")
    assert missing(page, tmp_path) == lacking
