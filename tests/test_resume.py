"""Nothing is lost: runs killed or told to leave at any moment end with the same bits as undisturbed ones."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from run_tools import few_digits, same_to_the_bit, started, tiny, trained, trainer

from training.checkpoint import load
from training.records import read
from training.stopping import Stop, Stopped

RUN: tuple[str, ...] = (
    *("--recipe", "compact-awp-2ndensgd", "--epochs", "3", "--validation", "20", "--test-examples", "40"),
    *("--autoattack", "none", "--checkpoint-seconds", "0"),
)
FOLDER = Path("runs") / "compact-awp-2ndensgd-val20" / "seed0-epochs3"
PATIENCE = 240.0


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The folder of a run that nothing disturbed, and how long it took from its first checkpoint on."""
    out = tmp_path_factory.mktemp("uninterrupted")
    process = started([*RUN, "--out", str(out)], out / "log")
    began = until_checkpoint(process, out)
    process.join(PATIENCE)
    assert process.exitcode == 0, (out / "log").read_text()
    return out, time.monotonic() - began


def until_checkpoint(process, out) -> float:
    """Waits for the first checkpoint, and returns when it came."""
    deadline = time.monotonic() + PATIENCE
    while not (out / FOLDER / "checkpoint.pt").exists() and not (out / FOLDER / "trained.pt").exists():
        assert process.is_alive(), (out / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return time.monotonic()


def without_times(record):
    curve = {name: values for name, values in record["curve"].items() if not name.startswith("seconds")}
    return {**record, "curve": curve, "seconds": None}


def test_a_run_that_is_killed_at_random_moments_ends_with_the_same_bits(uninterrupted, tmp_path):
    whole, duration = uninterrupted
    moments = random.Random(20)
    killed = 0
    for _ in range(4):
        process = started([*RUN, "--out", str(tmp_path)], tmp_path / "log")
        until_checkpoint(process, tmp_path)
        process.join(moments.uniform(0, duration / 3))
        killed += process.is_alive()
        process.kill()
        process.join(PATIENCE)
    process = started([*RUN, "--out", str(tmp_path)], tmp_path / "log")
    process.join(PATIENCE)
    assert process.exitcode == 0, (tmp_path / "log").read_text()
    assert killed >= 2
    assert same_to_the_bit(trained(tmp_path / FOLDER), trained(whole / FOLDER))
    records = [read(out / "records.jsonl") for out in (tmp_path, whole)]
    assert [without_times(one) for one in records[0]] == [without_times(one) for one in records[1]]
    metrics = [(out / FOLDER / "metrics.jsonl").read_text().count("\n") for out in (tmp_path, whole)]
    assert metrics == [3, 3]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_told_to_leave_saves_where_it_is(uninterrupted, tmp_path, number, status):
    patient = [*RUN[:-1], "0" if number == signal.SIGINT else "1", "--out", str(tmp_path)]
    process = started(patient, tmp_path / "log")
    until_checkpoint(process, tmp_path)
    os.kill(process.pid, number)
    process.join(PATIENCE)
    assert process.exitcode == status
    said = (tmp_path / "log").read_text()
    assert f"stopped by {number.name}; the same command goes on from here" in said
    assert "Traceback" not in said
    assert not (tmp_path / "records.jsonl").exists()
    content = load(tmp_path / FOLDER / "checkpoint.pt", "checkpoint")
    assert (content["state"]["epoch"], content["state"]["batch"]) != (0, 0)


def run_for(steps: int, used, data, folder: Path):
    """A trainer that a signal stops after that many minibatches."""
    counted = []

    def report(event):
        counted.append(event["event"])
        if counted.count("batch") == steps:
            run.stop._note(signal.SIGTERM, None)

    run = trainer(used, data, folder, report=report)
    return run


@pytest.mark.parametrize("name", ["cifar10-rn18-at-ensgd+code", "cifar10-wrn-trades-awp-ensgd-tuned"])
@pytest.mark.parametrize("steps", [1, 4, 5, 9])
def test_a_run_goes_on_from_any_minibatch_to_the_same_bits(name, steps, tmp_path):
    """Four minibatches an epoch: within an epoch, at its end, and on both sides of a switch of the optimizer."""
    changes = {"epochs": 4, "drops": (2,), "inner_steps": 3, "augmentation": "zero-crop-flip"}
    if name.endswith("tuned"):
        changes |= {"warmup_epochs": 1, "switch_to_sgd": 3}
    used, data = tiny(name, **changes), few_digits(100)
    whole = trainer(used, data, tmp_path / "whole")
    result = whole.train()
    first = run_for(steps, used, data, tmp_path / "parts")
    with pytest.raises(Stopped):
        first.train()
    first.folder.__exit__()
    second = trainer(used, data, tmp_path / "parts")
    assert same_to_the_bit(second.train(), result)
    assert same_to_the_bit(second.state_dict(), whole.state_dict())


def test_a_resume_that_forgets_the_inner_loop_ends_elsewhere(tmp_path):
    used, data = tiny("cifar10-rn18-at-ensgd", epochs=2, drops=(), inner_steps=3), few_digits(100)
    whole = trainer(used, data, tmp_path / "whole").train()
    first = run_for(5, used, data, tmp_path / "parts")
    with pytest.raises(Stopped):
        first.train()
    first.folder.__exit__()
    second = trainer(used, data, tmp_path / "parts")
    second.load_state_dict({**first.state_dict(), "optimizer": second._new_optimizer().state_dict()})
    second.folder.checkpoints.remove()
    assert not same_to_the_bit(second.train(), whole)


def test_a_signal_during_the_evaluation_loses_nothing(tmp_path, monkeypatch):
    used, data = tiny("cifar10-rn18-at-ensgd", epochs=2, drops=(), inner_steps=3), few_digits(100)
    whole = trainer(used, data, tmp_path / "whole").train()
    first = trainer(used, data, tmp_path / "parts")
    monkeypatch.setattr(first.scorer, "scores", lambda model: first.stop._note(signal.SIGTERM, None))
    with pytest.raises(Stopped):
        first.train()
    assert (first.epoch, first.batch) == (0, 4)
    first.folder.__exit__()
    assert same_to_the_bit(trainer(used, data, tmp_path / "parts").train(), whole)


def test_two_signals_save_once_and_a_second_ctrl_c_does_not_wait():
    stop = Stop()
    stop._note(signal.SIGTERM, None)
    stop._note(signal.SIGTERM, None)
    with pytest.raises(Stopped) as stopped:
        stop._note(signal.SIGINT, None)
    assert stopped.value.status == 143
