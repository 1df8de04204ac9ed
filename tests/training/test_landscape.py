"""Holds Figure 7's values to closed forms, to a plain loop and to their definition; and its command to its files."""

from __future__ import annotations

import json
import math
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from curve_records import landscape_record, recipe_fields
from torch import Tensor, nn

from training.cells.recipe import digest_of
from training.cells.recipes import recipe
from training.data import load
from training.methods.attacks import pgd
from training.models import build
from training.results.landscape_record import validate_landscape
from training.results.records import read
from training.runs.checkpoint import save
from training.runs.run_folder import RunFolder
from training.studies.landscape import command as landscape
from training.studies.landscape.job import weights_hash
from training.studies.landscape.loss import adversarial_loss, displaced, filter_normalised, losses_along

# float32 sums in another order: the losses are of order 1.
TOLERANCE = 2e-6
ATTACK: dict[str, Any] = {"epsilon": 0.15, "step_size": 0.0375, "steps": 10}


def net(seed: int = 0) -> nn.Module:
    """A small net for digits whose batch norm has seen some of them, so that its two policies differ."""
    torch.manual_seed(seed)
    model = build("small", 10, 1)
    x, _ = digits(60)
    with torch.no_grad():
        for _ in range(5):
            model(0.7 * x + 0.1)
    return model.eval()


def digits(n: int) -> tuple[Tensor, Tensor]:
    data = load("digits")
    return data.pixels(data.test_images[:n]), data.test_labels[:n]


def direction(model: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    return filter_normalised(model, torch.Generator().manual_seed(seed))


def filter_norms(values: Tensor) -> Tensor:
    return values.detach().double().flatten(1).square().sum(dim=1).sqrt()


def filters(model: nn.Module) -> list[str]:
    return [name for name, weight in model.named_parameters() if weight.ndim > 1]


class Score(nn.Module):
    """Logits (theta.x, 0): at label 0 the loss is log(1 + exp(-theta.x)), whose worst case has a closed form."""

    def __init__(self, theta: list[float]) -> None:
        super().__init__()
        self.linear = nn.Linear(len(theta), 2, bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.tensor([theta, [0.0] * len(theta)]))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))


TOY_X = torch.tensor([[0.4, 0.6, 0.5], [0.7, 0.3, 0.45]]).view(2, 3, 1, 1)
TOY_Y = torch.zeros(2, dtype=torch.int64)
THETA = [1.5, -0.8, 0.3]


def worst(theta: Tensor) -> float:
    """The mean of log(1 + exp(-theta.x + epsilon ||theta||_1)), the linear model under the worst L-infinity attack."""
    score = TOY_X.flatten(1).double() @ theta.double() - ATTACK["epsilon"] * theta.double().abs().sum()
    return float(torch.log1p(torch.exp(-score)).mean())


def test_the_filters_of_the_direction_have_the_norms_of_those_of_the_weights():
    model = net()
    found = direction(model)
    assert len(filters(model)) >= 3
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            assert filter_norms(found[name]) == pytest.approx(filter_norms(weight), rel=1e-6)
            # A direction scaled by layer has the layer's norm, not those of the filters.
            noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
            layer = noise * weight.detach().norm() / noise.norm()
            assert float(layer.norm()) == pytest.approx(float(weight.detach().norm()), rel=1e-5)
            assert filter_norms(layer) != pytest.approx(filter_norms(weight), rel=0.01)


def test_biases_and_batch_norm_are_not_moved():
    model = net()
    found = direction(model)
    still = [name for name, weight in model.named_parameters() if weight.ndim == 1]
    assert {"net.linear.bias", "net.norm1.weight", "net.norm1.bias"} <= set(still)
    assert all(found[name].count_nonzero() == 0 for name in still)
    assert found.keys() == dict(model.named_parameters()).keys()


