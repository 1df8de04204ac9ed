"""The trainer's commands as a user meets them: where results lie, what is checked first, progress, Ctrl-C early."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from run_tools import tiny

import training.run
from training.engine.device import Computing
from training.results.records import append
from training.runs import progress
from training.runs.job import Job
from training.runs.progress import Board
from training.studies import engine_accuracy, golden_curve, parity, verdicts
from training.studies.acceleration import command as acceleration
from training.studies.bench import command as bench
from training.studies.landscape import command as landscape

ROOT = Path(__file__).resolve().parents[2]
PROMPT = 120.0  # seconds for what takes a few on an idle machine
COMMANDS = {
    "training.run": training.run,
    "training.studies.bench": bench,
    "training.studies.parity": parity,
    "training.studies.landscape": landscape,
    "training.studies.acceleration": acceleration,
    "training.studies.golden_curve": golden_curve,
    "training.studies.engine_accuracy": engine_accuracy,
    "training.studies.verdicts": verdicts,
}


def options(module) -> list[tuple[str, object]]:
    """The options of a command that name a file or a folder, with their defaults."""
    actions = module._parser()._actions
    named = [one for one in actions if getattr(one.type, "__name__", "") in ("file_name", "folder_name")]
    return [(one.option_strings[0], one.default) for one in named]


@pytest.mark.parametrize("name", COMMANDS)
def test_results_lie_below_the_working_directory_whatever_the_command(name: str) -> None:
    defaults = {default for _, default in options(COMMANDS[name]) if default is not None}
    assert defaults <= {Path("results")}
    assert not any(one.type is Path for one in COMMANDS[name]._parser()._actions)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_empty_name_of_a_file_or_folder_is_refused(name: str, capsys) -> None:
    for option, _ in options(COMMANDS[name]):
        with pytest.raises(SystemExit) as left:
            COMMANDS[name]._parser().parse_args([option, ""])
        said = capsys.readouterr().err
        assert left.value.code == 2
        assert f"argument {option}: '' must be the name of a f" in said
        assert said.count("\n") == 1


def test_rendering_says_where_the_tables_lie(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert training.run.main(["--render"]) == 0
    assert (
        capsys.readouterr().err
        == "training/run.py: written to results: tables.md and tables.tex, from records.jsonl\n"
    )
    assert (tmp_path / "results" / "tables.md").is_file()


@pytest.mark.parametrize(
    ("module", "work", "taken"),
    [
        (bench, "steps_entry", "training_bench.json"),
        (bench, "steps_entry", "training_bench.md"),
        (parity, "parity", "parity.jsonl"),
        (acceleration, "_train", "claim_compact.md"),
        (training.run, "_jobs", "records.jsonl"),
        (training.run, "_jobs", "tables.tex"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    module, work, taken, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(module, work, lambda *_, **__: pytest.fail("it worked first"))
    (tmp_path / taken).mkdir()
    assert module.main(["--out", str(tmp_path)]) == 2
    assert f"out = {tmp_path / taken} must be a file to replace, and is none" in capsys.readouterr().err
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert module.main(["--out", str(tmp_path / "file" / "below")]) == 2
    said = capsys.readouterr().err
    assert "no file can be made there" in said or "must be a folder" in said
    assert said.count("\n") == 1


def test_what_was_measured_is_printed_even_where_it_cannot_be_written(tmp_path, monkeypatch, capsys) -> None:
    entry = json.loads((ROOT / "results" / "training_bench.json").read_text(encoding="utf-8"))["entries"][0]
    monkeypatch.setattr(bench, "steps_entry", lambda *_, **__: dict(entry))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(bench, "replace_file", full)
    assert bench.main(["--out", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert "times reference" in printed.out
    assert "No space left on device" in printed.err
    monkeypatch.setattr(parity, "append", full)
    assert parity.main(["--out", str(tmp_path), "--steps", "1", "--moves", "1"]) == 2
    printed = capsys.readouterr()
    assert re.search(r"compact-at: parity (holds|does not hold) over 1 steps", printed.out)
    assert "No space left on device" in printed.err


def test_two_benches_at_once_keep_both_entries(tmp_path, monkeypatch) -> None:
    entry = json.loads((ROOT / "results" / "training_bench.json").read_text(encoding="utf-8"))["entries"][0]

    def meanwhile(*_: object, **__: object) -> dict:
        # While this one is at work another ends, of another number of images a step.
        monkeypatch.setattr(bench, "steps_entry", lambda *_, **__: dict(entry))
        assert bench.main(["--batch", "32", "--out", str(tmp_path)]) == 0
        return dict(entry)

    monkeypatch.setattr(bench, "steps_entry", meanwhile)
    assert bench.main(["--batch", "64", "--out", str(tmp_path)]) == 0
    kept = json.loads((tmp_path / "training_bench.json").read_text(encoding="utf-8"))["entries"]
    assert [one["batch"] for one in kept] == [32, 64]


class Screen(io.StringIO):
    """What a terminal was sent."""

    def isatty(self) -> bool:
        return True

    def last(self) -> str:
        return self.getvalue().rpartition("\x1b[K")[2]


def test_while_autoattack_runs_the_status_says_so_and_promises_no_end(tmp_path: Path, monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    screen = Screen()
    board = Board(2, screen)
    first, second = (Job(tiny("compact-at"), seed, tmp_path, computing=Computing()) for seed in (0, 1))

    def told(job: Job, **event: object) -> str:
        now[0] += 10
        board(job, {"epochs": 2, "examples": 100, "batches": 4, **event})
        return screen.last()

    told(first, event="batch", epoch=0, batch=0)
    assert "training 25 %, 5 images/s, 1:00 of training left" in told(first, event="batch", epoch=1, batch=0)
    said = told(first, event="autoattack", stage="apgd-t", batch=3, batches=8, accuracy=0.5)
    assert "training 50 %" in said
    assert "AutoAttack apgd-t 3/8" in said
    board.resumed["compact-at, seed 1"] = 0.0
    told(second, event="batch", epoch=1, batch=4)
    said = told(first, event="autoattack", stage="square", batch=7, batches=8, accuracy=0.5)
    assert said == "0/2 runs, AutoAttack square 7/8, 0:50 so far"
    assert "%" not in said
    assert "left" not in said


@pytest.mark.parametrize("seconds", [0.15, 0.6, 1.2, 2.4])
@pytest.mark.parametrize(
    "command",
    [
        ["-m", "training.studies.bench"],
        ["-m", "training.studies.parity"],
        ["-m", "training.studies.landscape", "--out", "nowhere"],
        ["training/run.py", "--recipe", "compact-at", "--seeds", "2", "--jobs", "2"],
    ],
    ids=lambda command: command[-1] if len(command) == 2 else command[1].rpartition(".")[2],
)
def test_ctrl_c_in_the_first_seconds_is_one_line(command: list[str], seconds: float, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    # Stands for the moment at which the interpreter is up: before it nothing of ours runs.
    (tmp_path / "sitecustomize.py").write_text(f"open({str(ready)!r}, 'a').close()\n", encoding="utf-8")
    out = [] if "--out" in command else ["--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, *command, *out],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + PROMPT
    while not ready.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=PROMPT)
    if process.returncode in (2, -signal.SIGINT):
        assert "no finished run" in said  # it had ended before, or was on its last way out
        return
    assert process.returncode == 130
    lines = [line for line in said.splitlines() if "go on from there" not in line and "stopped" not in line]
    assert lines == []
    assert said.count("\n") == 1


def test_records_may_be_appended_to_a_folder_that_is_new(tmp_path: Path) -> None:
    append(tmp_path / "new" / "parity.jsonl", {"a": 1}, lambda line: None)
    assert (tmp_path / "new" / "parity.jsonl").read_text(encoding="utf-8") == '{"a": 1}\n'
