"""The tutorial, line by line: its files are written, its commands run in a fresh folder, its output is as shown."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "theory" / "TUTORIAL.md").read_text(encoding="utf-8")
WRONG = "theory: lemma7: came out false, the ledger expects true\n"
BLOCK = re.compile(r"^```(sh|python|text) ?(\S*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def run(line: str, folder: Path) -> str:
    """What a line of the page prints; it must succeed, or say that the draft came out false, as the page does."""
    words = shlex.split(line)
    words[:1] = [sys.executable] if words[0] == "python" else words[:1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "132"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    ends = (1, WRONG) if done.stderr == WRONG else (0, done.stderr)
    assert (done.returncode, done.stderr) == ends, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_line_of_the_tutorial_does_what_it_says(tmp_path):
    blocks = BLOCK.findall(PAGE)
    assert [language for language, _, _ in blocks].count("sh") >= 4
    printed = ""
    assert WRONG.removeprefix("theory: ").strip() in PAGE
    for language, name, text in blocks:
        if language == "python":
            (tmp_path / name).write_text(text, encoding="utf-8")
        elif language == "sh":
            printed = "".join(run(line, tmp_path) for line in text.splitlines())
        else:
            assert all(line in printed for line in text.splitlines()), f"{text}is not in\n{printed}"
    assert (tmp_path / "sent" / "index.html").is_file()
    assert "4 &lt;= 3" in (tmp_path / "sent" / "index.html").read_text(encoding="utf-8")


def test_the_files_the_tutorial_names_are_there():
    named = re.findall(r"`(theory/[\w/]+(?:\.py|/))`", PAGE)
    assert len(named) >= 4
    assert [name for name in named if not (ROOT / name).exists()] == []
