"""Holds Figs. 3, 6 and 7 to the records: what is drawn are their numbers, and what they lack is not drawn but named."""

from __future__ import annotations

import json
import math
import warnings
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest
from curve_records import (
    ALPHAS,
    EXTRA,
    SIX,
    curve_record,
    landscape_record,
    loss,
    recipe_fields,
    robust,
    seconds,
    whole,
    write,
)
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text

from figures.__main__ import main
from figures.plate import Absent, Drawn, Settings, plates
from figures.runs import HUES
from figures.seed_curves import spread
from figures.style import house
from training.cells.recipe import digest_of

SEEDS = range(3)
LABELS = ["AT", "AT+EnSGD", "AT+2ndEnSGD", "AWP", "AWP+EnSGD", "AWP+2ndEnSGD"]
COLOURS = {name: HUES[name.split("-")[1]][i % 3] for i, name in enumerate(SIX)}


def draw(name: str, folder: Path, *runs: str) -> Drawn:
    """A figure, laid out, with warnings as errors."""
    settings = Settings(results=folder, runs=runs or Settings.runs)
    with warnings.catch_warnings(), house():
        warnings.simplefilter("error")
        drawn = plates((name,))[0].draw(settings)
        FigureCanvasAgg(drawn.figure).draw()
    return drawn


def part(drawn: Drawn, label: str) -> Axes:
    return next(axes for axes in drawn.figure.axes if axes.get_label() == label)


def lines(axes: Axes) -> dict[str, np.ndarray]:
    """Colour -> points (n, 2) of every curve; the marks at the drops of the learning rate are none."""
    return {
        to_hex(line.get_color()): np.asarray(line.get_xydata())
        for line in axes.lines
        if len(np.asarray(line.get_xydata())) > 2
    }


def bands(axes: Axes) -> dict[str, np.ndarray]:
    """Colour -> outline of every band."""
    return {
        to_hex(tuple(np.ravel(each.get_facecolor())[:3])): np.asarray(each.get_paths()[0].vertices)
        for each in axes.collections
    }


def labels(axes: Axes) -> list[str]:
    """The names beside the ends of the curves."""
    return [text.get_text() for text in axes.texts]


def labelled(drawn: Drawn) -> list[str]:
    return [each["label"] for each in drawn.facts["curves"]]


@cache
def drawn_once(name: str, folder: Path) -> Drawn:
    """For the tests that only look."""
    return draw(name, folder, "compact-*")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole(tmp_path_factory.mktemp("results"))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", SIX)
def test_a_curve_over_epochs_is_the_mean_of_the_records_in_a_band_of_their_deviation(name, split, results):
    axes = part(drawn_once("figure3", results), f"{split} epochs")
    shift = 0.05 if split == "test" else 0
    rows = [[100 * (robust(name, seed, epoch) - shift) for seed in SEEDS] for epoch in range(1, 31)]
    found = lines(axes)[COLOURS[name]]
    assert found[:, 0] == pytest.approx(range(1, 31))
    assert found[:, 1] == pytest.approx([mean(row) for row in rows])
    band = bands(axes)[COLOURS[name]]
    assert band[:, 1].min() == pytest.approx(min(mean(row) - stdev(row) for row in rows))
    assert np.isclose(band[:, 1], mean(rows[-1]) + stdev(rows[-1])).any()
    # The deviation that divides by n is another one.
    assert stdev(rows[-1]) != pytest.approx(float(np.std(rows[-1])), rel=0.01)


def test_a_curve_over_runtime_stands_at_the_mean_seconds_of_training(results):
    for split in ("train", "test"):
        found = lines(part(drawn_once("figure3", results), f"{split} runtime"))
        for name in SIX:
            expected = [mean(seconds(name, seed, epoch) for seed in SEEDS) for epoch in range(1, 31)]
            assert found[COLOURS[name]][:, 0] == pytest.approx(expected)


def test_long_runtimes_are_in_minutes(tmp_path):
    record = curve_record("compact-at", 0)
    record["curve"]["seconds_training"] = [60.0 * epoch for epoch in range(1, 31)]
    axes = part(draw("figure3", write(tmp_path, [record])), "test runtime")
    assert axes.get_xlabel() == "training time in minutes"
    assert lines(axes)[COLOURS["compact-at"]][-1, 0] == pytest.approx(30)


