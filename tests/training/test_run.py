"""The command line of the trainer: from a recipe to its record and the rendered tables, and every kind of bad input."""

from __future__ import annotations

import copy
import errno
import functools
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from run_tools import same_to_the_bit, started, trained

import training.run
from support.progress import duration
from training.cells import recipes
from training.cells.recipes import RECIPES, recipe
from training.engine.device import Computing
from training.evaluation import autoattack_accuracy
from training.results.averages import average, groups
from training.results.records import read
from training.run import main
from training.runs import checkpoint, outcome
from training.runs.job import Job, satisfied
from training.runs.progress import Board

ROOT = Path(__file__).resolve().parents[2]
TINY = ("--recipe", "compact-at", "--epochs", "1", "--test-examples", "20", "--validation", "10")
PATIENCE = 240.0


@pytest.fixture(autouse=True)
def _as_before():
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


@pytest.mark.parametrize("command", [["training/run.py"], ["-m", "training.run"]])
def test_it_lists_the_recipes_as_a_script_and_as_a_module_without_torch(command, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('torch is loaded')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    arguments = [sys.executable, *command, "--list"]
    shown = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert all(name in shown.stdout for name in RECIPES if not name.endswith("-val"))


def test_it_runs_from_another_folder(tmp_path):
    arguments = [sys.executable, str(ROOT / "training" / "run.py"), "--list"]
    shown = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "compact-awp-2ndensgd" in shown.stdout


def test_a_recipe_becomes_a_record_and_a_table_once(tmp_path, capsys, monkeypatch):
    assert run(*TINY, "--autoattack", "none", "--out", tmp_path) == 0
    said = capsys.readouterr().err
    assert "compact-at-val10, seed 0: epoch 1/1, loss" in said
    (record,) = read(tmp_path / "records.jsonl")
    assert record["recipe"]["name"] == "compact-at-val10"
    assert (record["epochs_run"], record["shortened"], record["seed"], record["data"]) == (
        1,
        True,
        0,
        "digits",
    )
    assert record["selection"]["best_test"]["n_test"] == 20
    assert record["selection"]["best_test"]["autoattack"] is None
    assert record["curve"]["epoch"] == [1]
    assert record["threads"] == 1
    # The same again does nothing, ...
    before = (tmp_path / "records.jsonl").read_bytes()
    assert run(*TINY, "--autoattack", "none", "--out", tmp_path) == 0
    assert "1 of 1 runs were finished before" in capsys.readouterr().err
    assert (tmp_path / "records.jsonl").read_bytes() == before
    # ... and an AutoAttack asked for later is run on the weights that were kept.
    short = functools.partial(autoattack_accuracy, stages=("apgd-ce",))
    monkeypatch.setattr(outcome, "autoattack_accuracy", short)
    weights = next(tmp_path.glob("runs/*/*/trained.pt"))
    made = weights.stat().st_mtime_ns
    assert run(*TINY, "--autoattack", "all", "--autoattack-examples", "10", "--out", tmp_path) == 0
    _, later = read(tmp_path / "records.jsonl")
    for name, checkpoint_there in later["selection"].items():
        earlier = record["selection"][name]
        assert (checkpoint_there["clean"], checkpoint_there["pgd20"]) == (earlier["clean"], earlier["pgd20"])
        assert checkpoint_there["attacks"]["autoattack"]["n"] == 10
        assert checkpoint_there["autoattack_stages"] == {"apgd-ce": checkpoint_there["autoattack"]}
        assert 0 <= checkpoint_there["autoattack"] <= 1
    assert weights.stat().st_mtime_ns == made
    # Another seed's stages are other results of the same attack: the two are averaged.
    other = {**copy.deepcopy(later), "seed": 1}
    other["selection"]["best_test"]["autoattack_stages"] = {"apgd-ce": 0.0}
    found = average([later, other], "best_test", "autoattack")
    assert found is not None
    assert found.std == 0


def test_rendering_names_what_is_missing_and_writes_both_forms(tmp_path, capsys):
    assert run("--render", "--out", tmp_path) == 0
    shown = capsys.readouterr().out
    assert all(f"Table {number}" in shown for number in "123")
    assert "missing" in shown
    assert (tmp_path / "tables.md").read_text().strip() == shown.strip()
    assert r"\begin{tabular}" in (tmp_path / "tables.tex").read_text()


def test_runs_in_processes_of_their_own_that_are_stopped_end_as_runs_one_after_the_other(tmp_path):
    two = ["--recipe", "compact-at-ensgd", "--epochs", "2", "--seeds", "2", "--autoattack", "none"]
    two += ["--test-examples", "20", "--validation", "10"]
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    assert run(*two, "--jobs", "1", "--out", alone) == 0
    process = started(
        [*two, "--jobs", "2", "--checkpoint-seconds", "0", "--out", str(beside)], tmp_path / "log"
    )
    deadline = time.monotonic() + PATIENCE
    while len(list(beside.glob("runs/*/*/checkpoint.pt"))) < 2 and time.monotonic() < deadline:
        assert process.is_alive(), (tmp_path / "log").read_text()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGTERM)
    process.join(PATIENCE)
    assert process.exitcode == 143, (tmp_path / "log").read_text()
    assert not (beside / "records.jsonl").exists()
    assert run(*two, "--jobs", "1", "--out", beside) == 0
    for seed in (0, 1):
        places = [next(out.glob(f"runs/*/seed{seed}-epochs2")) for out in (alone, beside)]
        assert same_to_the_bit(*map(trained, places))


