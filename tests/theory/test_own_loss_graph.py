"""A loss as a graph (theory/own_loss/graph.py and around): derivatives against sympy's and finite differences, balls
against mpmath, names that mean nothing else, and sizes that have a budget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import flint
import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from theory.own_loss import check_loss
from theory.own_loss.derivatives import cross, gradient, upper_triangle
from theory.own_loss.evaluate import Balls, Unresolved, double_function
from theory.own_loss.from_sympy import converted
from theory.own_loss.graph import Graph
from theory.own_loss.language import parse

DIGITS = 30
AGREED = mpf(10) ** -28  # of 30 digits, with two for sums
DOUBLE = 1e-9  # of a few dozen operations in doubles, derivatives included, at arguments of ordinary size
UNARY = ("exp", "sin", "cos", "atan", "sinh", "cosh", "tanh", "erf")


@st.composite
def losses(draw: Any, depth: int = 3) -> str:
    """Expressions in x, y, t that are smooth and real everywhere."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["x", "y", "t", "2", "(-3/7)", "pi", "E", "x*y"]))
    left = draw(losses(depth=depth - 1))
    kind = draw(st.sampled_from(["unary", "sum", "product", "power", "quotient", "log", "gate", "base"]))
    if kind == "unary":
        return f"{draw(st.sampled_from(UNARY))}(({left})/4)"
    if kind in ("sum", "product"):
        return f"(({left}){'+-'[draw(st.integers(0, 1))] if kind == 'sum' else '*'}({draw(losses(depth=depth - 1))}))"
    if kind == "log":
        return f"log(1+exp({left}))"
    return {
        "power": f"({left})**{draw(st.integers(2, 5))}",
        "quotient": f"({left})/(2+cos({left}))",
        "gate": f"1/(1+exp(-({left})))",
        "base": f"(2+sin({left}))**({draw(st.sampled_from(['1/3', '-3/2', 'x', '-2']))})",
    }[kind]


def evaluated(graph: Graph, roots: Sequence[int], place: Sequence[str]) -> list[mpf]:
    values = [flint.fmpq(int(sympy.Rational(p).p), int(sympy.Rational(p).q)) for p in place]
    return Balls(graph, roots, ["x", "y", "t"]).at(lambda: [flint.arb(v) for v in values], DIGITS, mpf(1))


@settings(max_examples=60, deadline=None)
@given(losses(), st.tuples(*[st.sampled_from(["1/3", "-4/5", "7/10", "0"])] * 3))
def test_values_and_derivatives_are_those_that_sympy_finds(text: str, place: tuple[str, ...]) -> None:
    graph, symbols = Graph(), sympy.symbols("x y t", real=True)
    root = parse(graph, text, ["x", "y", "t"])
    variables = [graph.symbol(name) for name in "xy"]
    slopes = gradient(graph, root, variables)
    roots = [
        root,
        *slopes,
        *upper_triangle(graph, slopes, variables),
        *cross(graph, slopes, [graph.symbol("t")]),
    ]
    loss = sympy.sympify(text, locals=dict(zip("xyt", symbols, strict=True)))
    x, y, t = symbols
    expected = [loss, *(loss.diff(*v) for v in ((x,), (y,), (x, x), (x, y), (y, y), (x, t), (y, t)))]
    here = dict(zip(symbols, map(sympy.Rational, place), strict=True))
    found = evaluated(graph, roots, place)
    doubles = double_function(graph, roots, ["x", "y", "t"])(*map(float, here.values()))
    for one, number, double in zip(expected, found, doubles, strict=True):
        with mpmath.workdps(DIGITS + 10):
            value = mpf(str(sympy.N(one.subs(here), DIGITS + 10)))
            assert abs(number - value) <= AGREED * (1 + abs(value))
        assert double == pytest.approx(float(value), rel=DOUBLE, abs=DOUBLE)


