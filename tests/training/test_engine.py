"""The two engines: what each does, recordings that replay a step, what happens where something cannot be used."""

from __future__ import annotations

import copy
import os
import shutil
import time
import warnings
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from pretend_graphs import PretendGraphs, Tape
from run_tools import few_digits, same_to_the_bit, tiny, trainer
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from training.engine.capture import WARM_UPS, CudaGraphs, Replayed, origin
from training.engine.choice import FAST_CUDA, choice, left_out
from training.engine.compiled import Compiled
from training.engine.device import Computing
from training.engine.machine import Machine
from training.methods.attacks import trades_attack
from training.methods.batch_norm import batch_norm_layers
from training.methods.step import Method
from training.models import build
from training.results.records import read
from training.run import main
from training.runs.batches import minibatches, order
from training.runs.parts import Parts
from training.studies.agreement import agreement

ROUNDING = 1e-5  # some tens of float32 operations

# Warm-ups, drops, switches of the optimizer and a smaller last batch (100 = 3 x 32 + 4), often enough to be recorded.
RUNS: dict[str, dict[str, Any]] = {
    "cifar10-rn18-at": {},
    "cifar10-rn18-at+code": {},
    "cifar10-rn18-awp+code": {"warmup_epochs": 4},
    "cifar10-rn18-awp-2ndensgd": {"inner_steps": 3},
    "cifar10-rn18-at-ensgd+code": {"inner_steps": 3},
    "cifar10-wrn-trades": {},
    "cifar10-wrn-trades+code": {},
    "cifar10-wrn-trades-awp-ensgd-tuned": {"inner_steps": 3, "warmup_epochs": 2, "switch_to_sgd": 6},
}
SHAPE: dict[str, Any] = {"epochs": 8, "drops": (4,), "batch": 32, "augmentation": "zero-crop-flip"}


def captured(run, told=lambda reason: None) -> Replayed:
    """The trainer's steps from now on from recordings."""
    run.method.replay = Replayed(PretendGraphs(run.model), told)
    return run.method.replay


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
            for layer in batch_norm_layers(run.model):
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


class Switched:
    """Settings of the fast engine as on a GPU, wherever it runs."""

    engine = "fast"
    choice = replace(FAST_CUDA, compiled=False)


def test_a_device_without_graphs_is_told_apart_at_once():
    machine = Machine(Switched(), torch.device("cpu"))
    with pytest.warns(UserWarning, match="without capture of training steps .the device has no CUDA graphs"):
        replay = machine.replay()
    assert replay("kind", lambda x: x + 1, [torch.zeros(1)]).item() == 1
    assert machine.used["captured"] == "no: the device has no CUDA graphs"


def test_the_record_says_what_was_used_before_a_checkpoint_and_after_it(tmp_path):
    used, data = tiny("cifar10-rn18-at", epochs=1, drops=()), few_digits(40)
    run = trainer(used, data, tmp_path)
    run._engine_before = {"captured": "yes", "update": "foreach"}
    assert run._engine()["captured"] == "yes, then no"
    assert run._engine()["update"] == "foreach"
    run._engine_before = run._engine()
    assert run._engine()["captured"] == "yes, then no"


# 1 forward + 10 attack steps + 1 backward; with weight gradients in the attack; with the public code's two forwards.
@pytest.mark.parametrize(
    ("engine", "name", "equivalents"),
    [("fast", "at", 23), ("reference", "at", 33), ("reference", "at+code", 35), ("fast", "at+code", 25)],
)
def test_a_step_of_each_engine_costs_its_forward_equivalents(engine, name, equivalents):
    data = few_digits(32)
    used = tiny(f"cifar10-rn18-{name}", steps_train=10)
    parts = Parts(used, data, Computing.of("cpu", engine), 0)
    x, y = next(batches(used, data))
    with FlopCounterMode(display=False) as one:
        parts.model(x)
    with FlopCounterMode(display=False) as counted:
        parts.method.step(parts.optimizer(entropy=False), x, y, generator=torch.Generator().manual_seed(0))
    # The training step needs no gradient by the images: that of the first layer, which is a part of a forward.
    missing = equivalents * one.get_total_flops() - counted.get_total_flops()
    assert 0 <= missing < 0.25 * one.get_total_flops()