def test_the_smaller_radius_is_in_figure_6_alone(results):
    assert labelled(drawn_once("figure3", results)) == LABELS
    drawn = drawn_once("figure6", results)
    assert labelled(drawn) == [*LABELS[:4], "AWP, gamma_awp 0.005", *LABELS[4:]]
    assert len(lines(part(drawn, "test epochs"))) == 7
    assert drawn.facts["missing"] == ()
    names = labels(part(drawn, "train epochs"))
    assert sorted(names) == sorted([*LABELS, r"AWP, $\gamma_A=0.005$"])


def test_figure_7_draws_the_mean_losses_of_the_records(results):
    drawn = drawn_once("figure7", results)
    for split, n in (("train", 200), ("test", 150)):
        axes = part(drawn, split)
        assert f"{n} images" in axes.get_title(loc="left")
        found = lines(axes)
        for name in SIX:
            expected = [mean(loss(name, seed, split, alpha) for seed in SEEDS) for alpha in ALPHAS]
            assert found[COLOURS[name]] == pytest.approx(np.column_stack([ALPHAS, expected]))
        near = lines(part(drawn, f"{split} near 0"))[COLOURS["compact-at"]]
        assert near[:, 0] == pytest.approx([-0.4, 0, 0.4])
        expected = [
            mean(loss("compact-at", seed, split, alpha) for seed in SEEDS) for alpha in (-0.4, 0, 0.4)
        ]
        assert near[:, 1] == pytest.approx(expected)
    assert drawn.facts["settings"]["attack"]["steps"] == 10
    assert drawn.facts["curves"][0]["checkpoint_epochs"] == [20, 21, 22]
    for words in ("200 training images", "150 test images", "running statistics", "seed 0", "10 steps"):
        assert words in drawn.caption.differs


def test_a_method_without_a_record_is_named_and_not_drawn(tmp_path):
    folder = write(
        tmp_path,
        [curve_record("compact-at", 0), curve_record("compact-awp-ensgd", 1)],
        [landscape_record("compact-at", 0)],
    )
    drawn = draw("figure3", folder)
    assert len(lines(part(drawn, "test epochs"))) == 2
    assert drawn.facts["missing"] == ("AT+EnSGD", "AWP")
    assert "Not recorded, so not drawn: AT+EnSGD, AWP." in drawn.caption.differs
    assert any("missing: AT+EnSGD, AWP" in text.get_text() for text in drawn.figure.texts)
    assert draw("figure6", folder).facts["missing"] == ("AT+EnSGD", "AWP", "AWP with gamma_awp 0.005")
    assert draw("figure7", folder).facts["missing"] == ("AT+EnSGD", "AWP", "AWP+EnSGD")


def test_nothing_is_missing_where_every_method_of_the_paper_is_there(results):
    drawn = drawn_once("figure3", results)
    assert drawn.facts["missing"] == ()
    assert not any("missing" in text.get_text() for text in drawn.figure.texts)


def test_one_seed_has_no_band_and_the_caption_says_so(tmp_path):
    drawn = draw("figure3", write(tmp_path, [curve_record("compact-at", 4)]))
    assert bands(part(drawn, "test epochs")) == {}
    assert "no bands: n = 1 (4) each" in drawn.caption.seen
    assert drawn.facts["curves"][0]["test"]["deviation"] is None


def test_the_number_of_seeds_stands_at_each_curve_where_it_differs(tmp_path):
    records = [
        curve_record("compact-at", 0),
        curve_record("compact-at", 2),
        curve_record("compact-awp", 1),
    ]
    drawn = draw("figure3", write(tmp_path, records))
    assert sorted(labels(part(drawn, "test epochs"))) == ["AT (2)", "AWP (1)"]
    assert "AT n = 2 (0, 2), AWP n = 1 (1)" in drawn.caption.seen
    assert [each["seeds"] for each in drawn.facts["curves"]] == [[0, 2], [1]]


def test_epochs_that_were_not_evaluated_are_skipped_on_test_and_kept_on_train(tmp_path):
    drawn = draw("figure3", write(tmp_path, [curve_record("compact-at", seed, every=7) for seed in SEEDS]))
    assert list(lines(part(drawn, "test epochs"))[COLOURS["compact-at"]][:, 0]) == [7, 14, 21, 28, 30]
    assert len(lines(part(drawn, "train epochs"))[COLOURS["compact-at"]]) == 30


def test_a_run_recorded_again_counts_once_with_its_later_record(tmp_path):
    later = curve_record("compact-at", 0)
    later["curve"]["train_robust"] = [0.25] * 30
    drawn = draw("figure3", write(tmp_path, [curve_record("compact-at", 0), later]))
    assert drawn.facts["curves"][0]["n"] == 1
    assert lines(part(drawn, "train epochs"))[COLOURS["compact-at"]][:, 1] == pytest.approx([25.0] * 30)


