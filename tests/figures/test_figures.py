"""Holds every figure to its numbers: values, kinks and optima recomputed by another way, text that can be read."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from curve_records import whole
from figures_tools import SMALL
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from probe_records import write_findings

from figures import style
from figures.files import plain, save
from figures.losses import JUMP_LIMIT, plateau_edges
from figures.panels import RIBBON
from figures.plate import PLATES, Absent, Drawn, Plate, Settings, plates
from numerics.attacks import exact_attack
from numerics.local_entropy import local_entropy_surface
from numerics.local_entropy.scipy_routes import cubature
from numerics.problem import SWISH_MINIMISER, Problem, normal_data, single_point
from numerics.surfaces import grid

EPSILON = 0.6


SURFACES = [f"figure2{letter}" for letter in "abcdefgh"] + [
    "figure4a",
    "figure4b",
    "figure4c",
    "figure5a",
    "figure5b",
]


ROWS: list[dict[str, Any]] = [
    {"paper_says": "constant", "paper": 3.0, "ours": 1.5, "ratio": 1.0, "kind": "limit", "tightness": 2 / 3},
    {"paper_says": "constant", "paper": 0.5, "ours": 1.0, "ratio": 1.0, "kind": "pair", "tightness": 1.0},
    {"paper_says": "no constant", "paper": None, "ours": 2.0, "ratio": 2.0, "kind": "pair", "tightness": 1.0},
    {
        "paper_says": "some constant",
        "paper": None,
        "ours": None,
        "ratio": None,
        "kind": "unbounded",
        "tightness": None,
    },
    {"paper_says": "constant", "paper": 0.0, "ours": 0.0, "ratio": 0.0, "kind": "pair", "tightness": 1.0},
]


VERDICTS = ["holds", "violated", "wrong: there is one", "violated: no constant", "holds"]


@pytest.fixture(scope="session")
def bounds(tmp_path_factory) -> Path:
    """A file as `python -m numerics bounds` writes it: one row of each kind."""
    words = ("statement", "claim", "map", "set", "ours_formula")
    rest = {
        **dict.fromkeys(words, "made up"),
        "paper_formula": None,
        "relative": False,
        "ours_holds": True,
        **{key: [0.0] for key in ("a", "b", "direction")},
    }
    rows = [
        {"id": f"row{n}", **rest, **row, "paper_verdict": verdict, "attained": row["tightness"] == 1}
        for n, (row, verdict) in enumerate(zip(ROWS, VERDICTS, strict=True))
    ]
    path = tmp_path_factory.mktemp("bounds") / "bounds.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


class Drawings(dict[str, Drawn]):
    """Every figure, drawn coarsely and laid out when first asked for, with warnings as errors."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def __missing__(self, name: str) -> Drawn:
        with warnings.catch_warnings(), style.house():
            warnings.simplefilter("error")
            self[name] = plates((name,))[0].draw(self.settings)
            FigureCanvasAgg(self[name].figure).draw()
        return self[name]


@pytest.fixture(scope="session")
def drawings(bounds, tmp_path_factory) -> Drawings:
    results = whole(tmp_path_factory.mktemp("results"))
    write_findings(results)
    return Drawings(replace(SMALL, bounds=bounds, results=results))


def part(drawn: Drawn, label: str) -> Axes:
    return next(axes for axes in drawn.figure.axes if axes.get_label() == label)


def ribbons(drawn: Drawn) -> dict[str, np.ndarray]:
    """The outlines of the kinks on the flat view, by label."""
    return {
        str(each.get_label()): np.asarray(each.get_paths()[0].vertices)
        for each in part(drawn, "map").collections
        if str(each.get_label()).startswith("kink")
    }


def half_width(outline: np.ndarray, i: int, place: float) -> float:
    """Half the width of a ribbon along theta_i = 0 at a place on it."""
    upper = outline[outline[:, i] > 0]
    order = np.argsort(upper[:, 1 - i])
    return float(np.interp(place, upper[order, 1 - i], upper[order, i]))


def gap_of_gradients(problem: Problem, i: int, place: float) -> float:
    """The jump across theta_i = 0 from gradients a hair apart."""
    sides = np.zeros((2, 2))
    sides[:, i], sides[:, 1 - i] = (1e-9, -1e-9), place
    above, below = problem.gradient(sides)
    return float(np.linalg.norm(above - below))


