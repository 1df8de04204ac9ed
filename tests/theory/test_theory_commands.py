"""`python -m theory` at the prompt: what `show` prints, bad input, closed pipes, and Ctrl-C at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from theory.__main__ import main
from theory.ledger.show import PIPED_WIDTH, console

ROOT = Path(__file__).resolve().parents[2]
CHECK = "--loss t*x-x**2 --x x --theta t --epsilon 1 --center 0 --at 1"
PROMPT = 20.0  # seconds for what takes 0.2 on an idle machine, so that a busy one does not fail


def start(*arguments: str, first_on_path: Path | None = None) -> subprocess.Popen[str]:
    """`python -m theory` in a process group of its own, which a Ctrl-C would reach as a whole."""
    environment = dict(os.environ)
    if first_on_path is not None:
        environment["PYTHONPATH"] = str(first_on_path)
    return subprocess.Popen(
        [sys.executable, "-m", "theory", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def assert_nobody_is_left(group: int) -> None:
    """A killed worker counts until its adoptive parent has collected it, so this waits a moment."""
    deadline = time.monotonic() + PROMPT
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"process group {group} still lives")


def test_show_prints_the_derivation_the_verdict_and_the_refuted_twins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show", "lemma2"]) == 0
    shown = capsys.readouterr().out
    assert "Verdict  true, proved, all d" in shown
    assert "NOT REFUTED" not in shown
    assert main(["show", "Eq. (32)"]) == 0
    assert "lemma2.eq32" in capsys.readouterr().out
    assert main(["show", "eq22"]) == 0
    assert "Verdict  typo" in capsys.readouterr().out
    assert main(["show", "prop1"]) == 0
    assert "prop1.eq9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "lemma99"], "claim 'lemma99' is unknown; did you mean"),
        (["show", "eq78"], "equation 78 is not in the paper, whose equations are numbered 1 to 77"),
        (["show", "lemma2.eq32", "--dim", "3"], "is decided without coordinates; leave --dim out"),
        (["show", "lemma2", "--dim", "0"], "must be a whole number of coordinates, at least 1"),
        (["show", "lemma2", "--dim", "-2"], "must be a whole number of coordinates, at least 1"),
        (["show", "eq32", "--dim", "3"], "eq32 stands for several claims; show one of them instead"),
        (["show"], "arguments are required: claim"),
        (["report", "--out", __file__], "out = " + __file__ + " must be a folder, and is none"),
        (["report", "--out", __file__ + "/below"], "must be a folder to write to, and no file can be made"),
        (["report", "--out", ""], "argument --out: '' must be the name of a folder"),
        (["shout"], "argument COMMAND: invalid choice: 'shout'"),
    ],
)
def test_bad_input_gives_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    captured = capsys.readouterr()
    assert status == 2
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_ids_may_be_written_in_any_case_and_with_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for name in ("lemma2.J-increases", "Lemma2.j-increases", "LEMMA 2.J-INCREASES"):
        assert main(["show", name]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0].startswith("lemma2.J-increases")
    assert shown[0] == shown[1] == shown[2]
    assert main(["show", "Prop1"]) == 0
    assert "prop1.eq9" in capsys.readouterr().out


def test_piped_output_is_as_wide_as_columns_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for columns, width in (
        ("70", 70),
        ("200", 200),
        ("", PIPED_WIDTH),
        ("0", PIPED_WIDTH),
        ("x", PIPED_WIDTH),
    ):
        monkeypatch.setenv("COLUMNS", columns)
        assert console().width == width
    monkeypatch.setenv("COLUMNS", "70")
    assert main(["show", "lemma2.bounded-set"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) in range(60, 71)


def test_colours_that_are_asked_for_leave_a_pipe_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.setenv(name, "1")
        monkeypatch.delenv("COLUMNS", raising=False)
        assert console().width == PIPED_WIDTH


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "lemma2"),
        ("check", *CHECK.split()),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_reader_that_closes_the_pipe_ends_the_command_without_a_word(arguments: tuple[str, ...]) -> None:
    process = start(*arguments)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is needed")
def test_output_that_cannot_be_written_is_one_line_and_status_2() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "theory", "show", "prop1"]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "theory: No space left on device\n"


def test_ctrl_c_during_the_imports_is_one_line_and_status_130(tmp_path: Path) -> None:
    # Stands in for the first package that the command loads, at the moment a Ctrl-C arrives.
    (tmp_path / "rich.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    process = start("show", "lemma2", first_on_path=tmp_path)
    assert process.communicate(timeout=60) == ("", "theory: stopped\n")
    assert process.returncode == 130


def test_ctrl_c_while_the_ledger_is_decided_ends_it_at_once_with_its_workers(tmp_path: Path) -> None:
    process = start("--json")
    assert process.stderr is not None
    assert "statement files decided" in process.stderr.readline()
    pressed = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - pressed < PROMPT
    assert process.returncode == 130
    assert out == ""
    assert [line for line in err.splitlines() if "statement files decided" not in line] == ["theory: stopped"]
    assert_nobody_is_left(process.pid)


def test_ctrl_c_while_z3_searches_is_not_taken_for_an_answer() -> None:
    hard = """
import subprocess, sys, os, sympy as sp
from theory.deciders.reals import implies
x = sp.symbols("x0:8", real=True)
shifted = lambda k: x[k:] + x[:k]
given = [sp.Gt(a**3*b + c**2 - d*a, k - 3) for k, (a, b, c, d) in enumerate(zip(x, *map(shifted, (1, 2, 3))))]
given += [sp.Lt(a*b + c**3, 2) for a, b, c in zip(x, *map(shifted, (2, 5)))]
subprocess.Popen(["sh", "-c", f"sleep 1; kill -INT {os.getpid()}"])
try:
    fact = implies("", given, sp.Ne(sum(x)**3, 17))
except KeyboardInterrupt:
    print("stopped")
else:
    print(fact.line())
"""
    done = subprocess.run([sys.executable, "-c", hard], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "stopped\n", done


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "lemma5", "--json"], "--json is an option of python -m theory itself, not of its command"),
        (["--json", "show", "lemma5"], "--json before show is for the ledger alone; show prints none"),
        (["--json", "check", "--loss", "t*x-x**2"], "--json before check is for the ledger alone"),
        (["--dim=3", "show", "lemma5"], "--dim is an option of the command: write it after show"),
        (
            ["--paper", "elsewhere", "new", "here"],
            "--paper is for the ledger, show and report; new takes none",
        ),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--loss" in arguments:
        arguments = ["--json", "check", *CHECK.split()]
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert message in printed.err
