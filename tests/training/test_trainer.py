"""The trainer: schedules, switches between optimizers, what is evaluated and selected, and when a run is stopped."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from run_tools import few_digits, same_to_the_bit, tiny, trainer

from training.cells.recipes import recipe
from training.cells.schedule import phase
from training.data import load
from training.engine.device import Computing
from training.entropy_sgd import EntropySGD
from training.evaluation import accuracy, pgd_accuracy
from training.runs.batches import minibatches, order
from training.runs.health import TrainingFailed, require_above_chance, share_of_most_common
from training.runs.randomness import STREAMS, Streams, derived
from training.runs.selection import Selection

ENSGD = {"inner_steps": 3}


def test_the_learning_rate_drops_after_100_and_150_epochs():
    used = recipe("cifar10-rn18-at")
    rates = [phase(used, finished).lr for finished in range(200)]
    assert rates == [0.1] * 100 + [0.1 / 10] * 50 + [0.1 / 100] * 50


@pytest.mark.parametrize(
    ("name", "entropy", "awp"),
    [
        ("cifar10-rn18-at-ensgd", range(200), ()),
        ("svhn-rn18-awp-ensgd", range(5, 200), range(5, 200)),
        ("cifar10-wrn-trades-awp", (), range(10, 200)),
        ("cifar10-wrn-trades-awp+code", (), range(9, 200)),
        ("cifar10-wrn-trades-awp-ensgd-tuned", range(10, 150), range(10, 200)),
    ],
)
def test_warm_ups_and_switches_come_after_their_epochs(name, entropy, awp):
    phases = [phase(recipe(name), finished) for finished in range(200)]
    assert [one for one in range(200) if phases[one].entropy] == list(entropy)
    assert [one for one in range(200) if phases[one].awp] == list(awp)


def used_already(optimizer) -> list[str]:
    """What an optimizer remembers of steps, by name: all but theta itself, nothing, and passes that were never made."""
    return [
        name
        for state in optimizer.state.values()
        for name, value in state.items()
        if name != "anchor" and value is not None and torch.as_tensor(value).any()
        if not (name == "passes" and value < 0)
    ]


def test_a_switch_drops_the_loop_starts_from_theta_and_forgets_momentum(tmp_path, monkeypatch):
    used = tiny(
        "cifar10-wrn-trades-awp-ensgd-tuned", warmup_epochs=1, switch_to_sgd=2, epochs=3, drops=(), **ENSGD
    )
    run = trainer(used, few_digits(128), tmp_path)
    seen = []
    enter = run._enter_phase

    def entered():
        before = run.optimizer
        theirs = {id(weight): state for weight, state in before.state.items()}
        anchors = [state["anchor"].clone() for state in theirs.values() if "anchor" in state]
        position = before.position if isinstance(before, EntropySGD) else None
        enter()
        weights = [weight.detach().clone() for weight in run.model.parameters()]
        seen.append((type(run.optimizer).__name__, position, used_already(run.optimizer), anchors, weights))

    monkeypatch.setattr(run, "_enter_phase", entered)
    run.train()
    assert [name for name, *_ in seen] == ["SGD", "EntropySGD", "SGD"]
    assert [kept for _, _, kept, *_ in seen] == [[], [], []]
    _, position, _, anchors, weights = seen[2]
    assert position == 1  # four minibatches in loops of three: one is under way
    assert all(torch.equal(*pair) for pair in zip(anchors, weights, strict=True))


def test_every_example_is_seen_once_an_epoch_in_an_order_of_its_own():
    data, used = few_digits(75), tiny("cifar10-rn18-at")
    orders = [order(data, seed, epoch).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert all(sorted(one) == list(range(75)) for one in orders)
    assert len({tuple(one) for one in orders}) == 4
    rows, generator = order(data, 0, 1), torch.Generator()
    whole = list(minibatches(used, data, Computing(), rows, generator))
    assert [len(y) for _, y in whole] == [32, 32, 11]
    assert torch.equal(torch.cat([y for _, y in whole]), data.train_labels[rows])
    assert torch.equal(torch.cat([x for x, _ in whole]), data.train_images[rows] / 16)
    rest = list(minibatches(used, data, Computing(), rows, generator, 2))
    assert len(rest) == 1
    assert torch.equal(rest[0][0], whole[2][0])


def test_streams_differ_and_come_back_as_they_were():
    assert (
        len({derived(seed, stream, number) for seed in range(3) for stream in STREAMS for number in range(3)})
        == 54
    )
    with pytest.raises(ValueError, match="'noise' is unknown: use one of start"):
        derived(0, "noise")
    streams = Streams(5, torch.device("cpu"))
    state = streams.state()
    drawn = [torch.rand(3, generator=one) for one in (streams.augmentation, streams.attack)]
    drawn += [torch.rand(3)]
    streams.restore(state)
    again = [torch.rand(3, generator=one) for one in (streams.augmentation, streams.attack)]
    assert all(torch.equal(*pair) for pair in zip(drawn, [*again, torch.rand(3)], strict=True))
    assert not torch.equal(drawn[0], drawn[1])


def test_evaluation_judges_theta_and_leaves_no_trace(tmp_path):
    used = tiny("cifar10-rn18-at-ensgd+code", epochs=1, **ENSGD)
    run = trainer(used, few_digits(96), tmp_path)
    run.model.train()
    run._train_epoch()  # three minibatches into a loop of four, the first of which is discarded
    assert isinstance(run.optimizer, EntropySGD)
    assert run.optimizer.position == 3
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    streams = run.streams.state()
    with run.scorer.judged(run.model, run.optimizer, 0):
        inside = {name: value.clone() for name, value in run.model.state_dict().items()}
        found = run.scorer.scores(run.model)
    for name, weight in run.model.named_parameters():
        assert torch.equal(inside[name], run.optimizer.state[weight]["anchor"])
        assert not torch.equal(inside[name], before[name])
    # `code` renews the statistics: one pass of three minibatches.
    counter = "net.norm1.num_batches_tracked"
    assert int(inside[counter]) == int(before[counter]) + 3
    assert same_to_the_bit(dict(run.model.state_dict()), before)
    assert same_to_the_bit(run.streams.state(), streams)
    assert all(module.training for module in run.model.modules())
    run.model.load_state_dict(inside)
    x, y = run.data.pixels(run.data.test_images), run.data.test_labels
    budget: dict[str, Any] = {"epsilon": 0.15, "step_size": 0.0375, "steps": 2, "seed": 0}
    assert found == {"clean": accuracy(run.model, x, y), "pgd20": pgd_accuracy(run.model, x, y, **budget)}


def test_the_selected_weights_give_the_recorded_accuracies(tmp_path):
    used = tiny("cifar10-rn18-at-ensgd", epochs=4, validation=20, **ENSGD)
    run = trainer(used, few_digits(96, test=60, held=20), tmp_path)
    result = run.train()
    assert set(result["selected"]) == {"last", "best_test", "validation"}
    history = result["history"]
    for name, column in (("best_test", "test_pgd20"), ("validation", "validation_pgd20")):
        scores = [line[column] for line in history]
        assert result["selected"][name]["epoch"] == scores.index(max(scores)) + 1
    assert result["selected"]["last"]["epoch"] == 4
    x, y = run.data.pixels(run.data.test_images), run.data.test_labels
    for chosen in result["selected"].values():
        run.model.load_state_dict(chosen["weights"])
        assert accuracy(run.model, x, y) == chosen["clean"] == history[chosen["epoch"] - 1]["test_clean"]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == history


def test_of_equal_scores_the_first_epoch_is_selected():
    selection = Selection()
    for epoch, score in enumerate([0.4, 0.5, 0.5, 0.3], start=1):
        selection.offer(epoch, {"clean": 0.9, "pgd20": score}, dict, last=epoch == 4)
    assert {name: one["epoch"] for name, one in selection.chosen.items()} == {"best_test": 2, "last": 4}
    assert selection.chosen["last"]["pgd20"] == 0.3


def test_epochs_between_evaluations_have_no_accuracy_and_the_last_has(tmp_path):
    run = trainer(tiny("cifar10-rn18-at", epochs=4), few_digits(64), tmp_path, epochs=4, evaluate_every=3)
    history = run.train()["history"]
    assert [line["epoch"] for line in history if line["test_pgd20"] is not None] == [3, 4]
    assert all(math.isfinite(line["train_loss"]) for line in history)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    run = trainer(tiny("cifar10-rn18-awp", lr=1e30, epochs=3), few_digits(64), tmp_path)
    with pytest.raises(
        TrainingFailed,
        match=r"cifar10-rn18-awp, seed 0: the loss became nan in epoch 1; try a smaller lr than 1e\+30",
    ):
        run.train()
    assert not (tmp_path / "checkpoint.pt").exists()


def test_logits_that_are_no_numbers_stop_the_run(tmp_path):
    """One minibatch an epoch: its loss is finite, and the step after it is what ruins the net."""
    run = trainer(tiny("cifar10-rn18-at", lr=1e38, batch=64), few_digits(64), tmp_path)
    expected = "seed 0: the logits at evaluation became nan or inf in epoch 1; try a smaller lr"
    with pytest.raises(TrainingFailed, match=expected):
        run.train()


def test_a_net_that_only_guesses_stops_the_run(tmp_path):
    data = few_digits(32, test=100)
    run = trainer(tiny("cifar10-rn18-at", lr=1e-12, epochs=9), data, tmp_path)
    expected = r"collapsed to chance, .* in the last 5 evaluations, up to epoch 5; try a smaller lr"
    with pytest.raises(TrainingFailed, match=expected):
        run.train()


def test_a_net_that_recovers_in_the_fifth_evaluation_goes_on():
    used, chance = recipe("compact-at"), share_of_most_common(few_digits(1, test=200).test_labels)
    assert chance == 21 / 200
    lines = [
        {"epoch": epoch, "test_clean": clean} for epoch, clean in enumerate([0.1, None, 0.1, 0.12, 0.1, 0.1])
    ]
    with pytest.raises(TrainingFailed, match="compact-at, seed 3"):
        require_above_chance(used, 3, lines, chance)
    require_above_chance(used, 3, [*lines[:-1], {"epoch": 5, "test_clean": 0.2}], chance)
    require_above_chance(used, 3, lines[:-1], chance)


def test_channels_last_changes_only_roundings(tmp_path):
    losses = []
    for place, computing in enumerate([Computing(), Computing(channels_last=True)]):
        run = trainer(
            tiny("cifar10-rn18-at", epochs=1), few_digits(64), tmp_path / str(place), computing=computing
        )
        losses.append(run.train()["history"][0]["train_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"device": "cuda:99"}, r"device 'cuda:99' is not there .*: use cpu"),
        ({"device": "gpu"}, "device 'gpu' is not known: use cpu"),
    ],
)
def test_a_device_that_is_not_there_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Computing(**settings).prepare()


@pytest.mark.parametrize(
    ("settings", "message"), [({"amp": "fp16"}, "use one of off, bf16"), ({"threads": 0}, "at least 1")]
)
def test_settings_that_do_not_exist_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Computing(**settings)


def test_the_real_recipe_takes_steps_on_the_images(tmp_path):
    """`cifar10-rn18-at` on 2,000 images of the copy that SMOOTHNESS_AT_CIFAR10 names, in batches of 8 for a CPU."""
    if "SMOOTHNESS_AT_CIFAR10" not in os.environ:
        pytest.skip("SMOOTHNESS_AT_CIFAR10 names no copy of CIFAR-10")
    whole = load("cifar10", Path(os.environ["SMOOTHNESS_AT_CIFAR10"]))
    data = replace(
        whole,
        train_images=whole.train_images[:2000],
        train_labels=whole.train_labels[:2000],
        test_images=whole.test_images[:8],
        test_labels=whole.test_labels[:8],
    )
    losses = []
    run = trainer(replace(recipe("cifar10-rn18-at"), batch=8), data, tmp_path)
    for x, y in minibatches(run.recipe, data, run.computing, order(data, 0, 0), run.streams.augmentation):
        losses.append(float(run.method.step(run.optimizer, x, y, generator=run.streams.attack).loss))
        if len(losses) == 3:
            break
    assert all(1 < loss < 10 for loss in losses)