def test_every_figure_of_the_issue_has_a_plate():
    names = {plate.name for plate in PLATES}
    assert {
        *SURFACES,
        "figure1",
        "figure2",
        "figure3",
        "figure6",
        "figure7",
        "pgd_gap",
        "gamma_smoothness",
        "gamma_optimum",
        "bounds_tightness",
        "probe",
    } == names


@pytest.mark.parametrize("name", [plate.name for plate in PLATES])
def test_a_figure_has_a_caption_and_facts_that_json_takes(name, drawings):
    drawn = drawings[name]
    for words in (drawn.title, drawn.caption.seen, drawn.caption.measure, drawn.caption.differs):
        assert words.strip().endswith(".") or words == drawn.title
        assert "  " not in words
    facts = json.loads(json.dumps(plain(drawn.facts), allow_nan=False))
    assert "error" in facts
    assert "seconds" not in json.dumps(facts)


@pytest.mark.parametrize("name", [plate.name for plate in PLATES])
def test_every_letter_has_eight_points_and_lies_on_the_sheet(name, drawings):
    figure = drawings[name].figure
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip()]
    assert min(sizes) >= 8
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.texts]
    for axes in figure.axes:
        # The frame of 3-D axes reaches over the sheet; what they draw does not.
        solid: Any = getattr(axes, "zaxis", None)
        parts: list[Any] = [axes] if solid is None else [axes.xaxis, axes.yaxis, solid]
        boxes += [each.get_tightbbox(renderer) for each in parts]
    across, up = figure.bbox.size
    for box in filter(None, boxes):
        assert -1 <= box.x0 <= box.x1 <= across + 1
        assert -1 <= box.y0 <= box.y1 <= up + 1


@pytest.mark.parametrize("name", SURFACES)
def test_the_labels_of_contours_do_not_touch(name, drawings):
    boxes = [text.get_window_extent() for text in part(drawings[name], "map").texts]
    assert len(boxes) >= 3
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


@pytest.mark.parametrize("name", SURFACES[:6] + SURFACES[8:11])
def test_the_surface_of_a_loss_is_the_loss(name, drawings):
    surface = drawings[name].facts["surface"]
    if surface["points"] == 1:
        problem = single_point(surface["loss"], surface["x"], surface["y"], EPSILON, surface["model"])
    else:
        problem = normal_data(surface["loss"], EPSILON, surface["points"], surface["seed"])
    for extreme in drawings[name].facts["range"].values():
        theta = np.array(extreme["theta"])
        # No attack of a fine net on the ball is worse than the closed form, and the worst of them comes close.
        assert sampled_worst(problem, theta) <= extreme["value"] + 1e-12
        assert sampled_worst(problem, theta) == pytest.approx(extreme["value"], rel=2e-3)


def sampled_worst(problem: Problem, theta: np.ndarray) -> float:
    angle = np.linspace(0, 2 * np.pi, 361)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    if problem.p == np.inf:
        ring = np.concatenate(
            [ring / np.abs(ring).max(axis=-1, keepdims=True), [[1, 1], [1, -1], [-1, 1], [-1, -1]]]
        )
    delta = (problem.epsilon * np.linspace(0, 1, 31)[:, None, None] * ring).reshape(-1, 2)
    score = (problem.X[:, None, :] + delta) @ theta
    output = score / (1 + np.exp(-score)) if problem.model == "swish" else score
    return float(np.logaddexp(0, -problem.y[:, None] * output).max(axis=1).mean())


@pytest.mark.parametrize(
    "name", ["figure2a", "figure2d", "figure4a", "figure2g", "figure2h", "figure5a", "figure5b"]
)
def test_a_smooth_surface_has_no_kink_mark(name, drawings):
    assert not ribbons(drawings[name])
    assert "kink theta = 0" not in [line.get_label() for line in part(drawings[name], "map").lines]


@pytest.mark.parametrize("name", ["figure2b", "figure2e", "figure4b"])
def test_an_l2_loss_has_one_mark_at_the_origin(name, drawings):
    assert not ribbons(drawings[name])
    marks = [line for line in part(drawings[name], "map").lines if line.get_label() == "kink theta = 0"]
    assert [tuple(np.ravel(mark.get_xydata())) for mark in marks] == [(0, 0)]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("figure2c", single_point("linf", (-1, 1), 1, EPSILON)),
        ("figure2f", single_point("linf", (-1, 1), 1, EPSILON, "swish")),
        ("figure4c", normal_data("linf", points=30)),
    ],
)
def test_a_linf_ribbon_is_as_wide_as_the_gap_of_gradients_and_not_five_per_cent_wider(
    name, problem, drawings
):
    outlines = ribbons(drawings[name])
    assert set(outlines) == {"kink theta_1 = 0", "kink theta_2 = 0"}
    for i, place in ((0, 1.2), (1, -1.6), (0, 0.4), (1, -0.2)):
        expected = RIBBON * gap_of_gradients(problem, i, place) / JUMP_LIMIT
        width = half_width(outlines[f"kink theta_{i + 1} = 0"], i, place)
        assert width == pytest.approx(expected, rel=0.01)
        assert width != pytest.approx(1.05 * expected, rel=0.01)