def test_one_seed_gives_nets_of_one_shape_one_gaussian_direction_and_another_seed_another():
    one, other = net(0), net(1)
    first, second, third = direction(one), direction(other), direction(one, seed=1)
    for name in filters(one):
        units = [each[name].flatten(1) / filter_norms(each[name])[:, None] for each in (first, second, third)]
        assert torch.allclose(units[0], units[1], atol=1e-6)
        assert not torch.allclose(units[0], units[2], atol=1e-2)
    # Drawn in the order of the parameters: the first filter is the first numbers of the generator.
    name = filters(one)[0]
    shape = dict(one.named_parameters())[name].shape
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cosine = F.cosine_similarity(noise.flatten(1), first[name].double().flatten(1))
    assert cosine == pytest.approx(torch.ones(len(cosine), dtype=torch.float64), abs=1e-6)


def test_a_filter_of_zeros_stays_where_it_is():
    found = direction(Score(THETA))["linear.weight"]
    assert found[1].count_nonzero() == 0
    assert float(found[0].norm()) == pytest.approx(math.sqrt(sum(value**2 for value in THETA)), rel=1e-6)


def test_weights_are_displaced_inside_and_back_to_the_bit_even_after_an_error():
    model = net()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    along = direction(model)

    def fail() -> None:
        with displaced(model, along, -0.3):
            for name, weight in model.named_parameters():
                assert torch.allclose(weight, before[name] - 0.3 * along[name], atol=1e-7)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_on_a_linear_model_the_losses_are_those_of_the_closed_form():
    model = Score(THETA)
    along = direction(model, seed=3)
    theta, step = torch.tensor(THETA), along["linear.weight"][0]
    alphas = [-1.0, -0.4, 0.0, 0.3, 1.0]
    found = losses_along(model, along, alphas, lambda each: adversarial_loss(each, TOY_X, TOY_Y, **ATTACK))
    assert found == pytest.approx([worst(theta + alpha * step) for alpha in alphas], abs=TOLERANCE)
    # Neither a direction 1 % longer nor one step less fits.
    assert found[0] != pytest.approx(worst(theta - 1.01 * step), abs=100 * TOLERANCE)


def test_the_attack_is_found_anew_where_the_one_of_alpha_zero_is_too_weak():
    model = Score(THETA)
    along = direction(model, seed=3)
    kept = pgd(model, TOY_X, TOY_Y, start="zero", **ATTACK)

    def stale(each: nn.Module) -> float:
        with torch.no_grad():
            return float(F.cross_entropy(each(TOY_X + kept), TOY_Y))

    alphas = [-2.0, -1.0, 0.0, 1.0, 2.0]
    anew = losses_along(model, along, alphas, lambda each: adversarial_loss(each, TOY_X, TOY_Y, **ATTACK))
    reused = losses_along(model, along, alphas, stale)
    assert reused[2] == pytest.approx(anew[2], abs=TOLERANCE)
    assert all(new >= old - TOLERANCE for new, old in zip(anew, reused, strict=True))
    # A weight changes its sign on the way: there the old attack helps the model.
    signs = {
        tuple((torch.tensor(THETA) + alpha * along["linear.weight"][0]).sign().tolist()) for alpha in alphas
    }
    assert len(signs) > 1
    assert max(new - old for new, old in zip(anew, reused, strict=True)) > 0.05


def test_the_attack_of_a_net_is_found_anew():
    model, (x, y) = net(), digits(40)
    along = direction(model)
    kept = pgd(model, x, y, start="zero", **ATTACK)
    for alpha in (-1.0, 1.0):
        with displaced(model, along, alpha), torch.no_grad():
            reused = float(F.cross_entropy(model(x + kept), y))
        (anew,) = losses_along(model, along, [alpha], lambda each: adversarial_loss(each, x, y, **ATTACK))
        assert anew > reused + 0.01


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_the_loss_is_that_of_a_plain_loop_over_steps_of_the_sign(alpha):
    model, (x, y) = net(), digits(30)
    along = direction(model)
    (found,) = losses_along(
        model, along, [alpha], lambda each: adversarial_loss(each, x, y, seed=5, **ATTACK)
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.add_(alpha * along[name])
    delta = 0.15 * (2 * torch.rand(x.shape, generator=torch.Generator().manual_seed(5)) - 1)
    delta = (x + delta).clamp(0, 1) - x
    for _ in range(10):
        delta = delta.detach().requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(model(x + delta), y), delta)
        delta = (delta + 0.0375 * slope.sign()).clamp(-0.15, 0.15)
        delta = (x + delta).clamp(0, 1) - x
    assert found == pytest.approx(float(F.cross_entropy(model(x + delta), y).detach()), abs=1e-4)