def test_shortened_runs_are_drawn_alone_and_left_out_beside_full_ones(tmp_path):
    short = curve_record("compact-at", 0, epochs=6)
    drawn = draw("figure3", write(tmp_path / "one", [short]))
    assert any("6 of 30 epochs" in text.get_text() for text in drawn.figure.texts)
    drawn = draw("figure3", write(tmp_path / "two", [curve_record("compact-at", 0), short]))
    assert len(lines(part(drawn, "train epochs"))[COLOURS["compact-at"]]) == 30
    assert drawn.facts["left_out"] == ("1 run with other data, epochs or settings",)


def test_runs_of_a_recipe_that_was_changed_are_left_out_and_counted(tmp_path):
    old = curve_record("compact-at", 0)
    old["recipe"] = recipe_fields("compact-at", lr=0.2)
    old["digest"] = digest_of(old["recipe"])
    drawn = draw("figure3", write(tmp_path / "one", [old, curve_record("compact-awp", 0)]))
    assert labelled(drawn) == ["AWP"]
    assert "Left out: 1 run made before their recipe was changed." in drawn.caption.differs
    with pytest.raises(Absent, match="1 run made before their recipe was changed"):
        draw("figure3", write(tmp_path / "two", [old]))


def test_landscapes_of_other_settings_are_not_averaged_together(tmp_path):
    mixed = [landscape_record("compact-at", 0, batch_norm="batch"), landscape_record("compact-at", 1)]
    drawn = draw("figure7", write(tmp_path, [], mixed))
    assert drawn.facts["curves"][0]["seeds"] == [1]
    assert drawn.facts["settings"]["batch_norm"] == "running"
    assert drawn.facts["left_out"] == ("1 run with other data, epochs or settings",)


def test_a_record_without_a_curve_is_counted_and_not_drawn(tmp_path):
    bare = curve_record("compact-awp", 0)
    del bare["curve"]
    drawn = draw("figure3", write(tmp_path / "one", [bare, curve_record("compact-at", 0)]))
    assert labelled(drawn) == ["AT"]
    assert "AWP" in drawn.facts["missing"]
    assert "1 without a curve" in drawn.caption.differs
    with pytest.raises(Absent, match="hold no curve"):
        draw("figure3", write(tmp_path / "two", [bare]))


def test_runs_that_hold_out_other_images_are_not_drawn_with_those_that_do_not(tmp_path):
    folder = write(tmp_path, [curve_record("compact-awp", 0), curve_record("compact-at-val100", 0)])
    drawn = draw("figure3", folder, "compact-*")
    assert labelled(drawn) == ["AT"]
    assert drawn.facts["curves"][0]["recipe"] == "compact-at-val100"
    assert drawn.facts["left_out"] == ("1 run with other data, epochs or settings",)


@pytest.mark.parametrize("name", ["figure3", "figure6", "figure7"])
def test_names_with_their_number_of_seeds_lie_on_the_sheet_beside_the_next_axes(name, tmp_path):
    names = [*SIX, EXTRA]
    pairs = [(one, seed) for one in names for seed in range(2 + (one == EXTRA) + (one == SIX[0]))]
    records, landscapes = [curve_record(*pair) for pair in pairs], [landscape_record(*pair) for pair in pairs]
    drawn = draw(name, write(tmp_path, records, landscapes))
    renderer = FigureCanvasAgg(drawn.figure).get_renderer()
    for axes in drawn.figure.axes:
        for text in axes.texts:
            box = Text.get_window_extent(text)
            assert box.x1 <= drawn.figure.bbox.x1
            for other in drawn.figure.axes:
                labels_and_ticks = [other.bbox, other.yaxis.get_tightbbox(renderer)]
                assert not any(each.overlaps(box) for each in labels_and_ticks if each is not None)
    assert sum(len(axes.texts) for axes in drawn.figure.axes) >= 12


def test_a_pattern_chooses_the_runs_and_readings_have_names_of_their_own(tmp_path):
    names = ["compact-at", "compact-at+bn-frozen", "compact-awp"]
    folder = write(tmp_path, [curve_record(name, 0) for name in names])
    assert labelled(draw("figure3", folder)) == ["AT", "AWP"]
    assert labelled(draw("figure3", folder, "compact-at*")) == ["AT", "AT (bn-frozen)"]
    with pytest.raises(Absent, match=r"holds no record of svhn-\*"):
        draw("figure3", folder, "svhn-*")


