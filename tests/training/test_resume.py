"""Nothing is lost: runs killed or told to leave at any moment end with the same bits as undisturbed ones."""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from run_tools import few_digits, same_to_the_bit, started, tiny, trained, trainer

from training.cells.recipes import recipe
from training.entropy_sgd import EntropySGD
from training.evaluation import autoattack_accuracy
from training.results.records import read
from training.runs import outcome
from training.runs.checkpoint import load
from training.runs.job import Job, run_job
from training.runs.run_folder import STATE
from training.runs.stopping import Stop, Stopped

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


def until_checkpoint(process, out, folder: Path = FOLDER) -> float:
    """Waits for the first checkpoint, and returns when it came."""
    deadline = time.monotonic() + PATIENCE
    while not any((out / folder / name).exists() for name in ("checkpoint.pt", "trained.pt")):
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
    # Far from its end when its first checkpoint is there, also where that comes after a second.
    long, folder = ["--epochs", "25"], FOLDER.with_name("seed0-epochs25")
    patient = [*RUN[:-1], "0" if number == signal.SIGINT else "1", *long, "--out", str(tmp_path)]
    process = started(patient, tmp_path / "log")
    until_checkpoint(process, tmp_path, folder)
    os.kill(process.pid, number)
    process.join(PATIENCE)
    assert process.exitcode == status
    said = (tmp_path / "log").read_text()
    assert f"stopped by {number.name}; the same command goes on from there" in said
    assert "Traceback" not in said
    assert not (tmp_path / "records.jsonl").exists()
    content = load(tmp_path / folder / "checkpoint.pt", "checkpoint")
    assert (content["state"]["epoch"], content["state"]["batch"]) != (0, 0)


def run_for(steps: int, used, data, folder: Path, **options):
    """A trainer that a signal stops after that many minibatches."""
    counted = []

    def report(event):
        counted.append(event["event"])
        if counted.count("batch") == steps:
            run.stop._note(signal.SIGTERM, None)

    run = trainer(used, data, folder, report=report, **options)
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


def two_signals(stop: Stop) -> None:
    stop._note(signal.SIGINT, None)
    stop._note(signal.SIGINT, None)


def inside_a_step(run, calls, monkeypatch) -> None:
    """The second signal comes when the weights have moved and the minibatch is not counted yet."""
    step = EntropySGD.step

    def torn(self, closure=None):
        result = step(self, closure)
        calls.append("step")
        if calls.count("step") == 6:
            two_signals(run.stop)
        return result

    monkeypatch.setattr(EntropySGD, "step", torn)


def inside_an_epochs_end(run, calls, monkeypatch) -> None:
    """... when the history has a line of the epoch, which is not counted as finished yet."""
    monkeypatch.setattr(run.folder, "append_metrics", lambda line: two_signals(run.stop))


def inside_a_choice(run, calls, monkeypatch) -> None:
    """... when the weights are those that are judged, and some of the checkpoints are chosen."""
    monkeypatch.setattr(run, "_weights", lambda: two_signals(run.stop))


def inside_a_save(run, calls, monkeypatch) -> None:
    """... when a checkpoint is written, the newest is the previous one already, and there is no newest."""
    replace = os.replace

    def torn(source, target):
        calls.append("replace")
        if calls.count("replace") == 8:
            two_signals(run.stop)
        replace(source, target)

    monkeypatch.setattr("training.runs.checkpoint.os.replace", torn)


@pytest.mark.parametrize("moment", [inside_a_step, inside_an_epochs_end, inside_a_choice, inside_a_save])
def test_a_second_ctrl_c_saves_nothing_torn(moment, tmp_path, monkeypatch):
    used, data = tiny("cifar10-rn18-at-ensgd", epochs=2, drops=(), inner_steps=3), few_digits(100)
    whole = trainer(used, data, tmp_path / "whole").train()
    first = trainer(used, data, tmp_path / "parts", checkpoint_seconds=0)
    with monkeypatch.context() as patched:
        moment(first, [], patched)
        with pytest.raises(Stopped, match="stopped by SIGINT at once, what was not saved by then is lost"):
            first.train()
    first.folder.__exit__()
    second = trainer(used, data, tmp_path / "parts")
    assert same_to_the_bit(second.train(), whole)
    assert (tmp_path / "parts" / "metrics.jsonl").read_text().count("\n") == 2


