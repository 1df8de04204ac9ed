"""A paper of one's own: the folder that `new` writes passes, anywhere; what does not fit together is one clear line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from theory.__main__ import main
from theory.ledger.new import TEMPLATE
from theory.ledger.paper import DEFAULT, numbered, open_paper
from theory.ledger.rows import coverage, rows

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example, in a folder of its own."""
    made = tmp_path / "my paper"
    shutil.copytree(TEMPLATE, made, ignore=shutil.ignore_patterns("__pycache__"))
    return made


def change(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{old!r} is not in {name}"
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def test_new_writes_a_folder_whose_ledger_and_tests_pass(tmp_path, capsys):
    made = tmp_path / "lemma"
    assert main(["new", str(made)]) == 0
    assert main(["--paper", str(made)]) == 0
    shown = capsys.readouterr().out
    assert "3 statements: 2 true, 1 false" in shown
    assert "equations covered: 3 of 3" in shown
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(made)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert int(re.findall(r"(\d+) passed", run.stdout)[0]) == 18


def test_a_wrong_claim_turns_the_tests_of_its_folder_red(folder):
    change(
        folder, "angle.py", "stated.constant * (1 - c)", "2 * (1 - c)"
    )  # a check that reads nothing of the print
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "eq3: the false neighbour is refuted: one per cent less" in run.stdout


def test_show_and_report_speak_of_the_paper_that_is_named(folder, tmp_path, capsys):
    assert main(["--paper", str(folder), "show", "eq2"]) == 0
    assert "2^2 - 1^2 = 3" in capsys.readouterr().out
    assert main(["--paper", str(folder), "report", "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "theory.md").read_text(encoding="utf-8")
    assert text.startswith("# Ledger of *A paper of three statements* (an example)")
    assert "Kanai" not in text


def test_new_overwrites_nothing(folder, capsys):
    assert main(["new", str(folder)]) == 2
    assert "exists and is not empty" in capsys.readouterr().err
    (folder.parent / "file").write_text("")
    assert main(["new", str(folder.parent / "file")]) == 2


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "angle.py",
            'id="eq3"',
            'id="eq1"',
            "'eq1' of .*angle.py has the id of a claim of sum_and_length.py: give it",
        ),
        (
            "angle.py",
            "equations=(3,)",
            "equations=(4,)",
            "cites equation 4, .* its equations are numbered 1 to 3; mend",
        ),
        ("angle.py", "Sec. 2", "Sec. 7.1", "stands in section '7.1', .* its sections are 1, 2; mend"),
        (
            "square.py",
            'Twin("one per cent less", {"constant": sp.Rational(198, 100)}),',
            "",
            "has 1 twins, .* at least 2: add false",
        ),
        ("paper.py", '"angle")', '"angle", "lemma9")', "names 'lemma9', which is no file with CLAIMS"),
        ("paper.py", ', "angle")', ")", "must name 'angle' once, and names it 0 times"),
        ("paper.py", "PAPER =", "OTHER =", "must define PAPER, .*; it has none"),
        ("paper.py", "PAPER = Paper(", "PAPER = Paper((", "paper.py, line [0-9]+: .*: mend it"),
        ("angle.py", "CLAIMS = (", "CLAIMS = (1,", "CLAIMS of .*angle.py must be a tuple of"),
    ],
)
def test_what_does_not_fit_together_is_one_line_and_status_2(name, old, new, said, folder, capsys):
    change(folder, name, old, new)
    assert main(["--paper", str(folder)]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "files decided" not in line]
    assert len(lines) == 1
    assert re.search(said, lines[0]), lines[0]


def test_a_check_that_yields_no_fact_is_named(folder, capsys):
    change(folder, "angle.py", "check=apart", "check=lambda stated: ()")
    assert main(["--paper", str(folder)]) == 2
    assert "check of claim 'eq3' yields no fact" in capsys.readouterr().err


def test_a_folder_without_a_paper_is_one_line(tmp_path, capsys):
    for missing in (tmp_path, tmp_path / "nowhere"):
        assert main(["--paper", str(missing)]) == 2
        assert re.match(r"theory: paper = .* (has no paper.py|is no folder)", capsys.readouterr().err)


def test_two_folders_with_files_of_the_same_name_do_not_meet(folder, tmp_path):
    other = tmp_path / "other" / "my paper"
    shutil.copytree(folder, other)
    change(other, "angle.py", "Unit vectors with", "Other vectors with")
    titles = [open_paper(one).titles["eq3"] for one in (folder, other)]
    assert [title.split()[0] for title in titles] == ["Unit", "Other"]


def test_files_of_a_paper_share_helpers_by_relative_imports_in_worker_processes_too(folder):
    (folder / "helper.py").write_text("SHARED = 'Unit vectors that share'\n")
    change(folder, "angle.py", "import sympy as sp\n", "import sympy as sp\n\nfrom .helper import SHARED\n")
    change(
        folder,
        "angle.py",
        'title="Unit vectors with <u, v> >= c are at most sqrt(2 (1 - c)) apart"',
        "title=SHARED",
    )
    found = rows(open_paper(folder), workers=2)
    assert [row.title for row in found if row.id == "eq3"] == ["Unit vectors that share"]


def test_the_order_of_files_is_alphabetical_where_none_is_given(folder):
    change(folder, "paper.py", "order=", "authors_of_order=")
    change(folder, "paper.py", 'authors_of_order=("sum_and_length", "square", "angle"),', "")
    paper = open_paper(folder)
    assert paper.files == ("angle", "square", "sum_and_length")
    assert coverage(paper.claims, paper) == {1: ["eq1"], 2: ["eq2"], 3: ["eq3"]}


def test_equation_numbers_are_said_as_a_reader_says_them():
    assert numbered(range(1, 78)) == "numbered 1 to 77"
    assert numbered((4, 1)) == "numbered 1, 4"
    assert numbered(()) == "not numbered"


def test_the_machine_names_no_paper():
    """Outside its own folder nothing in theory/ speaks of the paper of this project."""
    spoken = re.compile(r"Kanai|Smoothness Analysis|2103\.01400|\b77\b")
    machine = [path for path in (ROOT / "theory").rglob("*.py") if DEFAULT not in path.parents]
    said = [
        f"{path.name}: {line}"
        for path in machine
        if not path.name.startswith("test_")
        for line in path.read_text(encoding="utf-8").splitlines()
        if spoken.search(line)
    ]
    assert said == []
    assert spoken.search((DEFAULT / "paper.py").read_text(encoding="utf-8"))