def test_at_alpha_zero_the_loss_is_that_of_the_net_itself_to_the_bit():
    model, (x, y) = net(), digits(30)
    found = losses_along(
        model, direction(model), [-0.5, 0.0, 0.5], lambda each: adversarial_loss(each, x, y, **ATTACK)
    )
    assert found[1] == adversarial_loss(model, x, y, **ATTACK)
    assert found[1] not in (found[0], found[2])


def test_the_loss_is_above_the_clean_one_and_a_mean_over_batches_of_any_size():
    model, (x, y) = net(), digits(30)
    whole = adversarial_loss(model, x, y, **ATTACK)
    with torch.no_grad():
        assert whole > float(F.cross_entropy(model(x), y))
    # The sign of a gradient near 0 may differ with the order of sums.
    assert adversarial_loss(model, x, y, batch=7, **ATTACK) == pytest.approx(whole, abs=1e-4)


@pytest.mark.parametrize(("batch_norm", "training"), [("running", False), ("batch", True)])
def test_batch_norm_uses_the_statistics_it_is_told_to_and_moves_none(batch_norm, training):
    model, (x, y) = net(), digits(30)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = adversarial_loss(
        model, x, y, batch_norm=batch_norm, epsilon=0.0, step_size=0.0, steps=1, batch=len(x)
    )
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module.training for module in model.modules())
    model.train(training)
    with torch.no_grad():
        assert found == pytest.approx(float(F.cross_entropy(model(x), y)), abs=TOLERANCE)
        model.train(not training)
        assert found != pytest.approx(float(F.cross_entropy(model(x), y)), abs=0.01)


def test_a_net_in_train_mode_is_judged_in_eval_mode_and_given_back_in_train_mode():
    model, (x, y) = net(), digits(20)
    expected = adversarial_loss(model, x, y, **ATTACK)
    model.train()
    assert adversarial_loss(model, x, y, **ATTACK) == expected
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_norm": "train"}, "batch_norm = 'train' is unknown; the known ones are running, batch"),
        ({"batch": 0}, "batch = 0"),
        ({"epsilon": 8.0}, "epsilon = 8.0"),
        ({"steps": 0}, "steps = 0"),
    ],
)
def test_arguments_outside_their_range_are_refused(changes, message):
    x, y = digits(4)
    with pytest.raises(ValueError, match=message):
        adversarial_loss(net(), x, y, **{**ATTACK, **changes})


def test_weights_that_have_diverged_are_no_loss():
    model, (x, y) = net(), digits(4)
    with torch.no_grad():
        next(model.parameters()).fill_(math.inf)
    with pytest.raises(ValueError, match="the adversarial loss is nan"):
        adversarial_loss(model, x, y, **ATTACK)


def test_a_whole_record_of_a_landscape_is_accepted():
    validate_landscape(landscape_record("compact-at", 0))


