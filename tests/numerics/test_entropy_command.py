"""`python -m numerics local-entropy` at the prompt: five methods, one answer; and bad input, in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numerics.__main__ import main
from numerics.entropy_command import METHODS
from numerics.local_entropy import local_entropy
from numerics.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
POINT = "--loss linf --x -1,1 --y 1 --epsilon 0.6 --gamma 1 --beta 1 --theta 0.32,-0.68"


def answer(capsys: pytest.CaptureFixture[str], arguments: str) -> dict:
    """The JSON object a command prints."""
    assert main(["local-entropy", *arguments.split(), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], arguments: str) -> str:
    """The one line on stderr of a command that is refused with status 2 and prints nothing."""
    try:
        status = main(["local-entropy", *arguments.split()])
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.fixture
def data(tmp_path: Path) -> Path:
    X = np.random.default_rng(1).normal(size=(4, 2))
    np.savez(tmp_path / "data.npz", X=X, y=np.sign(X[:, 0]))
    return tmp_path / "data.npz"


def test_every_method_gives_the_same_answer_within_the_errors_it_states(capsys):
    found = {method: answer(capsys, f"{POINT} --method {method}") for method in METHODS}
    proved = found["certified"]
    for method, result in found.items():
        assert list(result) == [
            *("value", "gradient", "hessian", "error", "derivative_error", "method", "seconds")
        ]
        assert result["method"] == method
        assert abs(result["value"] - proved["value"]) <= result["error"] + proved["error"] < 1e-8
        gap = np.abs(np.array(result["hessian"]) - np.array(proved["hessian"])).max()
        assert gap <= result["derivative_error"] + proved["derivative_error"]


def test_the_command_and_the_library_agree_on_a_file_of_data(capsys, data):
    told = answer(capsys, f"--loss l2 --data {data} --epsilon 8/255 --gamma .5 --beta 2 --theta -.5,1")
    with np.load(data) as archive:
        problem = Problem(archive["X"], archive["y"], 8 / 255, 2.0)
    assert told["value"] == local_entropy(problem, (-0.5, 1.0), gamma=0.5, beta=2.0).value


def test_without_json_a_reader_gets_a_block_with_the_same_numbers(capsys):
    told = answer(capsys, POINT)
    assert main(["local-entropy", *POINT.split()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[-1] == f"{told['value']!r}"
    assert [line.split()[0] for line in lines] == [
        *("-F(0.32,", "gradient", "Hessian", f"[{told['hessian'][1][0]!r},", "error", "method")
    ]


def test_swish_has_scipy_methods_alone(capsys):
    told = answer(capsys, "--model swish --theta 1,-1 --method cubature --tolerance 1e-6")
    assert 0 < told["error"] <= 1e-6
    assert "the fast route knows the kinks of the linear model alone" in refusal(
        capsys, "--model swish --theta 1,-1"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--theta nan,1", "'nan' is not a number"),
        ("--theta 1", "theta has shape (1,)"),
        ("--theta 1,2,3", "theta has shape (3,)"),
        ("", "the following arguments are required: --theta"),
        ("--theta 1,2 --x 1e308,1", "X or epsilon has the size 1e+308; beyond 1e+100 squares overflow"),
        ("--theta 1,2 --gamma 0", "gamma = 0; it must be finite and > 0"),
        ("--theta 1,2 --gamma -1", "gamma = -1; it must be finite and > 0"),
        ("--theta 1,2 --beta 0", "beta = 0; it must be finite and > 0"),
        ("--theta 1,2 --epsilon -0.1", "epsilon = -0.1; the radius of the attack must be finite and >= 0"),
        ("--theta 1,2 --loss hinge", "loss = 'hinge' is unknown; the known ones are clean, l1, l2, linf"),
        ("--theta 1,2 --loss l0.5", "loss = 'l0.5' is unknown"),
        ("--theta 1,2 --model deep", "model = 'deep' is unknown; the known ones are linear, swish"),
        (
            "--theta 1,2 --method magic",
            "method = 'magic' is unknown; the known ones are fast, certified, dblquad",
        ),
        ("--theta 1,2 --y 0", "y has the entry 0; every label must be -1 or 1"),
        ("--theta 1,2 --x 1,2,3", "problem has 3 weights; the integral of Eq. (10) is computed for 2"),
        ("--theta 1,2 --tolerance 0", "tolerance = 0; it must be > 0"),
        ("--theta 1,2 --loss l3 --method certified", "p = 3 has no certified enclosure"),
        ("--theta 1,2 --data absent.npz", "data = absent.npz: No such file or directory"),
        ("--theta 1,2 --data README.md", "data = README.md: it is not a readable archive of plain arrays"),
        ("--theta 1,2 --data absent.npz --x 1,2", "data and x or y are both given"),
        ("--theta 1,2 --tolerance 1e-17", "fast reached an error of"),
        ("--theta 1,2 --gamma 1e-9", "nodes are needed"),
        ("--theta 1,2 --gama 1", "unrecognized arguments: --gama 1; did you mean --gamma?"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(ROOT)
    assert message in refusal(capsys, arguments)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": [[1.0, 2.0]]}, "holds X; it must hold X (N, 2) and y (N,)"),
        ({"X": [[1.0, 2.0]], "y": [1, -1]}, "X has shape (1, 2) and y (2,)"),
        ({"X": [[1.0, 2.0]], "y": [2]}, "y has the entry 2; every label must be -1 or 1"),
        ({"X": [[1.0, np.inf]], "y": [1]}, "X has entries that are not finite"),
        ({"X": [1.0, 2.0], "y": [1]}, "X has 1 axes; it must have 2"),
        ({"X": [["a", "b"]], "y": [1]}, "holds text or records as X; need real numbers"),
        ({"X": np.array([[None, 1]]), "y": [1]}, "holds Python objects as X; need real numbers"),
        ({"X": np.zeros((0, 2)), "y": []}, "with N, d >= 1"),
    ],
)
def test_a_file_with_other_arrays_is_refused(capsys, tmp_path, arrays, message):
    np.savez(tmp_path / "bad.npz", **arrays)
    assert message in refusal(capsys, f"--theta 1,2 --data {tmp_path / 'bad.npz'}")


def test_the_module_runs_as_a_program():
    command = [sys.executable, "-m", "numerics", "local-entropy", "--theta", "-1,0", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["method"] == "fast"