@settings(max_examples=40, deadline=None)
@given(losses())
def test_a_sympy_loss_and_its_text_are_one_function(text: str) -> None:
    graph, names = Graph(), ["x", "y", "t"]
    place = ["2/7", "-1/3", "5/4"]
    loss = sympy.sympify(text, locals={name: sympy.Symbol(name, real=True) for name in names})
    first, second = evaluated(graph, [parse(graph, text, names), converted(graph, loss, names)], place)
    assert abs(first - second) <= AGREED * (1 + abs(first))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("max(x*t,y,x-1)", ("1/2", "1/3", "2")),
        ("abs(x-y)*t", ("1", "3", "2")),
        ("relu(x)*y-min(x,t)", ("1", "2", "3")),
        ("Piecewise((log(x), x > 0), (y*t, True))", ("-1", "2", "3")),
        ("sqrt((x-y)**2)", ("1", "4", "0")),
    ],
)
def test_derivatives_beside_a_kink_are_finite_differences(text: str, place: tuple[str, ...]) -> None:
    graph = Graph()
    root = parse(graph, text, ["x", "y", "t"])
    slopes = gradient(graph, root, [graph.symbol(name) for name in "xyt"])
    found, step = evaluated(graph, slopes, place), Fraction(1, 10**9)
    for i in range(3):
        above, below = (
            evaluated(graph, [root], [str(Fraction(v) + s * step * (i == j)) for j, v in enumerate(place)])[0]
            for s in (1, -1)
        )
        assert float((above - below) / mpf("2e-9")) == pytest.approx(
            float(found[i]), abs=1e-7
        )  # step times curvature


def test_a_kink_itself_has_no_derivative_of_any_digit() -> None:
    graph = Graph()
    slope = gradient(graph, parse(graph, "abs(x)", ["x"]), [graph.symbol("x")])
    with pytest.raises(Unresolved):
        Balls(graph, slope, ["x"]).at(lambda: [flint.arb(0)], DIGITS)


# Names that generated code, sympy, mpmath or Python could take for something else.
NAMES = [
    "e",
    "I",
    "S",
    "N",
    "Q",
    "beta",
    "gamma",
    "zeta",
    "lambda",
    "in",
    "mpf",
    "math",
    "sqrt2",
    "v0",
    "x0",
    "u0",
    "f_exp",
]


@pytest.mark.parametrize(
    "name", [*NAMES, "_", "Dummy", "mu", "multiplier", "value", "µ", "θ", "exec", "None_", "arb"]
)
def test_a_symbol_means_itself_whatever_its_name(name: str) -> None:
    for x, theta in ((name, "other"), ("other", name)):
        report = check_loss(f"{theta}*{x}-E*{x}**2", (x,), (theta,), epsilon=1, center=(0,), at=(2,))
        with mpmath.workdps(40):  # x' = theta/(2 e), D = 1/(2 e), det = -2 e
            assert abs(report.attack[0] - 1 / mpmath.e) < mpf(10) ** -29
            assert abs(report.lipschitz - 1 / (2 * mpmath.e)) < mpf(10) ** -29
            assert abs(report.hessian.determinant + 2 * mpmath.e) < mpf(10) ** -29


def test_look_alike_spellings_of_a_name_are_one_name() -> None:
    micro, greek = "\u00b5", "\u03bc"
    for theta, written in ((micro, greek), (greek, micro), (micro, micro)):
        assert check_loss(f"{written}*x-x**2", "x", theta, epsilon=1, center=(0,), at=(1,)).attack[0] == mpf(
            "0.5"
        )


def nested(function: str, times: int) -> str:
    text = "t*x"
    for _ in range(times):
        text = f"{function}({text}+x/9)"
    return text


QUICK = 20.0  # seconds on a busy machine; what is guarded against takes minutes or for ever


@pytest.mark.parametrize(
    ("loss", "at"),
    [
        (nested("sigmoid", 20), 1),
        (nested("swish", 20), 1),
        (nested("softplus", 60), 1),
        (nested("sin", 200), 1),
        ("+".join(f"t*x/{i + 1}" for i in range(600)) + "-x**2", "1/9"),
        ("-" * 4000 + "x*t-x**2", 1),
        ("(" * 4000 + "x*t" + ")" * 4000, 1),
        ("exp(-(t*(x+1000))**2)", 1),
        ("exp(-exp(exp(t*(x+1))))", 30),
    ],
)
def test_deep_long_and_tiny_losses_are_answered_soon(loss: str, at: Any) -> None:
    started = time.monotonic()
    report = check_loss(loss, "x", "t", epsilon=1, center=(0,), at=(at,))
    assert time.monotonic() - started < QUICK
    assert report.lipschitz is not None


@pytest.mark.parametrize(
    "loss",
    [
        "sin(exp(exp(exp(3))))*t*x-x**2",
        "exp(exp(exp(exp(9))))*t*x-x**2",
        "tan(exp(exp(exp(exp(exp(x*t))))))",
        "cos(9**999*x*t)*exp(exp(exp(9)))",
        "2**2**2**9**x*t",
        "exp(exp(exp(exp(x*t))))-exp(exp(exp(exp(x*t+1))))",
        "(((((x*t+9)**999)**999)**999)**999)**999",
        "log(x*t-exp(exp(exp(9))))",
    ],
)
def test_numbers_too_large_for_any_digits_are_refused_soon_and_in_one_line(loss: str) -> None:
    started = time.monotonic()
    with pytest.raises(ValueError, match=r"^loss [^\n]*$"):
        check_loss(loss, "x", "t", epsilon=1, center=(0,), at=(1,))
    assert time.monotonic() - started < QUICK


