"""Losses with kinks in `python -m theory check`: analysed where they are smooth around the attack, with a proved
distance to the nearest kink; told as such where the attack lies on one. And numbers of every library."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf

from theory.calculus.attacks import linear_attack
from theory.own_loss import check_loss

LABEL: Any = np.int64(1)
DIGITS = mpf(10) ** -28
NET = "log(1+exp(-({})))".format("+".join(f"{(-1) ** j}*F(w{j}0*x0+w{j}1*x1+w{j}2*x2)" for j in range(3)))
WEIGHTS = [f"w{j}{i}" for j in range(3) for i in range(3)]
AT: list[Any] = [1, "1/2", -2, "3/4", -1, "1/5", -1, 2, "1/3"]


def net(function: str, at: list[Any], **options: Any) -> Any:
    loss = NET.replace("F", function)
    return check_loss(loss, "x0,x1,x2", WEIGHTS, center=[1, -1, "1/2"], at=at, epsilon="1/10", **options)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_hinge_above_its_kink_is_the_linear_loss(norm: str) -> None:
    options: dict[str, Any] = {"center": (-1, 1), "at": (1, "1/2"), "epsilon": "3/5", "norm": norm}
    hinge = check_loss("max(0, 1-(t1*x1+t2*x2))", "x1,x2", "t1,t2", **options)
    linear = check_loss("1-(t1*x1+t2*x2)", "x1,x2", "t1,t2", **options) if norm == "l2" else hinge
    delta = linear_attack((1, Fraction(1, 2)), 1, Fraction(3, 5), 2 if norm == "l2" else "inf")
    for found, same, centre, step in zip(hinge.attack, linear.attack, (-1, 1), delta, strict=True):
        with mpmath.workdps(40):
            assert abs(found - mpf(str(sympy.N(centre + step, 40)))) < DIGITS
        assert abs(found - same) < DIGITS
    # At x' the margin is 1 - theta.x' = v > 0, so that the kink is v/||theta||_1 away in the largest coordinate.
    margin = 1 - (hinge.attack[0] + hinge.attack[1] / 2)
    assert hinge.smooth_within is not None
    assert hinge.smooth_within <= margin / mpf("1.5")
    assert hinge.smooth_within > margin / mpf("1.5") * mpf("0.99")
    assert json.loads(hinge.to_json())["analytic_within"] == pytest.approx(float(hinge.smooth_within))
    assert "no kink within" in str(hinge)


def test_a_relu_net_moves_as_the_finite_differences_of_its_attack_say() -> None:
    report, step = net("relu", AT), Fraction(1, 10**8)
    assert report.lemmas[0].assumptions[0].holds
    for j in (0, 4, 8):
        ends = [
            net("relu", [Fraction(a) + s * step * (i == j) for i, a in enumerate(AT)]).attack for s in (1, -1)
        ]
        for i in range(3):
            with mpmath.workdps(40):
                slope = (ends[0][i] - ends[1][i]) / mpf("2e-8")
                assert abs(slope - report.attack_jacobian[i, j]) < mpf(10) ** -12
    assert mpmath.mnorm(report.attack_jacobian, 1) > mpf("1e-3")


def test_three_ways_to_write_a_kink_are_one_loss() -> None:
    x, attacks = sympy.Symbol("u"), [net("relu", AT).attack]
    for spelling in (sympy.Max(x, 0), (x + sympy.Abs(x)) / 2, sympy.Piecewise((x, x > 0), (0, True))):
        loss = sympy.sympify(NET).replace(sympy.Function("F"), lambda u, way=spelling: way.subs(x, u))
        attacks.append(
            check_loss(loss, "x0,x1,x2", WEIGHTS, center=[1, -1, "1/2"], at=AT, epsilon="1/10").attack
        )
    for other in attacks[1:]:
        assert max(abs(a - b) for a, b in zip(attacks[0], other, strict=True)) < DIGITS


@pytest.mark.parametrize(
    ("loss", "slopes"),
    [
        ("-abs(x-t)", {-1.0, 1.0}),
        ("-max(3*(x-t), t-x)", {-3.0, 1.0}),
        ("Piecewise((x, x < t), (2*t-x, True))", {1.0, -1.0}),
        ("-sqrt((x-t)**2)", {1.0, -1.0}),
    ],
)
def test_an_attack_on_a_kink_is_told_as_such_with_both_slopes(loss: str, slopes: set[float]) -> None:
    told = r"^loss [^\n]* lies on a kink, [^\n]*: grad_x l is \((.*)\) on one side and \((.*)\) on the other, [^\n]*$"
    with pytest.raises(ValueError, match=told) as caught:
        check_loss(loss, "x", "t", center=(0,), at=("1/3",), epsilon=1)
    assert "x' = (0.333333)" in str(caught.value)
    found = re.match(told, str(caught.value))
    assert found is not None
    assert {float(found[1]), float(found[2])} == slopes


def test_trades_and_l1_distance_are_analysed() -> None:
    gate, other = "1/(1+exp(-(t1*c1+t2*c2)))", "1/(1+exp(-(t1*x1+t2*x2)))"
    kl = f"{gate}*log(({gate})/({other}))+(1-{gate})*log((1-{gate})/(1-{other}))"
    options: dict[str, Any] = {
        "center": (-1, 1),
        "at": (1, "1/2"),
        "epsilon": "3/5",
        "values": {"c1": -1, "c2": 1},
    }
    report = check_loss(kl, "x1,x2", "t1,t2", **options)
    with mpmath.workdps(40):  # KL rises with |theta.(x - c)|: the attack is c +- epsilon theta/|theta|
        length = mpmath.sqrt(mpf(5) / 4)
        assert abs(abs(report.attack[0] + 1) - mpf(3) / 5 / length) < DIGITS
    distance = check_loss(
        "abs(x1-t1)+abs(x2-t2)", "x1,x2", "t1,t2", center=(0, 0), at=("1/3", "1/4"), epsilon=1
    )
    with mpmath.workdps(40):  # both coordinates as far from theta as they can be, equally
        assert max(abs(v + 1 / mpmath.sqrt(2)) for v in distance.attack) < DIGITS


@pytest.mark.parametrize(
    "kind", [np.float64, np.float32, np.float16, float, str, sympy.Rational, np.array, mpf]
)
def test_numbers_of_every_library_are_numbers(kind: Any) -> None:
    number = kind("0.5") if kind in (str, sympy.Rational, mpf) else kind(0.5)
    report = check_loss("t*x-x**2", "x", "t", center=np.array([0.25]), at=[number], epsilon=number)
    assert report.attack[0] == mpf("0.25")
    assert linear_attack(np.array([0.5, -0.25]), LABEL, number, 2) == linear_attack((0.5, -0.25), 1, "1/2", 2)


def test_a_float_of_any_width_is_the_decimal_it_prints() -> None:
    for number in (0.1, np.float64(0.1), np.float32(0.1), np.float16(0.1)):
        report = check_loss("t*x-x**2", "x", "t", center=(0,), at=[number], epsilon=1)
        assert report.problem.at == (sympy.Rational(1, 10),)
