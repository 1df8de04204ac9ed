"""Clean, PGD and AutoAttack accuracy (training/evaluation): what is counted, that it can be trusted and resumed.

Second sources: predictions chosen beforehand, the exact robust accuracy of a linear model, and AutoAttack as its
own package runs it in one go.
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
from torch import Tensor, nn

from training.evaluation import STANDARD, accuracy, autoattack_accuracy, pgd_accuracy
from training.evaluation import autoattack as stages_module
from training.evaluation.accuracies import BLOCK
from training.evaluation.state import opened
from training.methods.attacks import pgd
from training.models import build

BUDGET: dict[str, Any] = {"epsilon": 0.1, "step_size": 0.03, "steps": 5, "seed": 0}


class Lookup(nn.Module):
    """Predicts round(10 * first pixel): the answer is chosen with the image."""

    def forward(self, x: Tensor) -> Tensor:
        return -(10 * x[:, 0, 0, :1] - torch.arange(10.0)).abs()


def small_examples(n: int = 24, classes: int = 10) -> tuple[Any, Tensor, Tensor]:
    """A small net with random weights whose own answers are the labels, but for every sixth."""
    torch.manual_seed(0)
    model = build("small", classes, 1, (0.3,), (0.2,))
    x = torch.rand(n, 1, 8, 8)
    y = model.eval()(x).argmax(dim=1)
    y[::6] = (y[::6] + 1) % classes
    return model.train(), x, y


def test_accuracy_is_the_share_of_right_answers_of_floats_and_of_bytes():
    answers = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5])
    images = (answers / 10).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    labels = answers.clone()
    labels[[2, 7, 10]] = 0
    for batch in (1, 4, 11, 500):
        assert accuracy(Lookup(), images, labels, batch) == 8 / 11
        assert accuracy(Lookup(), (255 * images).round().byte(), labels, batch) == 8 / 11


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


def test_pgd_accuracy_depends_on_the_seed_and_not_on_the_batch():
    model, x, y = small_examples(BLOCK + 40)
    found = {seed: pgd_accuracy(model, x, y, **{**BUDGET, "seed": seed, "steps": 1}) for seed in range(4)}
    assert len(set(found.values())) > 1
    for batch in (7, 100, BLOCK, 1000):
        assert pgd_accuracy(model, x, y, batch=batch, **{**BUDGET, "steps": 1}) == found[0]
    # The first examples get the same starts whether or not others follow.
    first = pgd_accuracy(model, x[:40], y[:40], **{**BUDGET, "steps": 1})
    rest = [pgd_accuracy(model, x[:n], y[:n], **{**BUDGET, "steps": 1}) * n for n in (40, 41)]
    assert rest[0] == pytest.approx(first * 40)
    assert rest[1] - rest[0] == pytest.approx(round(rest[1] - rest[0]), abs=1e-9)
    assert round(rest[1] - rest[0]) in (0, 1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_accuracy_counts_what_pgd_leaves(norm):
    model, x, y = small_examples()
    epsilon = 0.1 if norm == "linf" else 0.5
    found = pgd_accuracy(model, x, y, epsilon=epsilon, step_size=epsilon / 4, seed=3, norm=norm)
    model.eval()
    options = {"epsilon": epsilon, "step_size": epsilon / 4, "norm": norm}
    answers = [
        model(x + pgd(model, x, y, steps=20, generator=torch.Generator().manual_seed(seed), **options))
        for seed in range(3)
    ]
    shares = [(logits.argmax(dim=1) == y).double().mean().item() for logits in answers]
    # Twenty steps forget where they started, but for an example or two.
    assert min(shares) - 2.5 / len(x) <= found <= max(shares) + 2.5 / len(x)
    assert found < accuracy(model, x, y) - 0.2
    assert pgd_accuracy(model, x, y, epsilon=0.0, step_size=0.0, seed=0, norm=norm) == accuracy(model, x, y)


def linear_examples() -> tuple[Any, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    model = nn.Sequential(nn.Flatten(), nn.Linear(25, 5))
    model[1].weight.data = torch.randn(5, 25, generator=generator)
    model[1].bias.data = torch.zeros(5)
    x = 0.3 + 0.4 * torch.rand(40, 1, 5, 5, generator=generator)
    return model, x, model(x).argmax(dim=1)


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.015), ("l2", 0.05)])
def test_autoattack_finds_the_exact_robust_accuracy_of_a_linear_model_and_pgd_never_less(norm, epsilon):
    model, x, y = linear_examples()
    weight, logits = model[1].weight.detach().double(), model(x).detach().double()
    # No pixel meets the box. Class j wins somewhere in the ball iff its margin is less than epsilon ||w_j - w_y||_*.
    reach = torch.stack([(weight - weight[label]).norm(p=1 if norm == "linf" else 2, dim=1) for label in y])
    gap = logits.gather(1, y[:, None]) - logits - epsilon * reach
    gap[torch.arange(len(y)), y] = math.inf
    robust = gap.min(dim=1).values > 0
    assert gap.abs().min() > 1e-3
    exact = robust.double().mean().item()
    assert 0.2 < exact < 0.8
    result = autoattack_accuracy(model, x, y, epsilon=epsilon, norm=norm, seed=0, stages=STANDARD[:2])
    assert result.accuracy == exact
    assert torch.equal(result.robust, robust)
    assert 0.9 * epsilon < result.largest_norm <= epsilon * (1 + 1e-4)
    assert pgd_accuracy(model, x, y, epsilon=epsilon, step_size=epsilon / 4, seed=0, norm=norm) >= exact
    assert result.stages["apgd-ce"] >= exact


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


class Returning(nn.Module):
    """The logits of Lookup, changed."""

    def __init__(self, change) -> None:
        super().__init__()
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(Lookup()(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda logits: logits.bfloat16(),
            r"returned logits in torch.bfloat16; reported accuracies need float32",
        ),
        (lambda logits: logits / 0, r"returned logits that are not finite"),
        (lambda logits: logits.sum(dim=1), r"returned shape \(.*\) for . images; it must be \(N, classes\)"),
    ],
)
def test_logits_that_make_no_accuracy_are_refused(change, message):
    images, labels = torch.full((3, 1, 2, 2), 0.25), torch.zeros(3, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        accuracy(Returning(change), images, labels)


def test_reported_logits_are_float32_under_a_caller_s_autocast():
    model, x, y = small_examples()
    types = []
    model.net.linear.register_forward_hook(lambda module, inputs, output: types.append(output.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(x)
        accuracy(model, x, y)
        pgd_accuracy(model, x, y, **BUDGET)
    assert types[0] == torch.bfloat16
    assert set(types[1:]) == {torch.float32}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": torch.zeros(3, dtype=torch.int64)},
            r"images have shape .* and labels \(3,\); they must be",
        ),
        ({"images": torch.zeros(0, 1, 8, 8), "labels": torch.zeros(0).long()}, r"with n >= 1"),
        ({"labels": torch.zeros(4)}, r"labels have type torch.float32; they must be int64"),
        ({"labels": torch.tensor([0, 1, 2, 10])}, r"labels run from 0 to 10; the model has 10 classes"),
        ({"labels": torch.tensor([0, -1, 2, 3])}, r"labels run from -1 to 3"),
        (
            {"images": torch.full((4, 1, 8, 8), 200.0)},
            r"images run from 200 to 200; they must be .* in \[0, 1\]",
        ),
        ({"images": torch.full((4, 1, 8, 8), math.nan)}, r"images run from nan to nan"),
        ({"images": torch.zeros(4, 1, 8, 8).long()}, r"images have type torch.int64"),
        (
            {"images": torch.zeros(4, 1, 9, 9)},
            r"images have shape \(1, 1, 9, 9\); small takes \(N, 1, 8, 8\)",
        ),
        ({"batch": 0}, r"batch = 0; it must be a whole number >= 1"),
    ],
)
def test_bad_test_sets_are_named_with_what_is_required(change, message):
    model, x, y = small_examples(4)
    arguments = {"images": x, "labels": y, **change}
    with pytest.raises(ValueError, match=message):
        accuracy(model, **arguments)
    with pytest.raises(ValueError, match=message):
        pgd_accuracy(model, **arguments, **BUDGET)
    with pytest.raises(ValueError, match=message):
        autoattack_accuracy(model, **arguments, epsilon=0.1, seed=0)


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
