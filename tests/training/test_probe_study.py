"""The study of the probe: its records, findings, page, penalised nets and command (training/studies/probe).

Second sources: numbers that the records were made of, statistics by numpy, Student's quantile as tables print it, the
penalty of a linear softmax model in closed form, and records that the command itself wrote.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from probe_records import record, split
from torch import nn

from training.data import load
from training.examples.drop_in import train
from training.results.probe_record import confirmed, validate_probe
from training.results.records import read
from training.runs.stopping import Stop
from training.studies.probe import command, probe
from training.studies.probe.findings import findings
from training.studies.probe.nets import Wanted
from training.studies.probe.page import answers, page
from training.studies.probe.penalty import penalised, trained_with_penalty

STUDENT = {2: 12.706, 3: 4.303}  # 97.5 %, by the number of values


def three(recipe: str, sigmas: list[float], **changes: Any) -> list[dict[str, Any]]:
    return [record(recipe, seed, sigma=sigma, **changes) for seed, sigma in enumerate(sigmas)]


def test_a_record_is_valid_and_every_part_of_it_is_asked_for():
    validate_probe(record())
    for field in record():
        broken = record()
        del broken[field]
        with pytest.raises(ValueError, match=f"record holds .*need .*{field}"):
            validate_probe(broken)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"positions": {**split()["positions"], "kink": 2}}, "splits.train.positions = .*need 4 images over"),
        ({"c": [1.0, float("nan")]}, "splits.train.c = .*need at most 4 numbers or nulls"),
        ({"speed": [1.0] * 5}, "splits.train.speed"),
        ({"surplus": 1}, "splits.train holds"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        validate_probe(record(**changes))


def test_a_turning_that_differences_do_not_confirm_does_not_count():
    good, bad = record(), record(sigma=2.0)
    bad["smoothness"]["difference"] = 2.1
    assert confirmed(good)
    assert not confirmed(bad)
    assert findings([good, bad])["confirmed"] == [1, 2]
    bad["smoothness"] = None
    assert findings([good, bad])["confirmed"] == [1, 1]


def test_shares_are_counted_over_images_and_their_interval_is_over_seeds():
    kinks = [record(seed=seed) for seed in range(3)]
    kinks[2] = record(seed=2, positions={**split()["positions"], "sphere": 1, "kink": 3})
    found = findings(kinks)["positions"][0]
    shares = np.array([0.25, 0.25, 0.5])  # of the kinks, over training and test images
    half = STUDENT[3] * shares.std(ddof=1) / math.sqrt(3)
    assert found["images"] == 24
    assert found["shares"]["kink"]["mean"] == pytest.approx(shares.mean())
    assert found["shares"]["kink"]["high"] == pytest.approx(shares.mean() + half, rel=1e-3)
    assert found["along"]["30"]["sphere"] == pytest.approx(1 - shares.mean())


def test_bounds_are_compared_with_the_speed_image_by_image():
    found = findings([record(seed=seed) for seed in range(2)])["constants"][0]
    # cross_tangent / c over speed: 2 and 2; cross / c_paper over speed: 30 and 15, on both splits.
    assert found["tangent"]["mean"] == pytest.approx(2)
    assert found["paper"]["mean"] == pytest.approx(22.5)
    assert found["images"] == 8
    assert found["exceeded"] == 0
    assert findings([record(speed=[3.0, 2.0])])["constants"][0]["exceeded"] == 1


def test_methods_are_compared_seed_by_seed_by_the_geometric_mean():
    base, rival = [4.0, 9.0, 5.0], [2.0, 3.0, 5.0]
    found = findings([*three("silu-at", base), *three("silu-at-ensgd", rival)])
    logs = np.log(np.array(rival) / np.array(base))
    half = STUDENT[3] * logs.std(ddof=1) / math.sqrt(3)
    ratio = found["smoothness"][0]["ratio_sigma"]
    assert ratio["mean"] == pytest.approx(np.exp(logs.mean()))
    assert ratio["low"] == pytest.approx(np.exp(logs.mean() - half), rel=1e-3)
    assert "leaves it open" in dict(answers(found))["Does EntropySGD end in smoother places?"]
    clear = findings([*three("silu-at", [4.0, 4.1, 3.9]), *three("silu-at-ensgd", [2.0, 2.1, 1.9])])
    assert "times AT's: smoother" in dict(answers(clear))["Does EntropySGD end in smoother places?"]
    turned = findings([*three("silu-at", [2.0, 2.1, 1.9]), *three("silu-at-ensgd", [4.0, 4.1, 3.9])])
    assert "times AT's: rougher" in dict(answers(turned))["Does EntropySGD end in smoother places?"]


def test_the_selected_checkpoint_and_earlier_epochs_do_not_enter_the_comparison():
    last = [*three("silu-at", [4.0, 4.1]), *three("silu-at-ensgd", [2.0, 2.1])]
    others = [
        *three("silu-at-ensgd", [9.0, 9.0], epoch=10),
        *three("silu-at-ensgd", [9.0, 9.0], checkpoint="best_test"),
    ]
    assert findings(last)["smoothness"] == findings([*last, *others])["smoothness"]


@pytest.mark.parametrize(
    ("power", "word"), [(-1.5, "it grows as the curvature falls"), (2.0, "it falls with the")]
)
def test_the_slope_of_sigma_on_the_curvature_is_found_with_its_sign(power, word):
    flattened = [
        record("penalty", seed, penalty=weight, sigma=3 * top**power, top=[top] * 3)
        for seed in range(2)
        for weight, top in ((0.0, 4.0), (0.3, 2.0 + 0.01 * seed), (3.0, 1.0))
    ]
    found = findings([record(), *flattened])
    (slope,) = (one for one in found["flattening"] if one["which"] == "penalty")
    assert slope["sigma_by_top"]["mean"] == pytest.approx(power)
    assert word in dict(answers(found))["Does the smoothness constant grow as curvature in x falls?"]


def test_the_page_holds_the_answers_and_says_what_was_not_measured():
    found = findings([record()])
    text = page(found)
    assert all(answer in text for _, answer in answers(found))
    assert "Not measured." in text
    assert (
        "75.0 % on the sphere, 25.0 % where the search ends on a kink; n = 8 images, 1 nets, seeds 0" in text
    )
    assert "nan" not in text


def test_no_records_are_no_findings():
    with pytest.raises(ValueError, match="there is no record of the probe"):
        findings([])


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_the_penalty_of_a_linear_softmax_model_is_the_closed_form(weight):
    torch.manual_seed(0)
    net, x, y = nn.Linear(5, 3).double(), torch.rand(4, 5, dtype=torch.float64), torch.tensor([0, 2, 1, 1])
    logits = net(x)
    left = torch.softmax(logits, 1) - torch.eye(3, dtype=torch.float64)[y]
    squares = (left @ net.weight).square().sum(1)
    expected = nn.functional.cross_entropy(logits, y) + weight * squares.mean()
    assert float(penalised(net, x, y, weight).detach()) == pytest.approx(float(expected.detach()))


def test_a_net_with_a_penalty_is_trained_once_and_kept(tmp_path, monkeypatch):
    from dataclasses import replace

    from training.studies.probe import penalty

    short = replace(penalty.recipe("silu-at"), epochs=1, drops=())
    monkeypatch.setattr(penalty, "recipe", lambda name: short)
    data = load("digits", validation=200)
    with Stop() as stop:
        first = trained_with_penalty(data, 0.3, 0, tmp_path, stop)
        monkeypatch.setattr(penalty, "penalised", None)
        again = trained_with_penalty(data, 0.3, 0, tmp_path, stop)
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_command_trains_measures_and_writes_and_does_nothing_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        command, "_nets", lambda options: [Wanted("silu-at", 0, 1), Wanted("compact-at", 0, 1)]
    )
    arguments = [
        *("--n", "3", "--second", "1", "--restarts", "2", "--norms", "l2"),
        *("--nets", str(tmp_path), "--out", str(tmp_path)),
    ]
    assert command.main(arguments) == 0
    records = read(tmp_path / "probe.jsonl", validate_probe)
    assert [one["net"]["recipe"] for one in records] == ["silu-at", "compact-at"]
    assert {one["net"]["epoch"] for one in records} == {1}
    assert confirmed(records[0])
    found = json.loads((tmp_path / "probe.json").read_text())
    assert [text for _, text in found["answers"]] == [text for _, text in answers(findings(records))]
    assert (tmp_path / "probe.md").read_text() in capsys.readouterr().out
    assert command.main(arguments) == 0
    assert len(read(tmp_path / "probe.jsonl", validate_probe)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipes", "cifar10-rn18-at"], "'cifar10-rn18-at' is none of"),
        (["--norms", "l1"], "'l1' is none of linf, l2"),
        (["--n", "0"], "'0' is not an integer of at least 1"),
        (["--seeds", "0,x"], "'x' is not an integer of at least 0"),
        (["--smal"], "did you mean --small?"),
    ],
)
def test_bad_options_are_one_line_and_status_2(arguments, said, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        command.main([*arguments, "--out", str(tmp_path)])
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(Path(tmp_path).iterdir())


def test_the_probe_runs_on_the_net_of_the_drop_in_example():
    torch.manual_seed(0)
    data = load("digits")
    x, y = data.pixels(data.train_images[:128]), data.train_labels[:128]
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10)
    )
    train(net, lambda: [(x, y)] * 4, epochs=2, epsilon=0.15, inner_steps=2)
    for norm in ("linf", "l2"):
        found = probe(net, x[:3], y[:3], epsilon=0.15, norm=norm, restarts=2)
        assert bool((found.attack.loss >= found.attack.plain - 1e-12).all())
        assert sum(found.shares().values()) == pytest.approx(1)
