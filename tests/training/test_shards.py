"""Tables on machines that fail, and on many of them: --retries, --keep-going, --shard and --merge, with real workers
that are really killed."""

from __future__ import annotations

import fcntl
import signal
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from mortal import killed_after_its_second_epoch, killed_with_seed_0
from run_tools import same_to_the_bit, started, trained

from support.workers import WorkerLost
from training.cells.recipes import recipe
from training.results.records import read
from training.run import _jobs, _parser, _part, _recipes, main
from training.runs import workers
from training.runs.job import Job
from training.runs.progress import Board
from training.runs.workers import _Failures

TINY = ["--recipe", "compact-at", "--epochs", "3", "--test-examples", "20", "--validation", "10"]
TINY += ["--autoattack", "none", "--threads", "1"]
NAME = "compact-at-val10, seed"
PATIENCE = 240.0  # seconds for what takes some


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    with warnings.catch_warnings():
        yield
    torch.set_num_threads(before)


def run(*arguments: object) -> int:
    """The exit status of the command line, also where its parser ends it."""
    try:
        return main([str(one) for one in arguments])
    except SystemExit as left:
        return int(left.code or 0)


@pytest.mark.parametrize("text", ["3/2", "0/4", "a/b", "1/0", "-1/4", "1", "1/2/3", "1.5/2", ""])
def test_a_part_that_is_none_is_refused_in_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--shard", text) == 2
    said = capsys.readouterr().err
    assert f"argument --shard: {text!r} is no part; write i/n" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("text", ["-1", "some", "1.5"])
def test_retries_that_are_no_number_are_refused_in_one_line(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--retries", text) == 2
    said = capsys.readouterr().err
    assert f"argument --retries: {text!r} is not an integer of at least 0" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("parts", [1, 2, 3, 5, 18, 25])
def test_the_parts_of_a_table_make_the_whole_and_differ_by_one_run_at_most(parts: int) -> None:
    def runs(*more: str) -> list[str]:
        options = _parser().parse_args(["--table", "compact", *more])
        return [job.name for job in _part(options, _jobs(options, _recipes(options)))]

    found = [runs("--shard", f"{number}/{parts}") for number in range(1, parts + 1)]
    assert [name for part in found for name in part] == runs()
    assert len(set(runs())) == 18  # six methods, three seeds
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_a_run_whose_worker_is_killed_goes_on_from_its_checkpoint_and_ends_as_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*TINY, "--out", tmp_path / "plain") == 0
    monkeypatch.setattr(workers, "_work", killed_after_its_second_epoch)
    events: list[Mapping[str, Any]] = []
    shown = Board.__call__

    def hearing(board: Board, job: Job, event: Mapping[str, Any]) -> None:
        events.append(event)
        shown(board, job, event)

    monkeypatch.setattr(Board, "__call__", hearing)
    assert run(*TINY, "--retries", "1", "--checkpoint-seconds", "0", "--out", tmp_path / "killed") == 0
    assert (
        f"{NAME} 0: a worker process was ended from outside (SIGKILL), for want of memory perhaps; it goes on, "
        in (capsys.readouterr().err)
    )
    retried = [event["event"] for event in events].index("again")
    first = next(event for event in events[retried:] if event["event"] == "batch")
    assert first["epoch"] >= 1  # counted from 0: the first epoch is not done again
    assert len(read(tmp_path / "killed" / "records.jsonl")) == 1
    places = [next((tmp_path / out).glob("runs/*/seed0-epochs3")) for out in ("plain", "killed")]
    assert same_to_the_bit(*map(trained, places))


def test_a_run_whose_worker_is_killed_each_time_is_told_in_one_line_once_the_retries_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "_work", killed_with_seed_0)
    assert run(*TINY, "--retries", "1", "--out", tmp_path) == 1
    first, last = [line for line in capsys.readouterr().err.splitlines() if "a worker process" in line]
    assert first.endswith("it goes on, retry 1 of 1")
    assert last.startswith(f"training/run.py: {NAME} 0: a worker process was ended from outside (SIGKILL)")
    assert last.endswith("; retries used: 1")
    assert not (tmp_path / "records.jsonl").exists()


def test_a_failed_run_does_not_stop_the_others_and_is_listed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two = [*TINY, "--epochs", "1", "--seeds", "3", "--jobs", "1", "--keep-going", "--out", tmp_path]
    with monkeypatch.context() as disturbed:
        disturbed.setattr(workers, "_work", killed_with_seed_0)
        # That of seed 1 is another process', as of the same command given twice.
        folder = tmp_path / "runs" / "compact-at-val10"
        folder.mkdir(parents=True)
        with (folder / ".seed1-epochs1.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert run(*two) == 1
    *_, first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"training/run.py: failed: {NAME} 0: a worker process was ended from outside")
    assert second.startswith(f"training/run.py: failed: {NAME} 1: ")
    assert second.endswith("another process is at this run; let it finish")
    assert [record["seed"] for record in read(tmp_path / "records.jsonl")] == [2]
    assert (tmp_path / "tables.md").is_file()
    assert run(*two) == 0
    assert "1 of 3 runs were finished before" in capsys.readouterr().err
    assert sorted(record["seed"] for record in read(tmp_path / "records.jsonl")) == [0, 1, 2]


def test_data_that_are_not_there_are_bad_input_also_where_failures_do_not_stop_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--table", "laptop", "--keep-going", "--out", tmp_path, "--data-dir", tmp_path / "none") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_that_was_to_begin_anew_goes_on_only_from_what_it_did_itself(tmp_path: Path) -> None:
    job = Job(recipe("compact-at"), 0, tmp_path, resume=False)
    lost = WorkerLost(job, -signal.SIGKILL, "run it again")
    failures = _Failures(lambda job, event: None, 2, False)
    before = failures.again(job, lost)
    failures.heard(job, {"event": "batch"})
    after = failures.again(job, lost)
    assert before is not None
    assert after is not None
    assert (before.resume, after.resume) == (False, True)


def test_parts_that_run_at_once_leave_the_records_and_the_tables_of_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = tmp_path / "shared"
    three = [*TINY, "--epochs", "1", "--seeds", "2", "--out", str(shared)]
    processes = [started([*three, "--shard", f"{number}/2"], tmp_path / f"log{number}") for number in (1, 2)]
    deadline = time.monotonic() + PATIENCE
    for number, process in enumerate(processes, start=1):
        process.join(deadline - time.monotonic())
        said = (tmp_path / f"log{number}").read_text(encoding="utf-8")
        assert process.exitcode == 0, said
        assert f"part {number}/2: 1 of 2 runs" in said
    records = read(shared / "records.jsonl")
    assert sorted(record["seed"] for record in records) == [0, 1]
    tables = (shared / "tables.md").read_bytes()
    assert run("--render", "--out", shared) == 0
    assert (shared / "tables.md").read_bytes() == tables
    # Of folders that nobody shares: one record in each, one in both.
    lines = (shared / "records.jsonl").read_bytes().splitlines(keepends=True)
    for name, own in (("a", lines[:1]), ("b", lines)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "records.jsonl").write_bytes(b"".join(own))
    merged = tmp_path / "merged"
    for added in (2, 0):
        assert run("--merge", tmp_path / "a", tmp_path / "b", "--out", merged) == 0
        assert f"{added} records joined those in {merged}" in capsys.readouterr().err
        assert read(merged / "records.jsonl") == records
        assert (merged / "tables.md").read_bytes() == tables


def test_a_folder_without_records_is_not_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--merge", tmp_path / "none", "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "none" / "records.jsonl") in said
    assert said.count("\n") == 1
