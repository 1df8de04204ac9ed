"""Recordings that replay a step (training/engine/capture.py, ready.py), and runs where none can be made."""

from __future__ import annotations

import copy
import time
import warnings
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from engine_runs import RUNS, SHAPE, Switched, batches, captured
from pretend_graphs import PretendGraphs, Tape
from run_tools import few_digits, same_to_the_bit, tiny, trainer
from torch import nn

from training.engine.capture import WARM_UPS, CudaGraphs, Replayed, origin
from training.engine.machine import Machine
from training.methods.batch_norm import running_layers


@pytest.mark.parametrize("name", RUNS)
def test_a_run_from_recordings_ends_with_the_bits_of_a_plain_one(name, tmp_path):
    used, data = tiny(name, **(SHAPE | RUNS[name])), few_digits(100)
    plain = trainer(used, data, tmp_path / "plain", evaluate_every=9)
    replayed = trainer(used, data, tmp_path / "replayed", evaluate_every=9)
    replays = captured(replayed)
    assert same_to_the_bit(replayed.train(), plain.train())
    assert same_to_the_bit(replayed.state_dict(), plain.state_dict())
    kinds = 1 + bool(used.warmup_epochs and used.gamma_awp)
    # At most three warm-ups for every kind of step and size of batch, all other steps were replays.
    assert replays.replays >= 8 * 4 - 2 * kinds * WARM_UPS


def test_a_recording_made_for_another_kind_of_step_is_another_run(tmp_path):
    """With one recording for steps with AWP and without it, AWP never begins."""
    used = tiny("cifar10-rn18-awp", **(SHAPE | {"warmup_epochs": 4}))
    plain = trainer(used, few_digits(96), tmp_path / "plain", evaluate_every=9)
    wrong = trainer(used, few_digits(96), tmp_path / "wrong", evaluate_every=9)
    replays = captured(wrong)
    wrong.method.replay = lambda kind, function, tensors: replays("one", function, tensors)
    assert not same_to_the_bit(wrong.train(), plain.train())


def test_a_number_that_python_reads_would_be_frozen_in_a_recording():
    """The pretended graph shows what a real one would do: it repeats operations, not decisions."""
    net = nn.Linear(1, 1)
    said: list[str] = []
    replayed = Replayed(PretendGraphs(net), said.append)
    scale = [1.0]
    results = []
    for number in range(WARM_UPS + 2):
        scale[0] = float(number)
        results.append(float(replayed("k", lambda x: x * scale[0], [torch.full((1,), 2.0)])))
    assert results[:WARM_UPS] == [2.0 * number for number in range(WARM_UPS)]
    assert results[WARM_UPS:] == [2.0 * WARM_UPS] * 2
    assert said == []


def test_every_shape_has_its_own_recording_and_inputs_are_read_anew():
    recorder = PretendGraphs(nn.Linear(1, 1))
    replayed = Replayed(recorder, lambda reason: None)
    for number in range(6):
        for size in (2, 3):
            x = torch.full((size,), float(number))
            assert replayed("square", lambda x: (x * x).sum(), [x]).item() == size * number**2
    assert recorder.recorded == 2
    assert replayed.replays == 2 * (6 - WARM_UPS)


class Refusing(PretendGraphs):
    """Fails in the middle of a recording, as a capture does, whose end then fails for no reason of its own."""

    def record(self, call):
        try:
            with Tape():
                raise RuntimeError("operation not permitted when stream is capturing\nmore words")
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")


def test_the_first_error_is_the_one_that_is_told():
    first, second, third = ValueError("first"), RuntimeError("second"), RuntimeError("third")
    second.__context__, third.__context__ = first, second
    assert origin(third) is first
    assert origin(first) is first
    third.__suppress_context__ = True
    assert origin(third) is third
    third.__cause__ = second
    assert origin(third) is first


def test_a_capture_that_fails_leaves_the_stream_that_was_current(monkeypatch):
    """On a pretended GPU, whose capture takes the stream and cannot be ended."""
    current = ["outside"]

    @contextmanager
    def capture(graph, pool, stream):
        current[0] = stream
        try:
            yield
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")

    pretended = {
        "Stream": lambda device: "aside",
        "graph_pool_handle": lambda: "pool",
        "current_stream": lambda device: current[0],
        "set_stream": lambda stream: current.__setitem__(0, stream),
        "CUDAGraph": object,
        "graph": capture,
    }
    for name, function in pretended.items():
        monkeypatch.setattr(torch.cuda, name, function)
    during: list[str] = []

    def call():
        during.append(current[0])
        raise RuntimeError("not permitted")

    with pytest.raises(RuntimeError) as failed:
        CudaGraphs(torch.device("cuda")).record(call)
    assert (during, current) == (["aside"], ["outside"])
    assert str(origin(failed.value)) == "not permitted"


