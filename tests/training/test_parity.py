"""Fast against reference, step by step: SGD, EntropySGD and its second order with AT, AWP and TRADES, small net."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from run_tools import few_digits, tiny

from training.cells.recipe import Recipe
from training.engine.choice import FAST_CUDA
from training.engine.compiled import Compiled
from training.engine.device import Computing
from training.engine.machine import Machine
from training.methods.step import Method
from training.studies import parity as module
from training.studies.parity import ALLOWED, EARLY, MANTISSA, MEASURES, Follower, main, mover, parity

STEPS = 50
EXAMPLES = 40
METHODS = {"at": "cifar10-rn18-at", "awp": "cifar10-rn18-awp", "trades": "cifar10-wrn-trades"}
OPTIMIZERS = ("sgd", "ensgd", "2ndensgd")
COMBINATIONS = [(method, optimizer) for method in METHODS for optimizer in OPTIMIZERS]


def used(method: str, optimizer: str) -> Recipe:
    """Minibatches of 16, 16 and 8, five an outer step."""
    suffix = ""
    changes: dict[str, Any] = {"batch": 16}
    if optimizer != "sgd":
        suffix, changes = "-ensgd", {"batch": 16, "inner_steps": 5, "optimizer": optimizer}
    return tiny(METHODS[method] + suffix, **changes)


@pytest.mark.parametrize(("method", "optimizer"), COMBINATIONS)
def test_in_float32_on_a_cpu_fifty_steps_of_both_engines_agree_to_the_bit(method, optimizer):
    recipe, data = used(method, optimizer), few_digits(EXAMPLES)
    engines = [Follower(recipe, data, Computing.of("cpu", name), 0) for name in ("reference", "fast")]
    batches = module._batches(recipe, data, Computing(), 0)
    for _, (x, y) in zip(range(STEPS), batches, strict=False):
        reference, fast = (one.step(x, y) for one in engines)
        assert all(torch.equal(*pair) for pair in zip(reference, fast, strict=True))
    (loss, size, way) = reference
    assert loss.isfinite()
    assert size > 0
    assert way.norm() > 0.1


@pytest.mark.parametrize(("method", "optimizer"), COMBINATIONS)
def test_in_bf16_the_engines_differ_by_at_most_twice_what_one_bit_of_the_inputs_makes(method, optimizer):
    computing = Computing.of("cpu", "fast", amp="bf16", channels_last=True)
    found = parity(used(method, optimizer), few_digits(EXAMPLES), computing, steps=STEPS)
    assert found.holds, (found.fast, found.moved)
    # Low precision did its part: this is no comparison of a run with itself.
    assert all(found.fast[name] > 1e-4 for name in MEASURES)


@pytest.mark.parametrize("amp", ["off", "bf16"])
def test_a_step_of_another_length_is_no_parity(amp, monkeypatch):
    sgd = Machine.sgd

    def longer(self: Machine, weights: Any, **settings: Any) -> torch.optim.SGD:
        factor = 2 if self.used["engine"] == "fast" else 1
        return sgd(self, weights, **(settings | {"lr": factor * settings["lr"]}))

    monkeypatch.setattr(Machine, "sgd", longer)
    computing = Computing.of("cpu", "fast", amp=amp)
    assert not parity(used("at", "sgd"), few_digits(EXAMPLES), computing, steps=STEPS).holds


def longer_steps(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    sgd = Machine.sgd

    def longer(self: Machine, weights: Any, **settings: Any) -> torch.optim.SGD:
        factor = 1.3 if self.used["engine"] == "fast" else 1
        return sgd(self, weights, **(settings | {"lr": factor * settings["lr"]}))

    monkeypatch.setattr(Machine, "sgd", longer)
    return used("at", "sgd")


def attack_in_eval_mode(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    attack = Method.attack

    def other(self: Method, *arguments: Any) -> Any:
        before = self.bn_policy
        # The reference alone asks for weight gradients in its attack.
        self.bn_policy = before if self.weight_gradients else "eval"
        try:
            return attack(self, *arguments)
        finally:
            self.bn_policy = before

    monkeypatch.setattr(Method, "attack", other)
    return used("at", "sgd")


def no_awp(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    gradients = Method.gradients

    def other(self: Method, *arguments: Any, perturbs: bool, decays: bool) -> Any:
        return gradients(self, *arguments, perturbs=perturbs and self.weight_gradients, decays=decays)

    monkeypatch.setattr(Method, "gradients", other)
    return used("awp", "sgd")


@pytest.mark.parametrize("wrong", [longer_steps, attack_in_eval_mode, no_awp])
def test_an_engine_that_computes_something_else_is_no_parity_in_bf16_either(wrong, monkeypatch):
    recipe = wrong(monkeypatch)
    found = parity(recipe, few_digits(EXAMPLES), Computing.of("cpu", "fast", amp="bf16"), steps=STEPS)
    assert not found.holds
    # The first steps tell it; over all of them, which hold the same error, the moved reference has drifted as far.
    ratios = {
        name: [found.fast[name] / found.moved[name], found.early_fast[name] / found.early_moved[name]]
        for name in MEASURES
    }
    assert max(whole for whole, _ in ratios.values()) <= ALLOWED < max(early for _, early in ratios.values())


def test_the_first_steps_are_averaged_by_themselves():
    recipe, data = used("at", "sgd"), few_digits(EXAMPLES)
    computing = Computing.of("cpu", "fast", amp="bf16")
    long, short = (parity(recipe, data, computing, steps=steps) for steps in (EARLY + 5, EARLY))
    assert (long.early_fast, long.early_moved) == (short.fast, short.moved)
    assert (short.early_fast, short.early_moved) == (short.fast, short.moved)
    assert long.fast != long.early_fast


@pytest.mark.parametrize("window", ["fast", "early_fast"])
def test_both_windows_are_needed(window):
    one = dict.fromkeys(MEASURES, 1.0)
    for gap, holds in ((ALLOWED, True), (1.01 * ALLOWED, False)):
        whole, early = (one | {"loss": gap} if window == name else one for name in ("fast", "early_fast"))
        assert module.Parity(whole, one, early, one, {}, {}).holds is holds


def test_a_compiled_net_that_is_another_one_is_no_parity():
    gaps = dict.fromkeys(MEASURES, 0.0)
    for gap, holds in ((1e-4, True), (1e-2, False)):
        assert module.Parity(gaps, gaps, gaps, gaps, {"logits, eval mode": gap}, {}).holds is holds


def test_a_compiling_engine_is_compared_with_the_net_itself(monkeypatch):
    def compiling(self: Machine, net: Any, batches: Any) -> Any:
        return Compiled(net, batches, pytest.fail, backend="aot_eager") if self.choice.compiled else net

    whole = replace(FAST_CUDA, update="foreach", captured=False)
    monkeypatch.setattr(Machine, "model", compiling)
    monkeypatch.setattr("training.engine.choice.FAST_CPU", whole)
    computing = Computing.of("cpu", "fast", amp="off", tf32=False, channels_last=False)
    found = parity(used("at", "sgd"), few_digits(EXAMPLES), computing, steps=4)
    assert len(found.compiled) == 4
    assert found.holds, found


@pytest.mark.parametrize("unit", MANTISSA)
def test_a_moved_pixel_is_the_neighbour_in_its_type(unit):
    x = torch.tensor([0.95, 0.76, 0.51, 0.3, 0.01, 1e-4])
    dtype = {"float32": torch.float32, "bf16": torch.bfloat16}[unit]
    x = x.to(dtype).float()
    seen = set()
    for seed in range(20):
        moved = mover(unit, torch.device("cpu"), seed)(x)
        up = torch.nextafter(x.to(dtype), torch.tensor(9.0, dtype=dtype)).float()
        down = torch.nextafter(x.to(dtype), torch.tensor(-9.0, dtype=dtype)).float()
        assert ((moved == up) | (moved == down)).all()
        seen.add(tuple((moved > x).tolist()))
    assert len(seen) > 10
    edges = torch.stack(
        [mover(unit, torch.device("cpu"), seed)(torch.tensor([0.0, 1.0])) for seed in range(9)]
    )
    assert edges.min() == 0
    assert edges.max() == 1


def test_the_command_prints_and_keeps_what_it_found(tmp_path, capsys):
    command = ["--recipe", "compact-at-ensgd", "--steps", "6", "--threads", "1", "--out", str(tmp_path)]
    assert main(command) == 0
    assert main([*command, "--amp", "bf16", "--seed", "1"]) in (0, 1)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("compact-at-ensgd, loss: fast against reference 0.00e+00, inputs moved by")
    assert "; over the first 6 steps 0.00e+00 and " in said[0]
    assert said[3] == "compact-at-ensgd: parity holds over 6 steps"
    lines = [json.loads(line) for line in (tmp_path / "parity.jsonl").read_text().splitlines()]
    assert [line["versions"]["amp"] for line in lines] == ["off", "bf16"]
    assert [line["seed"] for line in lines] == [0, 1]
    assert lines[0]["fast"] == dict.fromkeys(MEASURES, 0.0)
    assert lines[0]["early_fast"] == dict.fromkeys(MEASURES, 0.0)
    assert lines[0]["early_steps"] == 6
    assert lines[1]["early_moved"] == lines[1]["moved"]
    assert lines[0]["holds"] is True
    assert lines[0]["compiled"] == {}
    assert min(lines[1]["fast"].values()) > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "compact-ta"], "recipe 'compact-ta' is unknown; near it: compact-at"),
        (["--recipe", "cifar10-rn18-at"], "cifar10-rn18-at trains on cifar10: give --data-dir"),
        (["--steps", "0"], "'0' is not an integer of at least 1"),
        (["--device", "cuda:99"], "device 'cuda:99' is not there"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(arguments, message, tmp_path, capsys):
    try:
        status: Any = main([*arguments, "--out", str(tmp_path)])
    except SystemExit as leaving:
        status = leaving.code
    assert status == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert message in said
    assert not list(tmp_path.iterdir())
