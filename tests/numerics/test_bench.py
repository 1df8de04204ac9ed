"""`python -m numerics bench`: its rows against certified values and its own parts, its page, its files, one core."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from numerics import bench, bench_page
from numerics.bench import Plan, measure, quick_plan
from numerics.bench_rows import EQUAL, LOOSE, ROUTES, at, how, scipy_row
from numerics.local_entropy import QuadratureFailure, local_entropy_surface
from numerics.local_entropy.certified import certified_local_entropy
from numerics.local_entropy.scipy_failures import failure_cases, fig2_problem
from numerics.one_core import on_one_core
from numerics.problem import normal_data
from numerics.surfaces import square_axes
from support.options import CommandParser

PLACE = (0.6, -1.2)
TINY = Plan(
    sizes=(21,),
    repeats=1,
    places=(PLACE,),
    settings=(LOOSE, EQUAL, ("cubature", None, 1e-8, 5)),
    data_places=(PLACE,),
    data_settings=(),
    data_sizes=(3, 6),
    cases=tuple(case for case in failure_cases() if case.box is not None and case.theta == (6.0, 6.0)),
)


@pytest.fixture(scope="module")
def measured():
    found = measure(TINY)
    found["about"] |= {"core": "a test", "quick": True}
    return found


def rows_of(measured, problem):
    return [row for row in measured["comparison"] if row["problem"] == problem]


def test_every_method_stays_within_what_it_claims(measured):
    for row in measured["comparison"]:
        if row["method"] != "certified" and row["refused"] == 0:
            assert row["error"] <= row["claimed"] + 1e-14
    # The cone of l2 may be too much for dblquad with eleven digits; it says so then, and nothing else is refused.
    refused = {(row["problem"], row["setting"]) for row in measured["comparison"] if row["refused"]}
    assert refused <= {("one point, l2", how(EQUAL))}


def test_errors_are_those_against_certified_values(measured):
    """The fast row once more by hand, and a row that is wrong on purpose."""
    truth = certified_local_entropy(fig2_problem("linf"), PLACE)
    surface = local_entropy_surface(fig2_problem("linf"), square_axes(21))
    value, gradient, hessian = at(surface, PLACE)
    row = rows_of(measured, "one point, linf")[0]
    assert row["error"] == pytest.approx(abs(value - truth.value), abs=1e-15)
    derivative = max(np.abs(gradient - truth.gradient).max(), np.abs(hessian - truth.hessian).max())
    assert row["derivative_error"] == pytest.approx(derivative, abs=1e-15)
    small = scipy_row(("cubature", ((-2, 2), (-2, 2)), 1e-8, 1), fig2_problem("linf"), [truth], (PLACE,))
    assert small["error"] > 0.01 > 1e-8 > small["claimed"]


def test_ratios_are_to_dblquad_in_the_same_run(measured):
    for problem in ("one point, linf", "one point, l2"):
        rows = rows_of(measured, problem)
        assert [row["method"] for row in rows] == ["fast", "certified", "dblquad", "dblquad", "cubature"]
        loose, equal = rows[2:4]
        assert (loose["ratio"], equal["ratio_equal"]) == (1, 1)
        assert loose["setting"] == "tolerance 1e-08, [-12, 12]^2"
        for row in rows:
            assert row["ratio"] * row["seconds_per_theta"] == pytest.approx(loose["seconds_per_theta"])
            assert row["ratio_equal"] * row["seconds_per_theta"] == pytest.approx(equal["seconds_per_theta"])
        # Even a grid of 21 x 21, where little is shared, beats one theta at a time by far.
        assert rows[0]["ratio"] > 1000
    assert rows_of(measured, "N = 3, l2")[0]["ratio"] is None


def test_a_theta_that_a_route_refuses_counts_for_time_alone(monkeypatch):
    truth = certified_local_entropy(fig2_problem("linf"), PLACE)

    def refuses(problem, theta, gamma, beta, **options):
        raise QuadratureFailure("nquad", 1.0, 1e-8, "of the test")

    monkeypatch.setitem(ROUTES, "nquad", refuses)
    row = scipy_row(("nquad", None, 1e-8, 5), fig2_problem("linf"), [truth, truth], (PLACE, PLACE))
    assert (row["thetas"], row["refused"], row["error"], row["claimed"]) == (2, 2, None, None)
    assert row["seconds_per_theta"] > 0


def test_a_place_beside_the_grid_is_refused():
    surface = local_entropy_surface(fig2_problem("linf"), square_axes(5))
    with pytest.raises(ValueError, match=r"place = \(0\.6, -1\.2\) is no point of the grid"):
        at(surface, PLACE)


def test_the_default_places_lie_on_both_grids():
    plan = Plan()
    for size in plan.sizes:
        axis = square_axes(size)[0]
        for place in (*plan.places, *plan.data_places):
            assert all(np.abs(axis - entry).min() < 1e-12 for entry in place)
    assert set(quick_plan().cases) < set(plan.cases)


def test_the_data_are_those_of_fig_4():
    problem = normal_data("l2", points=400)
    assert np.array_equal(problem.y, np.sign(problem.X[:, 0]))
    assert np.abs(problem.X.mean(axis=0)).max() < 4 / np.sqrt(400)  # four standard errors
    assert np.abs(np.cov(problem.X.T) - np.eye(2)).max() < 0.3
    assert np.array_equal(normal_data("linf").X, problem.X[:100])
    assert (problem.p, problem.epsilon) == (2.0, 0.6)


def test_two_runs_differ_in_times_alone(measured):
    def without_times(rows):
        return [{k: v for k, v in row.items() if not k.startswith(("seconds", "ratio"))} for row in rows]

    again = measure(replace(TINY, settings=TINY.settings[2:]))
    for part in ("comparison", "failures", "linearity"):
        rows = [row for row in measured[part] if row.get("setting") not in (how(LOOSE), how(EQUAL))]
        assert without_times(again[part]) == without_times(rows)


def test_the_linearity_counts_data_points(measured):
    assert [(row["loss"], row["N"]) for row in measured["linearity"]] == [
        *(("linf", 3), ("linf", 6)),
        *(("l2", 3), ("l2", 6)),
    ]
    for row in measured["linearity"]:
        assert row["seconds_per_point"] * row["N"] == pytest.approx(row["seconds"])


def test_the_page_says_what_was_measured_and_what_fails(measured):
    page = bench_page.markdown(measured)
    assert "Measured in a test" in page
    assert "| theta far away | first | dblquad | linf | (6, 6) | 1 | 1 | [-5, 5]^2 |" in page
    assert "**silently wrong**" in page
    line = next(line for line in page.splitlines() if line.startswith("- one point, linf, 21 x 21 grid"))
    first = rows_of(measured, "one point, linf")[0]
    assert f"faster than dblquad {first['ratio']:.1e} times with tolerance 1e-08" in line
    assert f"{first['ratio_equal']:.1e} times with tolerance 1e-11" in line
    assert f"{len(TINY.cases)} of {len(TINY.cases)} attempts are silently wrong" in page
    tables = [part.splitlines() for part in page.split("\n\n") if part.startswith("|")]
    assert len(tables) == 3
    assert all(len({line.count("|") for line in lines}) == 1 for lines in tables)
    certified = deepcopy(measured) | {
        "certified": [{"loss": "l2", "gamma": 0.3, "seconds": 12.0, "error": 2e-13}]
    }
    assert "| l2 | 0.3 | 12.0 | 2.0e-13 |" in bench_page.markdown(certified)


def test_both_files_are_written_whole_or_not_at_all(measured, tmp_path, monkeypatch):
    paths = bench_page.write(measured, tmp_path)
    assert [path.name for path in paths] == ["bench.md", "bench.json"]
    read = json.loads(paths[1].read_text(encoding="utf-8"))
    assert read["comparison"] == bench_page.without_infinities(measured["comparison"])
    assert paths[0].read_text(encoding="utf-8") == bench_page.markdown(measured) + "\n"

    def full(*_):
        raise OSError(28, "No space left on device")

    before = paths[0].read_bytes()
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        bench_page.write(measured | {"seconds": 1e9}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.json", "bench.md"]
    assert paths[0].read_bytes() == before


def test_infinities_become_null_in_json():
    value = {"a": [np.inf, 1.0, (float("nan"), "inf")], "b": -np.inf}
    assert bench_page.without_infinities(value) == {"a": [None, 1.0, [None, "inf"]], "b": None}


def parsed(*tokens):
    parser = CommandParser(prog="bench")
    bench.add_arguments(parser)
    return parser.parse_args(list(tokens))


def test_the_command_prints_the_page_and_writes_it(measured, tmp_path, monkeypatch, capsys):
    asked = []

    def instead(function, plan):
        asked.append((function, plan))
        return deepcopy(measured), "a process of the test"

    monkeypatch.setattr(bench, "on_one_core", instead)
    arguments = parsed("--out", str(tmp_path / "new" / "folder"), "--quick", "--certified")
    assert arguments.run(arguments) == 0
    printed = capsys.readouterr()
    assert "Measured in a process of the test" in printed.out
    assert (tmp_path / "new" / "folder" / "bench.md").read_text(encoding="utf-8") == printed.out
    assert asked == [(measure, quick_plan(certified=True))]


def test_an_output_that_is_no_folder_is_refused_before_anything_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "on_one_core", lambda *_: pytest.fail("it measured first"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    arguments = parsed("--out", str(tmp_path / "file"))
    with pytest.raises(ValueError, match=r"out = .*file must be a folder, and is none"):
        arguments.run(arguments)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system binds no process to a CPU")
def test_the_measuring_process_has_one_cpu_and_one_thread_and_this_one_keeps_its_own():
    cpus, threads = os.sched_getaffinity(0), os.environ.get("OPENBLAS_NUM_THREADS")
    bound, sentence = on_one_core(os.sched_getaffinity, 0)
    assert bound == {max(cpus)}
    assert f"bound to CPU {max(cpus)}" in sentence
    assert on_one_core(os.getenv, "OPENBLAS_NUM_THREADS")[0] == "1"
    assert (os.sched_getaffinity(0), os.environ.get("OPENBLAS_NUM_THREADS")) == (cpus, threads)


def test_what_the_measuring_process_raises_is_raised_here():
    with pytest.raises(ValueError, match="could not convert string to float"):
        on_one_core(float, "fast")
    with pytest.raises(OSError, match="left in mid-work with status 3"):
        on_one_core(os._exit, 3)