def test_the_kinks_of_the_swish_loss_end_where_the_plateau_begins(drawings):
    # On theta_2 = 0 the scores in reach begin at -(1 + epsilon) theta_1: the plateau begins at -u*/(1 + epsilon).
    edge, step = -SWISH_MINIMISER / (1 + EPSILON), 4 / (SMALL.grid - 1)
    outline = ribbons(drawings["figure2f"])["kink theta_2 = 0"]
    assert edge - step <= outline[:, 0].max() <= edge
    assert outline[:, 0].min() == -2


def test_the_plateau_is_where_the_attack_lies_inside():
    axes = (np.linspace(-2, 2, 33), np.linspace(-2, 1.9, 28))
    for loss in ("l2", "linf"):
        problem = single_point(loss, (-1, 1), 1, EPSILON, "swish")
        lowest, highest = plateau_edges(problem, axes)
        inside = exact_attack(problem, grid(axes)).position[..., 0] == "interior"
        assert np.array_equal((lowest < 0) & (highest > 0), inside)
        assert inside.any()


@pytest.mark.parametrize("name", ["figure2g", "figure2h"])
def test_minus_f_agrees_with_cubature_within_both_errors(name, drawings):
    facts = drawings[name].facts
    problem = single_point(facts["surface"]["loss"], (-1, 1), 1, EPSILON)
    extreme = facts["range"]["largest"]
    other = cubature(
        problem,
        np.array(extreme["theta"]),
        facts["surface"]["gamma"],
        facts["surface"]["beta"],
        tolerance=1e-8,
    )
    assert abs(other.value - extreme["value"]) <= other.error + facts["error"]
    assert facts["error"] <= 1e-11


@pytest.mark.parametrize("name", ["figure2g", "figure5b"])
def test_the_curvature_in_the_margin_bends_the_surface(name, drawings):
    # A second difference of the drawn values themselves, on theta_2 = 0 and a step of 0.1 apart.
    drawn = drawings[name]
    curve = np.asarray(
        part(drawn, "above").lines[0 if drawn.facts["surface"]["loss"] == "l2" else 1].get_xydata()
    )
    loss, points = drawn.facts["surface"]["loss"], drawn.facts["surface"]["points"]
    problem = single_point(loss, (-1, 1), 1, EPSILON) if points == 1 else normal_data(loss, points=points)
    values = local_entropy_surface(problem, (curve[::4, 0], np.array([-0.1, 0.0, 0.1]))).value
    second = (values[:, 0] - 2 * values[:, 1] + values[:, 2]) / 0.01
    assert curve[::4, 1] == pytest.approx(second, rel=0.01)
    assert curve[::4, 1] != pytest.approx(1.05 * second, rel=0.01)


def test_the_optima_are_marked_where_the_losses_are_least(drawings):
    place = drawings["figure4c"].facts["optimum"]["theta"]
    stars = [line for line in part(drawings["figure4c"], "map").lines if line.get_marker() == "*"]
    assert np.ravel(stars[0].get_xydata()) == pytest.approx(place)
    facts = drawings["figure5a"].facts["optimum"]
    assert facts["distance"] == pytest.approx(np.hypot(*(facts["of_L"] - facts["of_minus_F"])))
    assert facts["distance"] > 0.5
    # Where that of -F lies outside the square, an arrow at its edge stands for it.
    outside = np.abs(facts["of_minus_F"]).max() > 2
    assert [line.get_marker() for line in part(drawings["figure5a"], "map").lines] == [
        "*",
        ">" if outside else "D",
    ]


