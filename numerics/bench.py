"""`python -m numerics bench`: what the routes to -F(theta) cost and how wrong they are, in `results/bench.md`.

Everything is measured in one run on one core, in CPU time, which other work on the machine disturbs least: seconds for
value, gradient and Hessian at a theta, the largest error against certified enclosures, the ratio to scipy's dblquad,
and the table of scipy's silent failures.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from numerics import bench_page
from numerics.bench_rows import (
    BETA,
    EPSILON,
    EQUAL,
    GAMMA,
    LOOSE,
    SEED,
    Place,
    Setting,
    certified_rows,
    compared,
    linearity,
)
from numerics.local_entropy.scipy_failures import Case, failure_cases, failure_table
from numerics.one_core import on_one_core
from numerics.problem import normal_data, single_point
from support.files import make_folder
from support.options import RESULTS, folder_name

SCIPY: tuple[Setting, ...] = (
    LOOSE,
    EQUAL,
    ("dblquad", None, 1e-8, 2),
    ("nquad", None, 1e-8, 5),
    ("cubature", None, 1e-8, 5),
)
# Spread over [-2, 2]^2, and points of both the 101 x 101 and the 401 x 401 grid.
PLACES = ((-2.0, -2.0), (-1.0, 0.52), (0.0, 0.0), (0.6, -1.2), (2.0, 1.0))


@dataclass(frozen=True)
class Plan:
    """What is measured: grid sizes and their repeats, the theta compared for one point and for a dataset, the sizes
    of datasets for the linearity, scipy settings for each, cases of the failure table, certified surfaces or not."""

    sizes: tuple[int, ...] = (101, 401)
    repeats: int = 7
    places: tuple[Place, ...] = PLACES
    data_places: tuple[Place, ...] = PLACES[1:4:2]
    settings: tuple[Setting, ...] = SCIPY
    data_settings: tuple[Setting, ...] = (LOOSE, EQUAL, ("nquad", None, 1e-8, 1), SCIPY[4])
    data_sizes: tuple[int, ...] = (100, 200, 400)
    cases: tuple[Case, ...] = field(default_factory=lambda: tuple(failure_cases()))
    certified: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    parser.add_argument(
        "--out",
        type=folder_name,
        default=RESULTS,
        metavar="DIR",
        help="where bench.md and bench.json go (results)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few theta, small grids, a part of the failure table"
    )
    parser.add_argument("--certified", action="store_true", help="also time certified surfaces (minutes)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures, prints the page and writes it; returns the exit status."""
    make_folder(arguments.out)
    plan = quick_plan(arguments.certified) if arguments.quick else Plan(certified=arguments.certified)
    measured, where = on_one_core(measure, plan)
    measured["about"] |= {"core": where, "quick": arguments.quick}
    print(bench_page.markdown(measured))
    for path in bench_page.write(measured, arguments.out):
        print(f"bench: wrote {path}", file=sys.stderr)
    return 0


def quick_plan(certified: bool = False) -> Plan:
    """A look within seconds: the same rows from fewer theta, and the failures of too small a box."""
    return Plan(
        sizes=(101,),
        repeats=3,
        places=PLACES[3:4],
        data_places=(),
        settings=(LOOSE, EQUAL, *SCIPY[3:]),
        data_settings=(),
        data_sizes=(100, 200),
        cases=tuple(case for case in failure_cases() if case.group == "box too small"),
        certified=certified,
    )


def measure(plan: Plan) -> dict[str, Any]:
    """All tables as plain values, ready for JSON once infinities are replaced; progress goes to stderr."""
    start = time.perf_counter()

    def progress(line: str) -> None:
        print(f"bench {time.perf_counter() - start:6.1f} s  {line}", file=sys.stderr, flush=True)

    comparison, grids, count = [], (plan.sizes, plan.repeats), plan.data_sizes[0]
    for name in ("linf", "l2"):
        problem = single_point(name, (-1.0, 1.0), 1.0, EPSILON)
        comparison += compared(f"one point, {name}", problem, grids, plan.places, plan.settings, progress)
    for name in ("linf", "l2"):
        title, problem = f"N = {count}, {name}", normal_data(name, EPSILON, count, SEED)
        comparison += compared(title, problem, grids, plan.data_places, plan.data_settings, progress)
    return {
        "about": about(plan),
        "comparison": comparison,
        "linearity": linearity(plan.data_sizes, plan.sizes[0], plan.repeats, progress),
        "failures": [bench_page.plain(one) for one in failure_table(plan.cases, progress)],
        "certified": certified_rows(progress) if plan.certified else [],
        "seconds": time.perf_counter() - start,
    }


def about(plan: Plan) -> dict[str, Any]:
    """What a reader needs to measure it again: versions, machine, parameters."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": processor(),
        "epsilon": EPSILON,
        "gamma": GAMMA,
        "beta": BETA,
        "seed": SEED,
        "repeats": plan.repeats,
        "places": [list(place) for place in plan.places],
        "data_places": [list(place) for place in plan.data_places],
    }


def processor() -> str:
    """The name of the CPU where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
