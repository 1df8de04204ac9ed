"""AutoAttack batch by batch (training/evaluation/autoattack.py, state.py): it can be trusted, cut short and resumed.

Second source: AutoAttack as its own package runs it in one go.
"""

from __future__ import annotations

import copy
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from pyautoattack import AutoAttack
from small_examples import BUDGET, small_examples
from torch import nn

from training.evaluation import STANDARD, accuracy, autoattack_accuracy, pgd_accuracy
from training.evaluation import autoattack as stages_module
from training.evaluation.state import opened


def test_evaluation_is_in_eval_mode_and_leaves_every_mode_gradient_and_random_number_as_it_was(
    weak,
):
    model, x, y = small_examples()
    model.net.norm2.eval()
    modes = [module.training for module in model.modules()]
    state, randomness = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    seen = []
    model.net.norm1.register_forward_pre_hook(lambda module, inputs: seen.append(module.training))
    accuracy(model, x, y)
    pgd_accuracy(model, x, y, **BUDGET)
    autoattack_accuracy(model, x, y, **OPTIONS)
    assert len(seen) > 100
    assert not any(seen)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
    assert torch.equal(torch.get_rng_state(), randomness)


# Iterations and target classes of the first three attacks: weak ones, which leave examples for one another, and
# none, which leaves the last attack all that the random starts do not fool.
WEAK = {"apgd-ce": (1, 9), "apgd-t": (1, 1), "fab-t": (3, 3)}
NONE = dict.fromkeys(WEAK, (0, 1))


def weakened(attacks: dict[str, Any], iterations: dict[str, tuple[int, int]]) -> dict[str, Any]:
    for name, (n_iter, targets) in iterations.items():
        attacks[name].n_iter, attacks[name].n_target_classes = n_iter, targets
    attacks["square"].n_queries = 60
    return attacks


@pytest.fixture
def weak(monkeypatch):
    """AutoAttack with so few iterations that its four stages take a moment."""
    original = stages_module._attacks
    monkeypatch.setattr(stages_module, "_attacks", lambda *args: weakened(original(*args), WEAK))


OPTIONS: dict[str, Any] = {"epsilon": 0.03, "seed": 5, "batch": 7}


def test_the_attacks_have_the_settings_of_the_standard_version():
    whole = AutoAttack(nn.Identity(), norm="L2", eps=0.5, seed=3, version="standard", device="cpu")
    model, x, _ = small_examples()
    model.eval()
    found = stages_module._attacks(model, x[:1], 0.5, "l2", 3)
    theirs = (whole.apgd, whole.apgd_targeted, whole.fab, whole.square)
    assert tuple(whole.attacks_to_run) == STANDARD
    changed = {"model", "predict", "logger", "targeted"}
    for mine, other in zip(found.values(), theirs, strict=True):
        assert type(mine) is type(other)
        settings = [{k: str(v) for k, v in vars(one).items() if k not in changed} for one in (mine, other)]
        assert settings[0] == settings[1]
    assert found["fab-t"].targeted
    assert (found["apgd-t"].n_target_classes, found["square"].n_queries, found["apgd-ce"].n_iter) == (
        9,
        5000,
        100,
    )
    model, x, _ = small_examples(classes=5)
    model.eval()
    found = stages_module._attacks(model, x[:1], 0.5, "l2", 3)
    assert found["apgd-t"].n_target_classes == found["fab-t"].n_target_classes == 4


@pytest.mark.parametrize(
    ("norm", "epsilon", "iterations", "falling"),
    [
        ("linf", 0.02, WEAK, [True, True, True, False]),
        ("l2", 0.15, WEAK, [True, True, True, False]),
        ("linf", 0.04, NONE, [True, False, False, True]),
        ("l2", 0.2, NONE, [True, False, False, True]),
    ],
)
def test_the_stages_leave_what_the_package_leaves_in_one_go(monkeypatch, norm, epsilon, iterations, falling):
    model, x, y = small_examples(28)
    original = stages_module._attacks
    monkeypatch.setattr(stages_module, "_attacks", lambda *args: weakened(original(*args), iterations))
    result = autoattack_accuracy(model, x, y, **{**OPTIONS, "epsilon": epsilon, "norm": norm})
    model.eval()
    kind = {"linf": "Linf", "l2": "L2"}[norm]
    whole = AutoAttack(model, norm=kind, eps=epsilon, seed=5, version="standard", device="cpu")
    attacks = (whole.apgd, whole.apgd_targeted, whole.fab, whole.square)
    weakened(dict(zip(STANDARD, attacks, strict=True)), iterations)
    adversarial, _ = whole.run_standard_evaluation(x, y, batch_size=7)
    robust = model(adversarial).argmax(dim=1) == y
    assert torch.equal(result.robust, robust)
    assert result.accuracy == robust.double().mean().item()
    assert result.clean == accuracy(model, x, y)
    shares = [result.clean, *result.stages.values()]
    assert [after < before for before, after in pairwise(shares)] == falling
    assert result.largest_norm == pytest.approx(epsilon, rel=0.01)