@pytest.mark.parametrize("name", RUNS)
def test_what_is_made_ready_leaves_no_trace_and_is_all_that_a_run_records_for_whole_batches(name, tmp_path):
    used, data = tiny(name, **(SHAPE | RUNS[name])), few_digits(96)
    run = trainer(used, data, tmp_path, evaluate_every=9)
    replays = captured(run)
    recorder: Any = replays.recorder
    before = copy.deepcopy(run.state_dict())
    run.model.train()
    run._make_ready()
    kinds = 1 + bool(used.warmup_epochs and used.gamma_awp)
    assert (recorder.recorded, replays.replays) == (kinds, kinds)
    assert same_to_the_bit(run.state_dict(), before)
    assert run.seconds["start_up"] > 0
    assert all(weight.grad is None for weight in run.model.parameters())
    run.train()
    # 96 = 3 x 32: from the first minibatch on, every one of them is a replay.
    assert recorder.recorded == kinds
    # `train` made ready once more, all of it replays.
    assert replays.replays == kinds + kinds * (WARM_UPS + 1) + used.epochs * 3


def test_an_error_while_the_engine_is_made_ready_leaves_no_trace_either(tmp_path):
    run = trainer(tiny("cifar10-rn18-at+code", **SHAPE), few_digits(96), tmp_path)
    before = copy.deepcopy(run.state_dict())

    def broken(kind, function, tensors):
        function(*tensors)
        assert not same_to_the_bit(run.state_dict(), before)
        raise RuntimeError("in the middle")

    run.method.replay = broken
    with pytest.raises(RuntimeError, match="in the middle"):
        run._make_ready()
    assert same_to_the_bit(run.state_dict(), before)
    assert all(weight.grad is None for weight in run.model.parameters())


def test_time_to_start_up_is_counted_apart_and_kept_over_a_checkpoint(tmp_path):
    used, data = tiny("cifar10-rn18-at", epochs=1, drops=()), few_digits(64)
    plain = trainer(used, data, tmp_path / "plain")
    assert plain.train()["seconds"]["start_up"] == 0.0  # a CPU has nothing to make ready
    run = trainer(used, data, tmp_path / "run")
    captured(run)
    real: Any = run.method.replay
    slow = 0.2

    def slowly(kind, function, tensors):
        if len(real._recordings) == 0:
            time.sleep(slow)
        return real(kind, function, tensors)

    run.method.replay = slowly
    found = run.train()
    # One call, as this is no recorder that it would know; the others, of the run, are slow ones too.
    assert found["seconds"]["start_up"] >= slow
    assert found["history"][0]["seconds_training"] == found["seconds"]["training"]
    state = run.state_dict()
    again = trainer(used, data, tmp_path / "again")
    again.load_state_dict(state)
    assert again.seconds == found["seconds"]
    state["seconds"] = {name: value for name, value in state["seconds"].items() if name != "start_up"}
    again.load_state_dict(state)
    assert again.seconds["start_up"] == 0.0


def test_waiting_for_the_queued_steps_at_a_checkpoint_is_time_of_the_training(tmp_path):
    run: Any = trainer(tiny("cifar10-rn18-at", epochs=1, drops=()), few_digits(32), tmp_path)

    class Queued:
        """Sums that take a while to be there, as on a GPU."""

        def __getitem__(self, index):
            time.sleep(0.2)
            return 0.0

    run.folder.save_checkpoint = lambda state: None
    run.sums, run._ticked = Queued(), time.perf_counter()
    run._checkpoint()
    assert run.seconds["training"] >= 0.2
    assert run.seconds["checkpoints"] < 0.1


def test_a_recording_is_made_for_every_mode_of_the_batch_norm(tmp_path):
    """A step whose batch norm is in eval mode replays no recording of one in train mode."""
    used, data = tiny("cifar10-rn18-at", bn_policy_attack="frozen", **SHAPE), few_digits(32)
    ends = []
    for record in (False, True):
        run = trainer(used, data, tmp_path / str(record))
        if record:
            captured(run)
        (x, y), generator = next(batches(used, data)), torch.Generator().manual_seed(0)
        for number in range(3 * WARM_UPS):
            for layer in running_layers(run.model):
                layer.training = number % 2 == 0
            run.method.step(run.optimizer, x, y, generator=generator)
        ends.append(run.model.state_dict())
    assert same_to_the_bit(*ends)


def test_where_nothing_can_be_recorded_one_line_says_so_and_the_bits_are_those_of_a_plain_run(tmp_path):
    used, data = tiny("cifar10-rn18-awp", **SHAPE), few_digits(100)
    plain = trainer(used, data, tmp_path / "plain", evaluate_every=9)
    run = trainer(used, data, tmp_path / "run", evaluate_every=9)
    machine = Machine(Switched(), torch.device("cpu"), recorder=Refusing(run.model))
    run.parts.machine, run.method.replay = machine, machine.replay()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = run.train()
    expected = plain.train()
    why = "RuntimeError: operation not permitted when stream is capturing"
    assert [str(one.message) for one in said] == [
        f"engine fast goes on without capture of training steps ({why})"
    ]
    assert result.pop("engine")["captured"] == f"no: {why}"
    assert expected.pop("engine")["captured"] == "no"
    assert same_to_the_bit(result, expected)


def test_a_device_without_graphs_is_told_apart_at_once():
    machine = Machine(Switched(), torch.device("cpu"))
    with pytest.warns(UserWarning, match="without capture of training steps .the device has no CUDA graphs"):
        replay = machine.replay()
    assert replay("kind", lambda x: x + 1, [torch.zeros(1)]).item() == 1
    assert machine.used["captured"] == "no: the device has no CUDA graphs"
