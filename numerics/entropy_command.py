"""`python -m numerics local-entropy`: -F of Eq. (10), its gradient and its Hessian at one theta, by any
method."""

from __future__ import annotations

import argparse
import json
from decimal import ROUND_CEILING, Context

import numpy as np

from numerics.data_file import read_data
from numerics.local_entropy.quadrature import TOLERANCE, local_entropy
from numerics.local_entropy.result import LocalEntropy
from numerics.problem import MODELS, Problem, named
from support.options import file_name
from theory.cli import fraction_or_float, number_list

METHODS = ("fast", "certified", "dblquad", "nquad", "cubature")
DEFAULT_TOLERANCES = {"fast": TOLERANCE, "certified": 1e-12, "dblquad": 1e-8, "nquad": 1e-8, "cubature": 1e-8}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand; without data they describe the point of Fig. 2."""
    parser.add_argument(
        "--loss", default="linf", help="clean, l1, l2, linf or l<p> such as l1.5 (default: linf)"
    )
    parser.add_argument(
        "--model", default="linear", help="linear, or swish by a scipy method (default: linear)"
    )
    parser.add_argument("--x", type=number_list, metavar="A,B", help="one data point (default: -1,1)")
    parser.add_argument("--y", type=fraction_or_float, metavar="Y", help="its label, -1 or 1 (default: 1)")
    parser.add_argument(
        "--data", type=file_name, metavar="FILE.npz", help="in place of --x and --y: X (N, 2), y (N,)"
    )
    parser.add_argument(
        "--epsilon", type=fraction_or_float, default="0.6", help="radius of the attack (default: 0.6)"
    )
    parser.add_argument("--gamma", type=fraction_or_float, default="1", help="scope (default: 1)")
    parser.add_argument(
        "--beta", type=fraction_or_float, default="1", help="inverse temperature (default: 1)"
    )
    parser.add_argument("--theta", type=number_list, required=True, metavar="A,B", help="where to evaluate")
    parser.add_argument("--method", default="fast", help=f"{', '.join(METHODS)} (default: fast)")
    parser.add_argument(
        "--tolerance",
        type=fraction_or_float,
        metavar="ERROR",
        help="error of -F to reach, for fast relative where |-F| > 1 (default: 1e-11; certified 1e-12, scipy 1e-8)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluates and prints; returns the exit status. Raises ValueError for bad input or a missed
    tolerance."""
    if arguments.method not in METHODS:
        raise ValueError(f"method = {arguments.method!r} is unknown; the known ones are {', '.join(METHODS)}")
    problem = requested_problem(arguments)
    theta = np.array([float(entry) for entry in arguments.theta])
    asked = arguments.tolerance
    tolerance = DEFAULT_TOLERANCES[arguments.method] if asked is None else float(asked)
    if not tolerance > 0:
        raise ValueError(f"tolerance = {tolerance:g}; it must be > 0: pass the error that is good enough")
    result = evaluate(
        arguments.method, problem, theta, float(arguments.gamma), float(arguments.beta), tolerance
    )
    print(json.dumps(result.as_json()) if arguments.json else block(result, theta))
    return 0


def requested_problem(arguments: argparse.Namespace) -> Problem:
    """The problem that the options describe; ValueError where they contradict each other or the file is
    wrong."""
    if arguments.model not in MODELS:
        raise ValueError(f"model = {arguments.model!r} is unknown; the known ones are {', '.join(MODELS)}")
    epsilon, p = named(arguments.loss, float(arguments.epsilon))
    if arguments.data is None:
        x = [float(entry) for entry in arguments.x or (-1, 1)]
        y = float(1 if arguments.y is None else arguments.y)
        return Problem(np.array([x]), np.array([y]), epsilon, p, arguments.model)
    if arguments.x is not None or arguments.y is not None:
        raise ValueError("data and x or y are both given; the data hold the points: pass one or the other")
    return Problem(*read_data(arguments.data), epsilon, p, arguments.model)


def evaluate(
    method: str, problem: Problem, theta: np.ndarray, gamma: float, beta: float, tolerance: float
) -> LocalEntropy:
    """-F by one of METHODS; the routes other than `fast` are loaded when they are asked for."""
    if method == "fast":
        return local_entropy(problem, theta, gamma=gamma, beta=beta, tolerance=tolerance)
    if method == "certified":
        from numerics.local_entropy.certified import certified_local_entropy

        return certified_local_entropy(problem, theta, gamma=gamma, beta=beta, tolerance=tolerance)
    from numerics.local_entropy.scipy_routes import ROUTES

    return ROUTES[method](problem, theta, gamma, beta, tolerance=tolerance)


def block(result: LocalEntropy, theta: np.ndarray) -> str:
    """The result for a reader: every number with the digits its error leaves."""
    gradient = ", ".join(_number(entry) for entry in result.gradient)
    rows = [", ".join(_number(entry) for entry in row) for row in result.hessian]
    errors = f"{_upward(result.error)} in -F, {_upward(result.derivative_error)} in the derivatives"
    known = "proved" if result.method == "certified" else "estimated"
    return "\n".join(
        [
            f"-F({', '.join(f'{entry:g}' for entry in theta)})  {_number(result.value)}",
            f"gradient        ({gradient})",
            f"Hessian         [{rows[0]}]",
            f"                [{rows[1]}]",
            f"error           {errors} ({known})",
            f"method          {result.method}, {result.seconds:.3g} s",
        ]
    )


def _number(value: float) -> str:
    return repr(float(value))


def _upward(error: float) -> str:
    """Two digits, rounded up: no less than the error that is known."""
    return f"{Context(prec=2, rounding=ROUND_CEILING).create_decimal(error):.1e}"