def test_a_state_saved_inside_a_step_would_end_elsewhere(tmp_path, monkeypatch):
    used, data = tiny("cifar10-rn18-at-ensgd", epochs=2, drops=(), inner_steps=3), few_digits(100)
    whole = trainer(used, data, tmp_path / "whole").train()
    first = trainer(used, data, tmp_path / "parts", checkpoint_seconds=0)
    with monkeypatch.context() as patched:
        inside_a_step(first, [], patched)
        with pytest.raises(Stopped):
            first.train()
    first.folder.save_checkpoint(first.state_dict())
    first.folder.__exit__()
    assert not same_to_the_bit(trainer(used, data, tmp_path / "parts").train(), whole)


@pytest.mark.parametrize("how", ["damaged", "of another shape"])
def test_a_run_goes_on_from_the_checkpoint_before_a_bad_one(how, tmp_path):
    used, data = tiny("cifar10-rn18-at-ensgd", epochs=2, drops=(), inner_steps=3), few_digits(100)
    whole = trainer(used, data, tmp_path / "whole").train()
    first = run_for(6, used, data, tmp_path / "parts", checkpoint_seconds=0)
    with pytest.raises(Stopped):
        first.train()
    assert first.state_dict().keys() == set(STATE)
    newest = first.folder.checkpoints.newest
    if how == "damaged":
        content = newest.read_bytes()
        newest.write_bytes(content[:-70] + bytes([content[-70] ^ 128]) + content[-69:])
    else:
        lacking = {name: value for name, value in first.state_dict().items() if name != "engine"}
        first.folder.save_checkpoint(lacking)
    first.folder.__exit__()
    second = trainer(used, data, tmp_path / "parts")
    with pytest.warns(UserWarning, match=rf"checkpoint\.pt is {how}.*: the one before it is used"):
        assert same_to_the_bit(second.train(), whole)


def test_autoattack_starts_anew_on_the_weights_of_a_training_that_was_repeated(tmp_path, monkeypatch):
    short = functools.partial(autoattack_accuracy, stages=("apgd-ce",))
    monkeypatch.setattr(outcome, "autoattack_accuracy", short)
    job = Job(
        recipe=recipe("compact-at"),
        seed=0,
        out=tmp_path,
        epochs=1,
        test_examples=20,
        autoattack="all",
        autoattack_examples=6,
    )
    first = run_job(job, stop=Stop())
    (state,) = job.folder.glob("autoattack-*.json")
    found = state.read_text(encoding="utf-8")
    assert run_job(job, stop=Stop())["selection"] == first["selection"]
    assert list(job.folder.glob("autoattack-*")) == [state]
    # As after a training that was repeated with other roundings: its state speaks of weights that are gone.
    stale = {**json.loads(found), "clean": "00"}
    stale["run"]["weights"] = "0" * 64
    state.write_text(json.dumps(stale), encoding="utf-8")
    (job.folder / "trained.pt").write_bytes(b"damaged")
    with (
        pytest.warns(UserWarning, match=r"trained\.pt is cut short, damaged.*: the run is repeated"),
        pytest.warns(
            UserWarning, match=r"with other weights: it now lies in autoattack-.*\.old1, and .* anew"
        ),
    ):
        again = run_job(job, stop=Stop())
    assert again["selection"] == first["selection"]
    assert json.loads(state.with_name(f"{state.name}.old1").read_text(encoding="utf-8")) == stale


def test_two_signals_save_once_and_a_second_ctrl_c_does_not_wait():
    stop = Stop()
    stop._note(signal.SIGTERM, None)
    stop._note(signal.SIGTERM, None)
    with pytest.raises(Stopped) as stopped:
        stop._note(signal.SIGINT, None)
    assert stopped.value.status == 143
    assert stopped.value.at_once
    # Even where somebody swallowed it: what it tore stays torn.
    with pytest.raises(Stopped, match="at once"):
        stop.check()
    once = Stop()
    once._note(signal.SIGINT, None)
    with pytest.raises(Stopped) as stopped:
        once.check()
    assert not stopped.value.at_once
