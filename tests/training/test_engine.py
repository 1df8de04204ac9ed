"""The two engines: what each does and costs, and that a run's record tells them apart."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from engine_runs import RUNS, SHAPE, Switched, batches
from run_tools import few_digits, same_to_the_bit, tiny, trainer
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from training.engine.choice import FAST_CUDA, choice, left_out
from training.engine.device import Computing
from training.engine.machine import Machine
from training.methods.attacks import trades_attack
from training.methods.step import Method
from training.models import build
from training.results.records import read
from training.run import main
from training.runs.parts import Parts


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
