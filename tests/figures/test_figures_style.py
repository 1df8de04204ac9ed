"""The style of figures: errors and numbers as they are written, dashes and marks, the axes of a square."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_tools import SMALL
from matplotlib import colormaps

from figures import style
from figures.files import plain, rounded
from figures.plate import Settings
from numerics.surfaces import square_axes


@pytest.mark.parametrize(
    ("error", "expected"),
    [(1.234e-14, 2e-14), (2e-5, 2e-5), (0.0996, 0.1), (0.0, 0.0), (np.array([1e-3, 2.01e-3]), 3e-3)],
)
def test_an_error_is_rounded_up_to_one_digit(error, expected):
    assert rounded(error) == pytest.approx(expected, rel=1e-12)


def test_numbers_become_plain_with_seven_digits():
    value = plain(
        {"a": np.array([1 / 3, np.nan]), 2: np.float64(-0.0), "b": np.bool_(True), "n": np.int64(3)}
    )
    assert value == {"a": [0.3333333, None], "2": 0.0, "b": True, "n": 3}
    assert type(value["b"]) is bool
    assert str(value["2"]) == "0.0"


def test_losses_differ_in_dashes_and_marks_and_the_map_in_lightness():
    looks = list(style.LOSSES.values())
    assert len({str(look["linestyle"]) for look in looks}) == len({look["marker"] for look in looks}) == 3
    grey = colormaps[style.MAP](np.linspace(0, 1, 33))[:, :3] @ [0.299, 0.587, 0.114]
    assert np.all(np.diff(grey) > 0.01)


def test_the_house_style_leaves_the_settings_of_the_process_alone():
    before = dict(matplotlib.rcParams)
    with style.house():
        assert matplotlib.rcParams["font.family"] == ["STIXGeneral"]
    assert dict(matplotlib.rcParams) == before


def test_the_square_of_a_figure_has_the_axes_on_its_grid():
    for settings in (Settings(), SMALL):
        assert 0 in square_axes(settings.grid)[0]