def test_a_finished_run_is_not_taken_for_one_that_is_evaluated_or_computed_otherwise(tmp_path):
    out = tmp_path / "out"
    assert run(*TINY, "--autoattack", "none", "--out", out) == 0
    (record,) = read(out / "records.jsonl")
    job = Job(
        recipe("compact-at-val10"),
        0,
        out,
        epochs=1,
        test_examples=20,
        autoattack="none",
        computing=Computing(threads=1),
    )
    assert satisfied(job, [record])
    attacked = copy.deepcopy(record)
    attacked["selection"]["best_test"]["attacks"]["autoattack"] = {"n": 10}
    asked = replace(job, autoattack="table", autoattack_examples=10)
    assert satisfied(asked, [attacked])
    assert not satisfied(asked, [record])
    assert not satisfied(replace(asked, autoattack_examples=15), [attacked])
    assert not satisfied(replace(job, evaluate_every=2), [record])
    for change in ({"amp": "bf16"}, {"channels_last": True}, {"engine": "reference"}, {"device": "cuda"}):
        assert not satisfied(replace(job, computing=replace(job.computing, **change)), [record])


def test_missing_seeds_are_refused_where_a_number_of_seeds_is_asked_for(tmp_path, capsys):
    assert run(*TINY, "--autoattack", "none", "--out", tmp_path) == 0
    path = tmp_path / "records.jsonl"
    whole = (
        path.read_text()
        .replace('"epochs_run": 1', '"epochs_run": 30')
        .replace('"shortened": true', '"shortened": false')
    )
    full = json.loads(whole)
    full["recipe"], full["digest"] = asdict(recipe("compact-at")), recipe("compact-at").digest
    full["selection"]["last"]["epoch"] = 30
    path.write_text(json.dumps(full) + "\n")
    capsys.readouterr()
    assert run("--render", "--out", tmp_path) == 0
    assert run("--render", "--seeds", "5", "--out", tmp_path) == 2
    assert "compact-at on digits has seeds 0, but 0, 1, 2, 3, 4 were asked for" in capsys.readouterr().err


