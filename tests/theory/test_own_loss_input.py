"""What `python -m theory check` reads, refuses and prints (theory/own_loss/, theory/own_loss/language.py): bad
input in one line, the command, and the language of losses against Python's own arithmetic."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import flint
import pytest
import sympy
from mpmath import mpf
from sympy import Rational

from support.options import CommandParser
from theory.own_loss import check_loss
from theory.own_loss.command import add_check_arguments, run_check
from theory.own_loss.evaluate import Balls, double_function
from theory.own_loss.graph import Graph
from theory.own_loss.language import FUNCTIONS, check_names, parse

ROUNDING = 1e-14  # of a few operations in doubles
LINEAR = "log(1+exp(-y*(t1*x1+t2*x2)))"

BAD_INPUT: dict[str, tuple[dict[str, Any], str]] = {
    "unknown symbol": ({"loss": "x1*t1*z"}, "'z', which is unknown"),
    "x does not occur": ({"x": "x1,x2", "center": (0, 0)}, "'x2', which does not occur"),
    "theta does not occur": ({"theta": "t1,t2", "at": (1, 1)}, "'t2', which does not occur"),
    "value does not occur": ({"values": {"k": 1}}, "'k', which does not occur"),
    "no x": ({"x": ()}, "x names no symbol"),
    "no theta": ({"theta": ()}, "theta names no symbol"),
    "x twice": ({"x": ("x1", "x1"), "center": (0, 0)}, "twice"),
    "two roles": ({"theta": "x1"}, "both x and theta"),
    "center too long": ({"center": (0, 1)}, "center has 2 numbers and x has 1"),
    "at too long": ({"at": (0, 1)}, "at has 2 numbers and theta has 1"),
    "epsilon zero": ({"epsilon": 0}, "must be > 0"),
    "epsilon negative": ({"epsilon": "-1/2"}, "must be > 0"),
    "epsilon infinite": ({"epsilon": float("inf")}, "epsilon: 'inf' is not a number"),
    "center not finite": ({"center": (float("nan"),)}, "center: 'nan' is not a number"),
    "norm": ({"norm": "l1"}, "choose one of l2, linf"),
    "a kink at the maximum at this theta": ({"loss": "-sqrt(x1**2+t1-1)"}, "it lies on a kink, sqrt("),
    "not continuous": ({"loss": "t1*sign(x1)"}, "not continuous"),
    "pole at the center": ({"loss": "t1/x1"}, "not a finite real double at the center"),
    "complex in the ball": ({"loss": "t1*log(x1+1/2)"}, "not a finite real double inside the ball"),
    "kink at the maximum": (
        {"loss": "-sqrt((x1-t1)**2+(x1-t1)**4)", "at": ("1/3",)},
        "grad_x l is (1) on one side and (-1) on the other",
    ),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_line_that_names_what_is_wrong(name: str) -> None:
    changes, message = BAD_INPUT[name]
    given: dict[str, Any] = {
        "loss": "-(x1-t1)**2",
        "x": "x1",
        "theta": "t1",
        "center": (0,),
        "at": (1,),
        "epsilon": 1,
    }
    given.update(changes)
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        check_loss(given.pop("loss"), given.pop("x"), given.pop("theta"), **given)
    assert message in str(caught.value)


def test_sympy_losses_with_symbols_of_any_kind_are_accepted() -> None:
    x, t = sympy.symbols("x1 t1")
    report = check_loss(
        -((x - t) ** 2) + sympy.Rational(1, 3), [x], [t], center=(0,), at=(Rational(1, 4),), epsilon=1
    )
    assert report.attack[0] == mpf("0.25")


def arguments(*changes: str) -> list[str]:
    return [
        *("--loss", LINEAR, "--x", "x1,x2", "--theta", "t1,t2", "--set", "y=1", "--norm", "l2"),
        *("--epsilon", "0.6", "--center", "-1,1", "--at", "1,0.5"),
        *changes,
    ]


def command(tokens: Sequence[str]) -> int:
    parser = CommandParser(prog="check")
    add_check_arguments(parser)
    return run_check(parser.parse_args(list(tokens)))


def test_the_command_prints_a_report_of_at_most_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(arguments()) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert max(len(line) for line in printed.out.splitlines()) <= 80
    assert "\x1b" not in printed.out
    for part in ("-1.536656314599949527138", "mu          0.853388", "0.536656 = ||D_theta x'||", "Lemma 5"):
        assert part in printed.out


def test_the_command_prints_json_with_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(arguments("--json")) == 0
    found = json.loads(capsys.readouterr().out)
    report = check_loss(
        LINEAR, "x1,x2", "t1,t2", center=(-1, 1), at=(1, "1/2"), epsilon="3/5", values={"y": 1}
    )
    assert found["attack"] == [float(v) for v in report.attack]
    assert found["attack_digits"][0].startswith("-1.5366563145999495271382016805")
    assert report.lipschitz is not None
    assert found["constants"]["local_lipschitz"] == float(report.lipschitz)
    assert [lemma["holds"] for lemma in found["lemmas"]] == [False, True]
    assert found["search"]["certified_global"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("--epsilon", "-0.6"), "epsilon = -3/5"),
        (("--at", "0,0"), "does not change with x"),
        (("--at", "-1"), "at has 1 numbers"),
        (("--loss", "-x1**2+"), "cannot be read"),
        (("--set", "y=2"), "twice"),
    ],
)
def test_the_command_answers_bad_input_with_one_line_and_status_2(
    changes: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(arguments(*changes)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert message in printed.err


def test_settings_may_be_given_one_by_one() -> None:
    parser = CommandParser()
    add_check_arguments(parser)
    found = parser.parse_args(arguments("--set", "k=2"))
    assert found.set == [{"y": 1}, {"k": 2}]


def values(text: str, place: Any) -> tuple[float, float]:
    """A loss in x at a place, in doubles and in balls."""
    graph = Graph()
    root = parse(graph, text, ["x"])
    in_balls = Balls(graph, [root], ["x"]).at(lambda: [flint.arb(place)], 20)
    return double_function(graph, [root], ["x"])(float(place))[0], float(in_balls[0])


@pytest.mark.parametrize("place", [0.37, -1.25, 3.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_the_language_is_the_function_of_its_name(name: str, place: float) -> None:
    known = {
        "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
        "swish": lambda u: u / (1 + math.exp(-u)),
        "softplus": lambda u: math.log1p(math.exp(u)),
        "abs": abs,
        "relu": lambda u: max(u, 0.0),
    }
    expected = known.get(name) or getattr(math, name)
    if name in ("log", "sqrt"):
        place = abs(place)
    assert values(f"{name}(x)", place) == pytest.approx([expected(place)] * 2, rel=ROUNDING)


def test_expressions_mean_what_python_means() -> None:
    for text in (
        *("-x**2", "2**-x", "x/3/2", "x-2-3", "-(x+1)*3**x**2", "1.5e-1*x", "pi*x-E", "+x", "--x", "2**-x*3"),
        *(
            "x**-2",
            "x**0.5",
            "(x)",
            "((x)+1)",
            "2*-x",
            "x-(-x-1)",
            "3-x*2/5+x**3/7",
            "max(x,1/2,x-1)",
            "min(x,1)",
        ),
        *("-x**-x", "E**x", "x**x"),
    ):
        expected = eval(text, {"x": 0.7, "pi": math.pi, "E": math.e, "max": max, "min": min})
        assert values(text, 0.7) == pytest.approx([expected] * 2, rel=ROUNDING), text


@pytest.mark.parametrize("place", [0.25, 0.75])
def test_piecewise_takes_the_first_condition_that_holds(place: float) -> None:
    text = "Piecewise((x**2, x < 1/2), (3, x >= 2), (exp(x), True))"
    expected = place**2 if place < 0.5 else math.exp(place)
    assert values(text, place) == pytest.approx([expected] * 2, rel=ROUNDING)


def test_decimals_are_exact() -> None:
    for text, expected in (("0.1", Fraction(1, 10)), ("1_000.25e-2", Fraction(100025, 10000))):
        graph = Graph()
        assert graph.value(parse(graph, text, [])) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x^2", r"write \*\* for a power"),
        ("__import__('os').system('true')", "character 12 .* is not arithmetic"),
        ("x.real", "not arithmetic"),
        ("(lambda: x)()", "':' is not arithmetic"),
        ("[x for x in (1,)]", "not arithmetic"),
        ("x if x else 1", "an operator is expected before 'if'"),
        ("x; x", "cannot be read"),
        ("9**9**9", "a power beyond 1000"),
        ("1e99999*x", "exponents beyond"),
        ("sign(x)", "not continuous"),
        ("exp", "without an argument"),
        ("exp(x, x)", "other than one argument"),
        ("exp(u=x)", "'=' is not arithmetic"),
        ("x(2)", "write x\\*"),
        ("z", "known are x, pi, E"),
        ("x//2", "a number or a name is expected before '/'"),
        ("x @ x", "'@' is not arithmetic"),
        ("1/0", "divides by zero"),
        ("log(0)", "takes log"),
        ("sqrt(-1)", "complex value"),
        ("0**-1", "power of zero"),
        ("1j", "an operator is expected before 'j'"),
        ("True", "a number is expected there"),
        ("'x'", "is not arithmetic"),
        ("", "empty"),
        ("x +", "it ends where a number or a name is expected"),
        ("(" * 9000 + "x", "never closed"),
        ("x)", "no parenthesis is open"),
        ("2x", "write \\* for a product"),
        ("t·x", r"contains '·' at character 2; write \*"),
        ("−x", "write -"),
        ("x²", r"write \*\*2"),
        ("x < 1", "a number is expected there"),
        ("Piecewise(x)", "not made of pairs"),
        ("Piecewise((x, 1), (2, True))", "not comparisons"),
        ("x" * 20000, "at most"),
    ],
)
def test_what_is_not_arithmetic_is_refused_and_never_run(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse(Graph(), text, ["x"])
    assert "\n" not in str(caught.value)


def test_symbols_may_not_shadow_the_language() -> None:
    for name in ("exp", "pi", "2x", "relu", "Max", "x y", "t·x", ""):
        with pytest.raises(ValueError, match="symbol"):
            check_names([name])