def test_a_budget_of_time_ends_the_analysis_with_a_line() -> None:
    told: list[str] = []
    loss = "+".join(f"sin({i}*x{i}*t)*cos(x{(i + 1) % 30})" for i in range(30))
    x = [f"x{i}" for i in range(30)]
    with pytest.raises(ValueError, match=r"^seconds = 0\.5 are used up, [\w ]+: allow more") as caught:
        check_loss(loss, x, "t", epsilon=1, center=[0] * 30, at=(1,), seconds=0.5, tell=told.append)
    assert "\n" not in str(caught.value)
    assert told
    with pytest.raises(ValueError, match="seconds = 0"):
        check_loss("t*x", "x", "t", epsilon=1, center=(0,), at=(1,), seconds=0)


def test_a_budget_of_size_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("theory.own_loss.graph.MOST_NODES", 1000)
    x = [f"x{i}" for i in range(40)]
    loss = "sin(" + "+".join(f"sin(t*{name})" for name in x) + ")**3"
    with pytest.raises(ValueError, match="more than 1,000 operations"):
        check_loss(loss, x, "t", epsilon=1, center=[0] * 40, at=(1,))


@pytest.mark.parametrize("size", [16, 40])
def test_many_inputs_are_answered_and_agree_with_the_closed_form(size: int) -> None:
    x, t = [f"x{i}" for i in range(size)], [f"t{i}" for i in range(size)]
    weights = [sympy.Rational(i % 7 + 1, 7) * (-1) ** i for i in range(size)]
    loss = f"log(1+exp(-({'+'.join(f'{a}*{b}' for a, b in zip(x, t, strict=True))})))"
    report = check_loss(loss, x, t, epsilon="1/2", center=[0] * size, at=weights)
    with mpmath.workdps(40):
        length = mpmath.sqrt(sum(mpf(int(w.p)) ** 2 / int(w.q) ** 2 for w in weights))
        for found, w in zip(report.attack, weights, strict=True):
            assert abs(found + mpf(int(w.p)) / int(w.q) / length / 2) < mpf(10) ** -29
        assert abs(report.lipschitz - 1 / (2 * length)) < mpf(10) ** -29  # Lemma 2


@pytest.mark.parametrize("large", ["1e300", "1e-300", "1e30"])
def test_weights_of_any_size_are_not_called_singular(large: str) -> None:
    report = check_loss(
        "log(1+exp(-(t1*x1+t2*x2)))", "x1,x2", "t1,t2", epsilon="3/5", center=(-1, 1), at=(large, 1)
    )
    with mpmath.workdps(60):
        t = mpmath.matrix([mpf(large), 1])
        expected = -mpf(3) / 5 / mpmath.norm(t) * (mpmath.eye(2) - t * t.T / mpmath.norm(t) ** 2)
        assert mpmath.mnorm(report.attack_jacobian - expected, 1) < AGREED * mpmath.mnorm(expected, 1)


def test_losses_that_doubles_cannot_tell_apart_are_attacked_all_the_same() -> None:
    below = check_loss("exp(-1e6*x**2*t)", "x", "t", epsilon=1, center=(5,), at=(1,))
    assert below.attack[0] == 4  # the largest of numbers such as 10^-6948711
    beside_one = check_loss("1e-300*sin(x*t)+1", "x", "t", epsilon=1, center=(0,), at=(1,))
    assert beside_one.attack[0] == 1
    with mpmath.workdps(40):
        assert abs(beside_one.multipliers[0] / (mpf(10) ** -300 * mpmath.cos(1)) - 1) < AGREED
    with pytest.raises(ValueError, match="does not change with x"):
        check_loss("sin(x)**2+cos(x)**2+t", "x", "t", epsilon=1, center=(0,), at=(1,))


def test_what_is_singular_to_the_digits_that_are_kept_is_said_to_be_no_more() -> None:
    with pytest.raises(
        ValueError, match="whose multiplier is 0, released, is singular, to 20 digits of the loss's"
    ):
        check_loss("erf(1e10*x*t)", "x", "t", epsilon=1, center=(0,), at=(1,))