def spoilt(path: str, value: Any) -> dict[str, Any]:
    """A record with one field, such as `settings.alphas`, set to something else, or without it for None."""
    record = json.loads(json.dumps(landscape_record("compact-at", 0)))
    *parents, last = path.split(".")
    place = record
    for name in parents:
        place = place[name]
    place.pop(last) if value is None else place.__setitem__(last, value)
    return record


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("loss", None, "loss is missing"),
        ("loss.train", None, "need train and test"),
        ("loss.train", [1.0], "holds 1 values, need one each of 5 alphas"),
        ("loss.test", [1.0, 2.0, math.inf, 2.0, 1.0], "need a list of finite numbers"),
        ("loss.test", [1.0, 2.0, -0.1, 2.0, 1.0], "a cross-entropy is at least 0"),
        ("settings.alphas", [-1.0, -0.4, 0.1, 0.4, 1.0], "0 among them"),
        ("settings.alphas", [-1.0, 0.0, -0.4, 0.4, 1.0], "need increasing numbers"),
        ("settings.batch_norm", "train", "need running or batch"),
        ("settings.n_train", 0, "n_train = 0, need at least 1"),
        ("settings.attack.steps", True, "steps = True, need int"),
        ("settings.attack.seed", None, "seed is missing"),
        ("checkpoint.name", "best", "need one of best_test, last, validation"),
        ("seed", "0", "seed = '0', need int"),
        ("shortened", True, "30 of 30 epochs ran"),
        ("recipe", recipe_fields("compact-at", lr=0.2), "but that of the recipe beside it is"),
    ],
)
def test_a_spoilt_record_of_a_landscape_is_refused(path, value, message):
    with pytest.raises(ValueError, match=message):
        validate_landscape(spoilt(path, value))


NAMES = ("compact-at", "compact-awp-ensgd")


def leave_run(out: Path, name: str, seed: int, *, start: int = 0, **identity: Any) -> dict[str, Tensor]:
    """What a finished run of this recipe leaves in its folder; its net has not been trained. Returns its weights."""
    used = recipe(name)
    weights = {key: value.clone() for key, value in net(start).state_dict().items()}
    about = {
        "recipe": name,
        "digest": used.digest,
        "seed": seed,
        "data": "digits",
        "examples": 1397,
        "epochs": used.epochs,
        "n_test": 200,
        "evaluate_every": 1,
        "settings": {"device": "cpu", "amp": "off", "channels_last": True, "tf32": False},
        **identity,
    }
    shortened = f"-epochs{about['epochs']}" if about["epochs"] < used.epochs else ""
    folder = out / "runs" / name / f"seed{seed}{shortened}"
    chosen = {"epoch": 3, "clean": 0.5, "pgd20": 0.25, "score": 0.25, "weights": weights}
    with RunFolder(folder, about, resume=True, threads=1) as entered:
        entered.save_trained(
            {"selected": {"best_test": chosen, "last": chosen}, "history": [], "seconds": {}}
        )
    return weights


def command(out: Path, *options: str) -> int:
    short = ["--n", "12", "--points", "3", "--steps", "2", "--jobs", "1"]
    # It shows warnings in its own way, which the process is not to keep.
    with warnings.catch_warnings():
        return landscape.main(["--out", str(out), *short, *options])


def landscapes(out: Path) -> list[dict[str, Any]]:
    return read(out / "landscapes.jsonl", validate_landscape)


def refused(capsys: pytest.CaptureFixture[str], out: Path, *options: str) -> str:
    """The one line of a refused command, whose status is 2."""
    status: Any
    try:
        status = command(out, *options)
    except SystemExit as end:
        status = end.code
    printed = capsys.readouterr()
    assert (status, printed.out, printed.err.count("\n")) == (2, "", 1)
    return printed.err


def test_the_command_records_the_losses_of_every_finished_run_and_does_nothing_twice(tmp_path, capsys):
    weights = {(name, seed): leave_run(tmp_path, name, seed, start=seed) for name in NAMES for seed in (0, 1)}
    assert command(tmp_path) == 0
    found = landscapes(tmp_path)
    assert [(one["recipe"]["name"], one["seed"]) for one in found] == list(weights)
    assert "4 of 4 landscapes measured" in capsys.readouterr().out
    data = load("digits", validation=200)
    for record in found:
        assert record["checkpoint"] == {
            "name": "best_test",
            "epoch": 3,
            "weights": weights_hash(weights[record["recipe"]["name"], record["seed"]]),
        }
        assert record["settings"]["alphas"] == [-1, 0, 1]
        model = net(record["seed"])
        along = direction(model)
        for split, images, labels in (
            ("train", data.train_images, data.train_labels),
            ("test", data.test_images, data.test_labels),
        ):
            x, y = data.pixels(images[:12]), labels[:12]
            loss = [0.0] * 3
            for place, alpha in enumerate((-1.0, 0.0, 1.0)):
                with displaced(model, along, alpha):
                    loss[place] = adversarial_loss(model, x, y, epsilon=0.15, step_size=0.0375, steps=2)
            # Channels last sums in another order, and may turn a sign.
            assert record["loss"][split] == pytest.approx(loss, abs=1e-3)
    before = (tmp_path / "landscapes.jsonl").read_bytes()
    assert command(tmp_path) == 0
    assert "0 of 4 landscapes measured, 4 were there before" in capsys.readouterr().out
    assert (tmp_path / "landscapes.jsonl").read_bytes() == before


