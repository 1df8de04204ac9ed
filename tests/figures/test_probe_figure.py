"""The figure of the probe (figures/probe.py), drawn from findings of records whose numbers are chosen."""

from __future__ import annotations

import json

import pytest
from probe_records import write_findings

from figures.plate import Absent, Settings
from figures.probe import probe


@pytest.fixture
def folder(tmp_path):
    return write_findings(tmp_path).parent


def panel(figure, start):
    return next(axes for axes in figure.axes if axes.get_title(loc="left").startswith(start))


def test_every_speed_and_every_net_is_a_point_where_its_record_says(folder):
    drawn = probe(Settings(results=folder))
    speeds = panel(drawn.figure, "(b)")
    points = {line.get_label(): line.get_xydata().tolist() for line in speeds.lines}
    # Of an image cross_tangent / c = 2 and 4 at speeds 1 and 2; the paper's 30 both times.
    assert sorted({tuple(pair) for pair in points["tangent space, $L_2$"]}) == [(1, 2), (2, 4)]
    assert {tuple(pair) for pair in points["the paper's C/c, $L_2$"]} == {(1, 30), (2, 30)}
    flattened = [line.get_xydata().tolist()[0] for line in panel(drawn.figure, "(d)").lines]
    assert [1.0, 7.0] in flattened
    assert [4.0, 7.0] in flattened


def test_sigma_along_training_is_a_line_a_seed(folder):
    drawn = probe(Settings(results=folder))
    lines = [line.get_xydata().tolist() for line in panel(drawn.figure, "(c)").lines]
    assert lines.count([[1.0, 2.1], [30.0, 5.0]]) == 4  # seed 0 of two recipes and two norms
    assert lines.count([[1.0, 3.1], [30.0, 6.0]]) == 4


def test_the_bars_are_the_shares_and_add_up_to_all(folder):
    drawn = probe(Settings(results=folder))
    heights = [bar.get_height() for bar in panel(drawn.figure, "(a)").patches]
    assert set(heights) == {0.0, 25.0, 75.0}
    assert sum(heights) == pytest.approx(100 * 8)  # smooth and ReLU, two norms, two epochs


def test_the_caption_gives_the_answers(folder):
    drawn = probe(Settings(results=folder))
    stored = json.loads((folder / "probe.json").read_text())
    assert all(answer in drawn.caption.measure for _, answer in stored["answers"])


def test_without_findings_the_command_is_named(tmp_path):
    with pytest.raises(Absent, match=r"probe\.json: run `python -m training\.studies\.probe` first"):
        probe(Settings(results=tmp_path))


@pytest.mark.parametrize("content", ["{", "[]", '{"settings": {}}'])
def test_another_file_is_refused_with_what_to_do(tmp_path, content):
    (tmp_path / "probe.json").write_text(content)
    with pytest.raises(ValueError, match=r"write it with `python -m training\.studies\.probe`"):
        probe(Settings(results=tmp_path))