def test_a_record_that_came_without_its_run_is_reproduced_and_the_new_one_counts(tmp_path):
    assert run(*TINY, "--autoattack", "none", "--out", tmp_path) == 0
    shutil.rmtree(tmp_path / "runs")
    assert run(*TINY, "--autoattack", "none", "--out", tmp_path) == 0
    first, again = read(tmp_path / "records.jsonl")
    assert first["selection"] == again["selection"]
    assert first["seconds"] != again["seconds"]
    (group,) = groups(recipe("compact-at-val10"), [first, again])
    assert group.records == (again,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "compact-ta"], "recipe 'compact-ta' is unknown; near it: compact-at"),
        (["--recipe", "compact-at+eq11"], "reading 'eq11' changes nothing in compact-at"),
        (["--recipe", "cifar10-rn18-at"], "cifar10-rn18-at trains on cifar10: give --data-dir"),
        (
            ["--recipe", "cifar10-rn18-at", "--data-dir", "/no/such"],
            "/no/such: there is no such file or folder",
        ),
        (["--recipe", "compact-at", "--device", "cuda:99"], "device 'cuda:99' is not there"),
        (["--recipe", "compact-at", "--device", "tpu"], "device 'tpu' is not known: use cpu or cuda"),
        (["--recipe", "compact-at", "--device", "meta"], "device 'meta' is not known: use cpu or cuda"),
        (["--recipe", ""], "recipe '' is unknown"),
        (
            ["--recipe", "compact-at", "--epochs", "31"],
            "epochs = 31: compact-at has 30, ask for at most these",
        ),
        (["--recipe", "compact-at", "--epochs", "0"], "'0' is not an integer of at least 1"),
        (
            ["--recipe", "compact-at", "--test-examples", "201"],
            "test_examples = 201: digits has 200 test images",
        ),
        (["--recipe", "compact-at", "--validation", "1597"], "validation=1597: hold out at least 0"),
        (
            ["--recipe", "compact-at", "--validation", "188"],
            "validation = 188 leaves 1409 training images, whose last minibatch of 64 is a single one",
        ),
        (["--recipe", "compact-at", "--seed", "-1"], "'-1' is not an integer of at least 0"),
        (["--recipe", "compact-at", "--table", "1"], "not allowed with argument"),
        (["--table", "4"], "invalid choice: '4'"),
        (["--table", "1", "--reading", "cod"], "reading 'cod' is unknown"),
        (["--download"], "--download needs --data-dir"),
        (["--sed", "0"], "unrecognized arguments: --sed 0; did you mean --seed?"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(arguments, message, tmp_path, capsys):
    assert run(*arguments, "--out", tmp_path / "out") == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not list(tmp_path.rglob("*.jsonl"))
    assert not list(tmp_path.rglob("*.pt"))


def test_output_that_cannot_be_written_is_one_clear_line_and_status_2(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert run(*TINY, "--out", tmp_path / "file") == 2
    assert (tmp_path / "file").read_text() == "mine"

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    capsys.readouterr()
    monkeypatch.setattr(checkpoint.os, "fsync", full)
    assert run(*TINY, "--autoattack", "none", "--out", tmp_path / "out") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(rf"{training.run.PROGRAM}: {tmp_path}/out/\S+: No space left on device", last)
    assert not list(tmp_path.rglob("records.jsonl"))


def test_a_run_that_fails_is_explained_with_status_1_and_leaves_no_record(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "compact-at", replace(RECIPES["compact-at"], lr=1e30))
    assert run(*TINY, "--out", tmp_path) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "compact-at-val10, seed 0: the loss became nan in epoch 1; try a smaller lr than 1e+30" in last
    assert not (tmp_path / "records.jsonl").exists()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (61, "1:01"), (3599.6, "1:00:00"), (7325, "2:02:05")]
)
def test_durations_read_as_clocks_do(seconds, text):
    assert duration(seconds) == text


def test_time_left_counts_what_this_session_made(tmp_path, monkeypatch):
    """A run resumed at 5 of 10 epochs that makes one in 2 s needs 8 s more, at 100 images an epoch 50 a second."""
    clock = [100.0]
    monkeypatch.setattr("training.runs.progress.time.monotonic", lambda: clock[0])
    board = Board(1, io.StringIO())
    job = Job(RECIPES["compact-at"], 0, tmp_path)
    event = {"event": "batch", "epoch": 5, "batch": 0, "batches": 4, "epochs": 10, "examples": 100}
    board(job, event)
    clock[0] += 2
    board(job, {**event, "batch": 4})
    assert board._pace() == "50 images/s, 0:08 of training left"