def test_the_attack_is_that_of_the_recipes_training_unless_steps_are_given(tmp_path):
    leave_run(tmp_path, "compact-at", 0)
    for options in ([], ["--steps", "3"]):
        assert (
            landscape.main(["--out", str(tmp_path), "--n", "8", "--points", "3", "--jobs", "1", *options])
            == 0
        )
    used = recipe("compact-at")
    assert used.steps_train != used.steps_test
    shared = {"norm": "linf", "epsilon": 0.15, "step_size": used.step_size_train, "seed": 0}
    attacks = [one["settings"]["attack"] for one in landscapes(tmp_path)]
    assert attacks == [{**shared, "steps": used.steps_train}, {**shared, "steps": 3}]


def test_another_setting_and_another_net_are_measured_beside_the_first(tmp_path):
    leave_run(tmp_path, "compact-at", 0)
    assert command(tmp_path) == 0
    for option in (["--direction-seed", "1"], ["--attack-seed", "1"], ["--batch-norm", "batch"]):
        assert command(tmp_path, *option) == 0
        assert command(tmp_path, *option) == 0
    assert len(landscapes(tmp_path)) == 4
    leave_run(tmp_path, "compact-at", 0, start=1)
    assert command(tmp_path, "--checkpoint", "last") == 0
    assert command(tmp_path) == 0
    found = landscapes(tmp_path)
    assert [one["checkpoint"]["name"] for one in found[4:]] == ["last", "best_test"]
    assert len({json.dumps(one["loss"]) for one in found[:5]}) == 5
    assert found[4]["loss"] == found[5]["loss"]


def test_a_pattern_and_a_seed_choose_the_runs_and_the_rest_follows_later(tmp_path):
    for seed in (0, 1):
        leave_run(tmp_path, "compact-at", seed)
    leave_run(tmp_path, "compact-awp", 0)
    (tmp_path / "runs" / "compact-awp" / "seed0").rename(tmp_path / "runs" / "compact-awp" / "seed0.old1")
    leave_run(tmp_path, "compact-awp", 0, epochs=4)
    assert command(tmp_path, "--runs", "compact-at", "--seed", "1") == 0
    assert [one["seed"] for one in landscapes(tmp_path)] == [1]
    assert command(tmp_path) == 0
    found = [(one["recipe"]["name"], one["seed"], one["shortened"]) for one in landscapes(tmp_path)]
    # What was set aside is none of them.
    assert found == [("compact-at", 1, False), ("compact-at", 0, False), ("compact-awp", 0, True)]


def test_two_processes_find_what_one_finds(tmp_path):
    for out in ("one", "two"):
        for seed in (0, 1):
            leave_run(tmp_path / out, "compact-at", seed, start=seed)
    assert command(tmp_path / "one") == 0
    assert command(tmp_path / "two", "--jobs", "2") == 0
    found = [sorted(landscapes(tmp_path / out), key=lambda one: one["seed"]) for out in ("one", "two")]
    assert [one["loss"] for one in found[0]] == [one["loss"] for one in found[1]]


def test_an_interrupted_command_keeps_what_is_measured_and_goes_on(tmp_path, capsys, monkeypatch):
    for seed in (0, 1):
        leave_run(tmp_path, "compact-at", seed)
    whole = landscape.measure

    def cut(run: Any, **options: Any) -> Any:
        if run.identity["seed"] == 1:
            raise KeyboardInterrupt
        return whole(run, **options)

    monkeypatch.setattr(landscape, "measure", cut)
    assert command(tmp_path) == 130
    assert "stopped" in capsys.readouterr().err
    assert [one["seed"] for one in landscapes(tmp_path)] == [0]
    monkeypatch.undo()
    assert command(tmp_path) == 0
    assert [one["seed"] for one in landscapes(tmp_path)] == [0, 1]


