"""Holds `python -m figures` to its exit statuses, its one-line errors, its page and its workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from figures.__main__ import main
from figures.drawing import draw
from figures.files import INTRODUCTION
from figures.plate import PLATES, Settings, plates

ROOT = Path(__file__).resolve().parents[2]
SMALL = Settings(grid=21, gap_grid=11, gammas=1, points=30)


def refused(arguments: list[str], capsys) -> str:
    """The one line that a refused command prints; its exit status is 2 and it prints nothing else."""
    status: Any
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("figure2z", "figure 'figure2z' is unknown, did you mean figure2"),
        ("fig", "the known ones are figure1, figure2,"),
        ("figure1,nothing", "figure 'nothing' is unknown; the known ones are"),
        ("figure1,figure1", "'figure1' occurs twice"),
        ("", "has an empty entry"),
    ],
)
def test_an_unknown_figure_is_refused_and_the_known_ones_are_named(name, answer, capsys, tmp_path):
    assert answer in refused(["--only", name, "--out", str(tmp_path)], capsys)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_a_file_is_refused(capsys, tmp_path):
    path = tmp_path / "taken"
    path.write_text("", encoding="utf-8")
    assert f"out = {path} must be a folder" in refused(["--only", "figure1", "--out", str(path)], capsys)


def test_an_unknown_option_is_refused_with_the_nearest(capsys):
    assert "did you mean --out?" in refused(["--outt", "x"], capsys)


def test_a_file_of_bounds_of_another_kind_is_refused(capsys, tmp_path):
    path = tmp_path / "bounds.json"
    path.write_text("[1, 2]", encoding="utf-8")
    line = refused(["--only", "bounds_tightness", "--bounds", str(path), "--out", str(tmp_path)], capsys)
    assert "bounds.json, line 1: [0] = 1, need an object: write it with `python -m numerics bounds`" in line


def test_the_list_names_every_figure_and_loads_no_matplotlib():
    probe = (
        "import sys; from figures.__main__ import main; status = main(['--list']); "
        "print(status, 'matplotlib' in sys.modules or 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [plate.name for plate in PLATES]
    assert lines[-1] == "0 False"


def test_a_figure_is_written_with_its_page_and_a_missing_one_is_named_there(capsys, tmp_path):
    missing = tmp_path / "none.json"
    status = main(["--only", "figure1", "--out", str(tmp_path / "new"), "--bounds", str(missing)])
    assert status == 0
    assert "1 of 1 figures drawn" in capsys.readouterr().out
    page = (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
    assert page.startswith(INTRODUCTION)
    assert "(figure1.png)" in page
    assert "(figure2.png)" not in page
    both = ["--only", "bounds_tightness,figure1", "--out", str(tmp_path / "new"), "--bounds", str(missing)]
    assert main(both) == 0
    printed = capsys.readouterr()
    assert f"bounds_tightness is left out: there is no {missing}" in printed.err
    page = (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
    assert f"Not drawn: there is no {missing}" in page
    assert "(figure1.png)" in page
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "README.md",
        "figure1.json",
        "figure1.pdf",
        "figure1.png",
    ]


def test_a_command_that_draws_nothing_leaves_the_page_as_it_was(capsys, tmp_path):
    page = tmp_path / "README.md"
    page.write_text("of before", encoding="utf-8")
    asked = ["--only", "figure3", "--runs", "zzz*", "--out", str(tmp_path)]
    assert main([*asked, "--records", str(ROOT / "results")]) == 2
    printed = capsys.readouterr()
    assert "figure3 is left out" in printed.err
    assert printed.out == ""
    assert page.read_text(encoding="utf-8") == "of before"


@pytest.mark.parametrize("content", ["{}", "[" * 100_000, '{"title": 1}', "NaN"])
def test_a_figures_file_of_another_kind_is_refused_before_anything_is_drawn(content, capsys, tmp_path):
    (tmp_path / "figure2.json").write_text(content, encoding="utf-8")
    line = refused(["--only", "figure1", "--out", str(tmp_path)], capsys)
    assert f"{tmp_path / 'figure2.json'}" in line
    assert "draw it again with `python -m figures --only figure2`" in line
    assert [path.name for path in tmp_path.iterdir()] == ["figure2.json"]


def test_empty_names_are_refused(capsys):
    for option in ("--out", "--bounds", "--records"):
        assert f"argument {option}: '' must be the name of a f" in refused([option, ""], capsys)


def test_two_processes_draw_what_one_draws(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    chosen = plates(("figure2a", "figure2c"))
    told: list[tuple[int, int]] = []
    assert draw(chosen, tmp_path / "two", SMALL, lambda done, total, name: told.append((done, total))) == {}
    assert told == [(1, 2), (2, 2)]
    for plate in chosen:
        draw([plate], tmp_path / "one", SMALL, lambda done, total, name: None)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="interrupts of a process group are a matter of POSIX")
@pytest.mark.parametrize("wait", [0.05, 1.5])
def test_an_interrupt_ends_the_workers_at_once_with_one_line_and_status_130(wait, tmp_path):
    folder = tmp_path / "new"
    command = [
        sys.executable,
        "-m",
        "figures",
        "--only",
        "gamma_smoothness,gamma_optimum",
        "--out",
        str(folder),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not folder.exists() and process.poll() is None:
        time.sleep(0.01)
    # Early, when the workers load their modules, and late, when they compute.
    time.sleep(wait)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "figures: stopped\n")
    assert list(folder.iterdir()) == []
