"""A grid as Markdown and as LaTeX (training/results/typesetting.py)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from run_records import run_record

from training.results.tables import render
from training.results.typesetting import Grid, typeset


def test_markdown_keeps_a_bar_inside_its_cell() -> None:
    text = typeset(Grid("t", ("a", "b"), (("x|y", "z"),), ()), "markdown")
    assert r"| x\|y | z |" in text


def test_notes_become_a_list_in_latex_and_no_list_without_any() -> None:
    grid = Grid("t", ("a",), (("x",),), ("one & two",))
    assert "\\begin{itemize}\n\\item one \\& two\n\\end{itemize}\n\\end{table}" in typeset(grid, "latex")
    assert "itemize" not in typeset(replace(grid, notes=()), "latex")


def test_a_grid_with_a_short_row_is_refused() -> None:
    with pytest.raises(ValueError, match=r"row \('x',\) has 1 entries, need 2"):
        Grid("t", ("a", "b"), (("x",),), ())


def test_more_than_26_remarks_get_letters_of_their_own() -> None:
    records = [run_record("cifar10-rn18-at", 0, 100, epochs=epochs) for epochs in range(2, 32)]
    text = render("1", records)
    marks = re.findall(r"^- \[([a-z]+)\] shortened", text, flags=re.MULTILINE)
    assert marks[:2] == ["a", "b"]
    assert marks[25:] == ["z", "aa", "ab", "ac", "ad"]