def test_a_run_of_a_recipe_that_was_changed_is_left_out_with_a_warning(tmp_path, capsys):
    leave_run(tmp_path, "compact-at", 0)
    leave_run(tmp_path, "compact-awp", 0, digest=replace(recipe("compact-awp"), lr=0.2).digest)
    assert command(tmp_path) == 0
    assert "warning: compact-awp/seed0: made before the recipe was changed" in capsys.readouterr().err
    assert [one["recipe"]["name"] for one in landscapes(tmp_path)] == ["compact-at"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--runs", "compact-trades"], "no finished run of that name in .*, there are: compact-at"),
        (["--runs", "compact-at,"], "has an empty entry"),
        (["--seed", "7"], "seed = 7: these runs have seeds 0"),
        (["--points", "4"], "'4' is not an odd number of at least 3"),
        (["--n", "0"], "'0' is not an integer of at least 1"),
        (["--checkpoint", "validation"], "checkpoint = 'validation': compact-at, seed 0 has best_test, last"),
        (["--device", "mars"], "device 'mars' is not known"),
        (["--batch-norm", "train"], "invalid choice: 'train'"),
        (["--direction"], "did you mean --direction-seed"),
    ],
)
def test_bad_input_is_one_line_and_status_2_and_writes_nothing(options, message, tmp_path, capsys):
    leave_run(tmp_path, "compact-at", 0)
    assert re.search(message, refused(capsys, tmp_path, *options))
    assert not (tmp_path / "landscapes.jsonl").exists()


def test_runs_on_other_data_damaged_weights_and_another_net_are_refused(tmp_path, capsys):
    leave_run(tmp_path / "data", "compact-at", 0, examples=1000)
    assert "was trained on 1,000 images of digits, but --data-dir holds 1,397" in refused(
        capsys, tmp_path / "data"
    )
    leave_run(tmp_path / "cut", "compact-at", 0)
    path = tmp_path / "cut" / "runs" / "compact-at" / "seed0" / "trained.pt"
    path.write_bytes(path.read_bytes()[:-100])
    assert "trained.pt is" in refused(capsys, tmp_path / "cut")
    leave_run(tmp_path / "net", "compact-at", 0)
    path = tmp_path / "net" / "runs" / "compact-at" / "seed0" / "trained.pt"
    content = torch.load(path, weights_only=True)
    del content["selected"]["best_test"]["weights"]["net.linear.weight"]
    save(path, "trained", content)
    assert "the weights do not fit the net 'small'" in refused(capsys, tmp_path / "net")


def test_a_file_of_landscapes_that_is_spoilt_is_refused_before_any_work(tmp_path, capsys):
    leave_run(tmp_path, "compact-at", 0)
    (tmp_path / "landscapes.jsonl").write_text('{"seed": 0}\n{}\n', encoding="utf-8")
    assert "landscapes.jsonl, line 1: landscape: recipe is missing" in refused(capsys, tmp_path)
    assert (tmp_path / "landscapes.jsonl").read_text(encoding="utf-8") == '{"seed": 0}\n{}\n'


def test_the_hash_of_weights_changes_with_any_value_and_any_name():
    weights = net().state_dict()
    other = {name: value.clone() for name, value in weights.items()}
    assert weights_hash(other) == weights_hash(dict(reversed(list(weights.items()))))
    other["net.norm1.running_var"][3] += 1e-6
    assert weights_hash(other) != weights_hash(weights)
    renamed = {name.replace("norm1", "norm7"): value for name, value in weights.items()}
    assert weights_hash(renamed) != weights_hash(weights)


def test_digests_of_the_recipes_survive_json():
    fields = recipe_fields("compact-at")
    assert digest_of(json.loads(json.dumps(fields))) == recipe("compact-at").digest