def test_the_table_cells_of_trades_are_drawn_without_asking_for_at(tmp_path):
    names = ["cifar10-wrn-trades", "cifar10-wrn-trades-awp-ensgd-tuned"]
    drawn = draw("figure3", write(tmp_path, [curve_record(name, 0) for name in names]), "cifar10-wrn-*")
    assert labelled(drawn) == ["TRADES", "TRADES+AWP+EnSGD (tuned)"]
    assert drawn.facts["missing"] == ()


@pytest.mark.parametrize("name", ["figure3", "figure6", "figure7"])
def test_the_names_of_curves_do_not_touch_each_other(name, results):
    drawn = drawn_once(name, results)
    axes = [each for each in drawn.figure.axes if each.texts]
    assert axes
    for each in axes:
        # That of an annotation would take its line along.
        boxes = sorted((Text.get_window_extent(text) for text in each.texts), key=lambda box: box.y0)
        assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))


@pytest.mark.parametrize(
    ("name", "file"), [("figure3", "records"), ("figure6", "records"), ("figure7", "landscapes")]
)
def test_a_file_of_another_kind_is_refused_with_its_line(name, file, tmp_path):
    write(tmp_path, [], [])
    (tmp_path / f"{file}.jsonl").write_text(json.dumps({"seed": 0}) + "\n{}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"{file}\.jsonl, line 1: "):
        draw(name, tmp_path)


def test_without_records_one_line_says_what_to_run_and_the_other_figures_are_drawn(capsys, tmp_path):
    none, out = tmp_path / "none", tmp_path / "out"
    asked = ["--only", "figure1,figure3,figure6,figure7", "--records", str(none), "--out", str(out)]
    assert main(asked) == 0
    printed = capsys.readouterr()
    said = [line for line in printed.err.splitlines() if "left out" in line]
    assert said == [
        f"figures: figure3, figure6, figure7 are left out: there are no records of runs in {none}: run `python "
        "training/run.py`, then `python -m training.studies.landscape`"
    ]
    assert "1 of 4 figures drawn" in printed.out
    assert "Not drawn: there are no records" in (out / "README.md").read_text(encoding="utf-8")


def test_records_without_landscapes_say_which_command_is_missing(tmp_path):
    folder = write(tmp_path, [curve_record("compact-at", 0)])
    with pytest.raises(Absent, match=r"landscapes\.jsonl: run `python -m training\.studies\.landscape`"):
        draw("figure7", folder)


def test_an_empty_pattern_is_refused_in_one_line(capsys, tmp_path):
    status: Any
    try:
        status = main(["--only", "figure3", "--runs", "a,,b", "--out", str(tmp_path)])
    except SystemExit as end:
        status = end.code
    printed = capsys.readouterr()
    assert (status, printed.out, printed.err.count("\n")) == (2, "", 1)
    assert "has an empty entry" in printed.err


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7), st.floats(0.01, 0.14))
def test_spread_labels_keep_their_order_their_distance_and_the_box(wanted, gap):
    wanted = sorted(wanted)
    places = spread(wanted, gap)
    assert all(high - low >= gap - 1e-9 for low, high in pairwise(places))
    assert -1e-9 <= places[0] <= places[-1] <= 1 + 1e-9
    if all(high - low >= gap for low, high in pairwise(wanted)):
        assert places == pytest.approx(wanted, abs=1e-9)


def test_two_labels_that_want_one_place_share_the_way():
    assert spread([0.5, 0.5], 0.2) == pytest.approx([0.4, 0.6])
    assert spread([0.1, 0.5, 0.52, 0.9], 0.1) == pytest.approx([0.1, 0.46, 0.56, 0.9])


def test_the_facts_of_figure_3_hold_the_numbers_that_are_drawn(results):
    drawn = drawn_once("figure3", results)
    first = drawn.facts["curves"][0]
    assert (first["recipe"], first["n"], first["seeds"]) == ("compact-at", 3, [0, 1, 2])
    drawn_line = lines(part(drawn, "test epochs"))[COLOURS["compact-at"]]
    assert 100 * first["test"]["mean"] == pytest.approx(drawn_line[:, 1])
    assert math.isclose(first["test"]["runtime"][-1], mean(seconds("compact-at", seed, 30) for seed in SEEDS))
    assert EXTRA not in [each["recipe"] for each in drawn.facts["curves"]]