def test_the_attacks_of_figure_1_are_the_worst_points_of_their_regions(drawings):
    facts = drawings["figure1"].facts
    assert facts["distance_after_turn"]["linf"] == pytest.approx(2 * EPSILON)
    turn = np.radians(np.ptp(facts["turn_degrees"]))
    assert facts["distance_after_turn"]["l2"] == pytest.approx(2 * EPSILON * np.sin(turn / 2))
    for case, position in (("inside", "interior"), ("active", "boundary")):
        theta = np.array(facts["attacks"][case]["theta"])
        for loss in ("l2", "linf"):
            attack = facts["attacks"][case][loss]
            problem = single_point(loss, (-1, 1), 1, EPSILON, "swish")
            assert attack["position"] == position
            assert sampled_worst(problem, theta) == pytest.approx(attack["loss"], rel=1e-4)
            length = np.linalg.norm(attack["x_prime"] - np.array([-1, 1]), ord=problem.p)
            assert (length < EPSILON - 0.01) == (position == "interior")


def test_the_gap_of_pgd_is_what_its_attacks_leave_out(drawings):
    facts = drawings["pgd_gap"].facts["attacks"]
    for row in facts.values():
        assert [each["steps"] for each in row] == [5, 10, 20, 100]
        assert all(each["largest"] >= 0 for each in row)
        # Twice as many steps of one size do not help where they step across the minimiser for ever.
        assert row[2]["largest"] > 0.5 * row[1]["largest"] > 10 * row[3]["largest"]
        assert [each["step_size"] for each in row] == pytest.approx([0.15, 0.15, 0.15, 0.015])


def test_over_gamma_every_curvature_lies_below_its_three_bounds(drawings):
    facts = drawings["gamma_smoothness"].facts
    for rows in (*facts["one_point"].values(), *facts["data"].values()):
        assert len(rows) >= 4
        for each in rows:
            assert 0 < each["curvature"] < each["lipschitz"] < each["convex"] < each["printed"]
    assert facts["one_point"]["l2"][0]["gamma"] == 0.03


def test_over_gamma_the_optimum_of_minus_f_comes_nearer_to_that_of_the_loss(drawings):
    facts = drawings["gamma_optimum"].facts
    for loss in ("l2", "linf"):
        assert np.all(np.diff(facts["distance"][loss]) < 0)
        assert np.all(np.diff(facts["loss_above_optimum"][loss]) < 0)
        assert min(facts["loss_above_optimum"][loss]) > 0


def test_a_bound_stands_where_its_constant_over_the_ratio_says(drawings):
    drawn = drawings["bounds_tightness"]
    assert drawn.facts["failing"] == ["row1", "row2", "row3"]
    assert drawn.facts["reached"] == 3
    columns = [axes for axes in drawn.figure.axes if axes.get_yticklabels()]
    assert [label.get_text() for axes in columns for label in axes.get_yticklabels()] == [
        f"row{n}" for n in range(5)
    ]
    diamonds = [tuple(line.get_xydata()[0]) for line in columns[0].lines if line.get_marker() == "D"]
    circles = [tuple(line.get_xydata()[0]) for line in columns[0].lines if line.get_marker() == "o"]
    assert diamonds == [(1.5, 0), (1, 1), (1, 2)]
    assert circles == [(3, 0), (0.5, 1)]
    assert "unbounded: no constant" in [text.get_text() for text in columns[1].texts]


def test_a_missing_file_of_bounds_leaves_the_figure_out_and_says_what_to_run(tmp_path):
    with pytest.raises(Absent, match="run `python -m numerics bounds` first"):
        plates(("bounds_tightness",))[0].draw(Settings(bounds=tmp_path / "none.json"))


@pytest.mark.parametrize("text", ["no json", "[]", '[{"id": "a"}]', '{"id": "a"}'])
def test_another_kind_of_file_is_refused(text, tmp_path):
    path = tmp_path / "bounds.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="write it with `python -m numerics bounds`"):
        plates(("bounds_tightness",))[0].draw(Settings(bounds=path))


def test_two_writings_of_a_figure_are_the_same_byte_for_byte_and_hold_no_date(drawings, tmp_path):
    plate = Plate("figure2b", "figure2", "twice")
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        with style.house():
            save(plate, plate.draw(SMALL), folder)
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == ["figure2b.json", "figure2b.pdf", "figure2b.png"]
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    assert b"Date" not in (folders[0] / "figure2b.pdf").read_bytes()
    assert b"Software" not in (folders[0] / "figure2b.png").read_bytes()
    facts = json.loads((folders[0] / "figure2b.json").read_text(encoding="utf-8"))
    assert set(facts["versions"]) == {"numpy", "matplotlib"}
    assert facts["square"]["points"] == [SMALL.grid, SMALL.grid]