class Stopped(Exception):
    pass


def stop_after(calls: int):
    """Progress that lets so many batches pass, and raises at the next."""
    done = []

    def progress(stage: str, batches_done: int, batches: int, accuracy_so_far: float) -> None:
        done.append((stage, batches_done, batches, accuracy_so_far))
        if len(done) > calls:
            raise Stopped

    return progress, done


def comparable(result) -> dict[str, object]:
    return {**result.settings, "robust": result.robust.tolist(), "largest_norm": result.largest_norm}


def test_interrupted_after_any_batch_and_resumed_the_result_is_the_same(weak, tmp_path):
    model, x, y = small_examples(20)
    progress, done = stop_after(10**6)
    whole = autoattack_accuracy(model, x, y, progress=progress, **OPTIONS)
    assert {stage for stage, *_ in done} == set(STANDARD)
    assert max(batches for _, _, batches, _ in done) == 3
    for calls in range(len(done)):
        path = tmp_path / f"{calls}.json"
        with pytest.raises(Stopped):
            autoattack_accuracy(model, x, y, progress=stop_after(calls)[0], state_path=path, **OPTIONS)
        later, rest = stop_after(10**6)
        resumed = autoattack_accuracy(model, x, y, progress=later, state_path=path, **OPTIONS)
        assert comparable(resumed) == comparable(whole)
        # Nothing is attacked twice.
        assert rest == done[calls + 1 :]
        assert sorted(file.name for file in path.parent.iterdir() if file.name.startswith(f"{calls}.")) == [
            path.name
        ]


def test_a_resumed_stage_keeps_batches_of_what_stood_before_it(weak, tmp_path):
    model, x, y = small_examples(28)
    path = tmp_path / "state.json"
    with pytest.raises(Stopped):
        autoattack_accuracy(model, x, y, progress=stop_after(1)[0], state_path=path, **OPTIONS)
    state: Any = opened(path, json.loads(path.read_text())["run"], lambda: x)
    assert (state.current.name, state.current.batches) == ("apgd-ce", 2)
    assert torch.cat(state.batches(7)).tolist() == state.clean.nonzero().flatten().tolist()
    # Batches of what stands now, as the package would resume, are others: with its seed, other random starts.
    assert state.current.robust.nonzero()[:7].tolist() != state.clean.nonzero()[:7].tolist()


def test_an_upper_bound_from_two_stages_is_continued_to_the_standard_version(weak, tmp_path):
    model, x, y = small_examples(40)
    path = tmp_path / "deep" / "state.json"
    bound = autoattack_accuracy(model, x, y, stages=STANDARD[:2], state_path=path, **OPTIONS)
    assert not bound.standard
    assert bound.settings["version"] == "apgd-ce+apgd-t (upper bound)"
    whole = autoattack_accuracy(model, x, y, state_path=path, **OPTIONS)
    assert comparable(whole) == comparable(autoattack_accuracy(model, x, y, **OPTIONS))
    assert whole.standard
    assert whole.settings["version"] == "standard"
    assert bound.accuracy >= whole.accuracy
    again = autoattack_accuracy(model, x, y, stages=STANDARD[:2], state_path=path, **OPTIONS)
    assert comparable(again) == comparable(bound)
    assert json.loads(json.dumps(whole.settings)) == whole.settings