def batches(used, data):
    generator = torch.Generator().manual_seed(0)
    return minibatches(used, data, Computing(), order(data, 0, 0), generator)


@pytest.mark.parametrize("name", RUNS)
def test_nothing_in_a_step_of_the_fast_engine_waits_for_the_device(name):
    """Batch, attack, backward, every pass and the outer step: no operator brings a value to the host."""
    used = tiny(name, **(SHAPE | RUNS[name]))
    data = few_digits(96)
    parts = Parts(used, data, Computing(), 0)
    optimizer = parts.optimizer(entropy=used.optimizer != "sgd")
    generator, sums = torch.Generator().manual_seed(0), torch.zeros(())
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        for x, y in batches(used, data):
            outcome = parts.method.step(optimizer, x, y, generator=generator)
            sums += outcome.loss
    called = {event.key for event in profile.key_averages()}
    assert "aten::convolution_backward" in called
    assert not called & {"aten::_local_scalar_dense", "aten::item", "aten::is_nonzero", "aten::nonzero"}


class Devices(TorchDispatchMode):
    """Notes every operation on tensors of two devices: the one on the host would have to be copied, and waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.mixed: list[str] = []
        self.operations = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        tensors = [one for one in tree_leaves((args, kwargs or {})) if isinstance(one, Tensor)]
        if len({one.device for one in tensors}) > 1:
            self.mixed.append(str(function))
        self.operations += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", RUNS)
def test_what_is_captured_mixes_no_host_tensor_in(name):
    """On a device without values, so that nothing can be read from it either."""
    with torch.device("meta"):
        model = build("small", 10, 1).train()
        x, y = torch.empty(8, 1, 8, 8), torch.empty(8, dtype=torch.int64)
    method = Method(tiny(name, **RUNS[name]), model)
    with Devices() as seen:
        method.gradients(x, y, torch.empty_like(x), perturbs=method.awp is not None, decays=False)
    assert seen.mixed == []
    assert seen.operations > 100
    with Devices() as seen:
        x + torch.ones(())
    assert seen.mixed != []


def test_the_first_step_of_trades_in_float32_repairs_what_bf16_makes_of_it():
    """One step from near x: its signs are those of float32 with it, and those of roundings without."""
    data = few_digits(32)
    used = tiny("cifar10-wrn-trades", steps_train=1, epsilon=0.15)
    x, y = next(batches(used, data))
    deltas = {}
    for name, amp, precise in (("plain", "off", True), ("bf16", "bf16", False), ("both", "bf16", True)):
        method = Parts(used, data, Computing.of("cpu", "fast", amp=amp), 0).method
        method.precise = method.precise if precise else None
        deltas[name] = method.attack(x, y, method.start(x, torch.Generator().manual_seed(0)))
    assert torch.equal(deltas["both"], deltas["plain"])
    assert (deltas["bf16"] == deltas["plain"]).float().mean() < 0.95
    # The same net for both parts makes the same attack.
    model = Parts(used, data, Computing(), 0).model
    budget: dict[str, Any] = {"epsilon": 0.1, "step_size": 0.03, "steps": 3, "start": torch.zeros_like(x)}
    for policy in ("eval", "train"):
        before = copy.deepcopy(model.state_dict())
        found, buffers = [], []
        for first in (None, model):
            model.load_state_dict(before)
            found.append(trades_attack(model, x, bn_policy=policy, first_model=first, **budget))
            buffers.append({name: value.clone() for name, value in model.named_buffers()})
        assert torch.equal(*found)
        assert same_to_the_bit(*buffers)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_the_update_is_the_engine_s(engine):
    parts = Parts(tiny("cifar10-rn18-at"), few_digits(32), Computing.of("cpu", engine), 0)
    (group,) = parts.optimizer(entropy=False).param_groups
    assert (group["foreach"], group["fused"]) == (engine == "fast", False)
    machine = Machine(Switched(), torch.device("cpu"))
    (group,) = machine.sgd(parts.model.parameters(), lr=0.1).param_groups
    assert (group["foreach"], group["fused"]) == (False, True)


def test_an_engine_sets_what_is_not_given():
    assert Computing.of("cuda:1", "fast").settings == {
        "device": "cuda",
        "engine": "fast",
        "amp": "bf16",
        "channels_last": True,
        "tf32": True,
    }
    for device, engine in (("cpu", "fast"), ("cpu", "reference"), ("cuda", "reference")):
        plain = {"device": device, "engine": engine, "amp": "off", "channels_last": False, "tf32": False}
        assert Computing.of(device, engine).settings == plain
    given = Computing.of("cuda", "fast", amp="off", tf32=False)
    assert (given.amp, given.tf32, given.channels_last) == ("off", False, True)
    assert given.choice == replace(FAST_CUDA, amp="off", tf32=False)
    assert Computing() == Computing.of()
    for refused in (lambda: Computing(engine="quick"), lambda: Computing.of("cpu", "quick")):
        with pytest.raises(ValueError, match="engine = 'quick' is unknown: use one of fast, reference"):
            refused()


def test_the_note_names_what_a_device_lacks():
    note = Machine(Computing(), torch.device("cpu")).note
    assert note == (
        "engine fast on cpu goes without bf16, channels-last, TF32, fused updates, compilation, CUDA graphs"
    )
    assert Machine(Computing.of("cpu", "reference"), torch.device("cpu")).note is None
    assert left_out(choice("fast", "cuda")) == []


TINY = ("--recipe", "compact-awp-ensgd", "--epochs", "2", "--validation", "20", "--test-examples", "30")


def test_both_engines_end_with_the_same_bits_on_a_cpu_and_their_records_tell_them_apart(tmp_path, capsys):
    records = {}
    for engine in ("fast", "reference"):
        out = tmp_path / engine
        assert main([*TINY, "--engine", engine, "--autoattack", "none", "--out", str(out)]) == 0
        said = capsys.readouterr().err.splitlines()
        assert sum("goes without" in line for line in said) == (engine == "fast")
        (records[engine],) = read(out / "records.jsonl")
    weights = [next((tmp_path / engine).glob("runs/*/*/trained.pt")) for engine in records]
    kept = [torch.load(path, weights_only=True)["selected"] for path in weights]
    assert same_to_the_bit(*kept)
    fast, reference = (one["versions"] for one in records.values())
    assert (fast["engine"], reference["engine"]) == ("fast", "reference")
    assert (fast["attack_gradients"], reference["attack_gradients"]) == ("input", "input and weights")
    for record in records.values():
        record["curve"] = {name: part for name, part in record["curve"].items() if "seconds" not in name}
    assert records["fast"]["selection"] == records["reference"]["selection"]
    assert records["fast"]["curve"] == records["reference"]["curve"]


def test_a_run_goes_on_with_the_engine_it_was_begun_with(tmp_path, capsys):
    assert main([*TINY, "--autoattack", "none", "--out", str(tmp_path)]) == 0
    before = next(tmp_path.glob("runs/*/*/trained.pt")).read_bytes()
    capsys.readouterr()
    assert main([*TINY, "--engine", "reference", "--autoattack", "none", "--out", str(tmp_path)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    # The record of the fast engine is no answer to what was asked for.
    assert "was begun with device cpu, engine fast" in said
    assert "give the same options, or --no-resume" in said
    assert next(tmp_path.glob("runs/*/*/trained.pt")).read_bytes() == before


def examples(n: int = 16) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    return build("small", 10, 1).train(), torch.rand(n, 1, 8, 8), torch.randint(0, 10, (n,))


def test_a_compiled_net_is_the_net_in_eval_and_train_mode_and_moves_the_same_statistics():
    net, x, y = examples()
    said: list[str] = []
    compiled = Compiled(net, [len(x)], said.append, backend="aot_eager")
    gaps = agreement(net, compiled, x, y)
    assert list(gaps) == [
        *("logits, eval mode", "input gradient, eval mode"),
        *("logits, train mode", "input gradient, train mode"),
    ]
    assert max(gaps.values()) <= ROUNDING
    before = {name: value.clone() for name, value in net.named_buffers()}
    compiled(x)
    moved = {name: value.clone() for name, value in net.named_buffers()}
    for name, value in net.named_buffers():
        assert not torch.equal(value, before[name])
        value.copy_(before[name])
    net(x)
    for name, value in net.named_buffers():
        torch.testing.assert_close(value, moved[name], rtol=ROUNDING, atol=ROUNDING)
    assert said == []
    assert [id(one) for one in compiled.parameters()] == [id(one) for one in net.parameters()]
    # A net that is another one is told apart.
    other = build("small", 10, 1).train()
    assert min(agreement(net, other, x, y).values()) > 100 * ROUNDING


@pytest.mark.skipif(
    not os.environ.get("SMOOTHNESS_AT_COMPILE") or shutil.which("g++") is None,
    reason="takes a minute and g++: set SMOOTHNESS_AT_COMPILE=1",
)
def test_the_compiler_of_the_fast_engine_keeps_logits_and_gradients():
    net, x, y = examples()
    said: list[str] = []
    assert max(agreement(net, Compiled(net, [len(x)], said.append), x, y).values()) <= ROUNDING
    assert said == []


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_a_net_that_cannot_be_compiled_is_called_as_it_is_with_one_line(where):
    from functorch.compile import make_boxed_func
    from torch._dynamo.backends.common import aot_autograd

    def broken(graph, inputs):
        raise RuntimeError("no compiler\nat all")

    def fine(graph, inputs):
        return make_boxed_func(graph.forward)

    forward, backward = (broken, fine) if where == "forward" else (fine, broken)
    backend: Any = aot_autograd(fw_compiler=forward, bw_compiler=backward, inference_compiler=forward)
    net, x, y = examples()
    expected = {name: value.clone() for name, value in net.state_dict().items()}
    plain = build("small", 10, 1).train()
    plain.load_state_dict(expected)
    said: list[str] = []
    compiled = Compiled(net, [len(x)], said.append, backend=backend)
    for _ in range(2):
        assert torch.equal(compiled(x), plain(x))
    nn.functional.cross_entropy(compiled(x), y).backward()
    assert len(said) == 1
    assert "no compiler" in said[0]
    assert "\n" not in said[0]
    plain(x)
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in plain.state_dict().items())


def test_above_the_compiler_s_limit_of_variants_the_net_is_called_as_it_is_with_one_line(monkeypatch):
    monkeypatch.setattr("training.engine.compiled.VARIANTS", 2)
    torch._dynamo.reset()
    net, x, _ = examples()
    said: list[str] = []
    limits: Any = torch._dynamo.config
    with torch.no_grad(), limits.patch(recompile_limit=2, accumulated_recompile_limit=2):
        compiled = Compiled(net.eval(), [4, 8, 12, 16], said.append, backend="eager")
        for size in (4, 8, 12, 16):
            torch.testing.assert_close(compiled(x[:size]), net(x[:size]), rtol=ROUNDING, atol=ROUNDING)
            assert len(said) == (size > 8)
    assert said[0].startswith("FailOnRecompileLimitHit: ")
    assert "\n" not in said[0]


def test_batches_of_other_sizes_are_not_compiled():
    net, x, _ = examples()
    asked: list[int] = []

    def backend(graph, inputs):
        asked.append(len(inputs))
        return graph.forward

    compiled = Compiled(net.eval(), [8], asked.append, backend=backend)  # type: ignore[arg-type]
    assert torch.equal(compiled(x), net(x))
    assert asked == []
    torch.testing.assert_close(compiled(x[:8]), net(x[:8]), rtol=ROUNDING, atol=ROUNDING)
    assert len(asked) == 1
