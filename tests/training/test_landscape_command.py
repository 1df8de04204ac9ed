"""The command that measures landscapes: which runs it takes, what it writes, how it is interrupted and goes on."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from landscape_nets import direction, net
from torch import Tensor

from training.cells.recipes import recipe
from training.data import load
from training.results.landscape_record import validate_landscape
from training.results.records import read
from training.runs.checkpoint import save
from training.runs.run_folder import RunFolder
from training.studies.landscape import command as landscape
from training.studies.landscape.job import weights_hash
from training.studies.landscape.loss import adversarial_loss, displaced

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