def test_nothing_is_attacked_when_no_answer_is_right(weak):
    model, x, _ = small_examples()
    wrong = model.eval()(x).argmin(dim=1)
    result = autoattack_accuracy(model, x, wrong, **OPTIONS)
    assert (result.clean, result.accuracy, result.largest_norm) == (0, 0, 0)
    assert dict.fromkeys(STANDARD, 0.0) == result.stages


def test_a_state_of_another_run_is_refused_and_kept(weak, tmp_path):
    model, x, y = small_examples()
    path = tmp_path / "state.json"
    autoattack_accuracy(model, x, y, state_path=path, **OPTIONS)
    content = path.read_bytes()
    other = copy.deepcopy(model)
    other.net.linear.bias.data[0] += 1e-6
    for arguments, change, differing in (
        ((other, x, y), {}, "weights"),
        ((model, x.flip(0), y), {}, "data"),
        ((model, x[:20], y[:20]), {}, "data, n"),
        ((model, x, y), {"seed": 6}, "seed"),
        ((model, x, y), {"batch": 8}, "batch"),
        ((model, x, y), {"norm": "l2", "epsilon": 0.5}, "epsilon, norm"),
    ):
        with pytest.raises(ValueError, match=f"belongs to a run with other {differing}: delete the file"):
            autoattack_accuracy(*arguments, state_path=path, **{**OPTIONS, **change})
        assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"format": 2}', b"\xff\xfe", None])
def test_a_broken_state_is_refused_and_kept(weak, tmp_path, content):
    model, x, y = small_examples()
    path = tmp_path / "state.json"
    if content is None:
        autoattack_accuracy(model, x, y, state_path=path, **OPTIONS)
        content = path.read_bytes()[:-100]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"state_path = .* holds no state of AutoAttack"):
        autoattack_accuracy(model, x, y, state_path=path, **OPTIONS)
    assert path.read_bytes() == content


@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_a_full_disk_leaves_the_state_before(weak, tmp_path, monkeypatch, call):
    model, x, y = small_examples()
    path = tmp_path / "state.json"
    with pytest.raises(Stopped):
        autoattack_accuracy(model, x, y, progress=stop_after(0)[0], state_path=path, **OPTIONS)
    content = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(call, full)
    with pytest.raises(OSError, match="No space left"):
        autoattack_accuracy(model, x, y, state_path=path, **OPTIONS)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_warnings_of_the_package_are_in_the_result(weak, tmp_path, caplog):
    """A saturated model has zero gradients, which the package warns about."""
    model, x, y = small_examples()
    flat = nn.Sequential(model, nn.Hardtanh(-1e-9, 1e-9)).eval()
    y = flat(x).argmax(dim=1)
    path = tmp_path / "state.json"
    for _ in range(2):
        result = autoattack_accuracy(flat, x, y, state_path=path, **{**OPTIONS, "batch": 50})
        assert any("zero gradient" in text for text in result.warnings)
        assert len(set(result.warnings)) == len(result.warnings)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 8}, r"epsilon = 8; it must be > 0 and <= 1, .* 8 of 255 is 8/255"),
        ({"epsilon": 0}, r"epsilon = 0;"),
        ({"epsilon": math.nan}, r"epsilon = nan;"),
        ({"epsilon": math.inf, "norm": "l2"}, r"epsilon = inf; it must be > 0 and finite"),
        ({"norm": "Linf"}, r"norm = 'Linf' is unknown; the known ones are linf, l2"),
        ({"seed": None}, r"seed = None; .* the package would take the clock"),
        ({"stages": ("apgd-t",)}, r"stages = \('apgd-t',\); they must be the first ones of apgd-ce, apgd-t"),
        ({"stages": ()}, r"stages = \(\)"),
    ],
)
def test_bad_options_of_autoattack_are_named_with_what_is_required(change, message):
    with pytest.raises(ValueError, match=message):
        autoattack_accuracy(*small_examples(4), **{"epsilon": 0.1, "seed": 0, **change})


def test_autoattack_needs_four_classes(tmp_path):
    model, x, y = small_examples(4, classes=3)
    with pytest.raises(
        ValueError, match=r"the model has 3 classes; AutoAttack's targeted loss needs 4 or more"
    ):
        autoattack_accuracy(model, x, y, epsilon=0.1, seed=0, state_path=Path(tmp_path / "state.json"))
    assert list(tmp_path.iterdir()) == []
