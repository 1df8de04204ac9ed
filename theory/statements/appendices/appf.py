"""App. F: Table 2 and the second-order rows of Table 3, the TRADES attack's reach, and the loss landscapes
of Fig. 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Twin
from theory.ledger.quoted import about_the_text
from theory.statements.sec5.sec53_results import TABLE_3, cells, p_value

ALPHA, SCALE = sp.symbols("alpha s", positive=True)
# Columns TRADES, +EnSGD, +AWP, +AWP+EnSGD, +AWP+EnSGD(tuned).
TABLE_2 = "52.9±0.3 53.4±0.1 55.6±0.4 55.8±0.3 56.3±0.1"


def reach(stated: SimpleNamespace) -> Iterator[Fact]:
    """The way that a coordinate can go in all steps of the TRADES attack against the radius, and against 2
    epsilon.
    """
    way = stated.steps * stated.size
    yield compare("from x itself the steps do not reach the boundary", way, "<", stated.radius)
    u = sp.Symbol("u", real=True)
    # A coordinate that starts at u and keeps moving up ends on the boundary if u + way >= radius.
    share = sp.integrate(1 / (2 * stated.radius), (u, stated.radius - way, stated.radius))
    yield compare(
        "from a uniform start a coordinate reaches its end with the stated probability",
        share,
        "==",
        stated.share,
    )
    yield compare(
        "10 steps of 2/255 are 5/4 of the way across the ball of radius 8/255",
        (10 * sp.Rational(2, 255)) / (2 * sp.Rational(8, 255)),
        "==",
        sp.Rational(5, 4),
    )


def filter_normalised(stated: SimpleNamespace) -> Iterator[Fact]:
    """The relative size of w + alpha d/||d|| ||w|| - w, its behaviour under w -> s w, and the number of
    alphas.
    """
    space = Space("w", "d")
    w, d = space.vectors()
    size = stated.size(space.length("w"))
    yield identity(
        "the perturbation has length |alpha| ||w||",
        space.norm((ALPHA * size / space.norm(d)) * d),
        ALPHA * space.norm(w),
    )
    scaled = SCALE * w + (ALPHA * stated.size(SCALE * space.length("w")) / space.norm(d)) * d
    plain = SCALE * (w + (ALPHA * size / space.norm(d)) * d)
    gap = scaled - plain
    yield identity(
        "rescaling w rescales the perturbed weight", sp.simplify(space.inner(gap, gap)), sp.Integer(0)
    )
    yield compare(
        "alpha takes the stated number of values",
        (sp.Integer(1) + 1) / sp.Rational(1, 10) + 1,
        "==",
        sp.sympify(stated.values),
    )


@about_the_text
def trades(stated: SimpleNamespace) -> Iterator[Fact]:
    """The order of Table 2, and the p values of its three gains."""
    plain, entropy, awp, both, tuned = cells(TABLE_2)
    yield compare("+EnSGD is above TRADES by the stated amount", entropy[0] - plain[0], "==", stated.gain)
    yield compare("+AWP+EnSGD is above +AWP by the stated amount", both[0] - awp[0], "==", stated.gain_awp)
    yield compare("the tuned run is the highest", tuned[0], "==", max(c[0] for c in cells(TABLE_2)))
    for name, one, other in (("+EnSGD", plain, entropy), ("+AWP+EnSGD", awp, both), ("tuned", both, tuned)):
        yield compare(f"{name}: p > 0.05", p_value(one, other), ">", stated.level)


@about_the_text
def almost_same(stated: SimpleNamespace) -> Iterator[Fact]:
    """The largest |2ndEnSGD - EnSGD| in Table 3, with and without AWP."""
    gaps = []
    for row in TABLE_3.values():
        _, entropy, second, _, both, both_second = cells(row)
        gaps += [abs(second[0] - entropy[0]), abs(both_second[0] - both[0])]
    yield compare("the largest difference is the stated one", max(gaps), "==", stated.largest)


CLAIMS = (
    Claim(
        id="appf.filter-normalization",
        location="App. F.1, Fig. 7",
        kind="prose",
        title="Filter normalization makes the perturbation size relative",
        statement="Fig. 7 plots the loss at w + alpha (d/||d||) ||w|| for alpha from -1 to 1 in "
        "increments of 0.1.",
        latex=r"\|\alpha\,\tfrac{d}{\|d\|}\|w\|\|=|\alpha|\,\|w\|",
        assumptions=("w != 0, d != 0; alpha > 0, or the same with -d",),
        stated={"size": lambda length: length, "values": sp.Integer(21)},
        check=filter_normalised,
        expected=Verdict.TRUE,
        twins=(
            Twin("not multiplied by the norm of w", {"size": lambda length: sp.Integer(1)}),
            Twin("the squared norm", {"size": lambda length: length**2}),
            Twin("twenty values", {"values": sp.Integer(20)}),
        ),
        remark="alpha is here the size of a perturbation; in Algorithm 1 and F.2.1 it is the averaging "
        "weight.",
    ),
    Claim(
        id="appf.landscapes",
        location="App. F.1, Fig. 7",
        kind="prose",
        title="With early stopping no loss landscape is very sharp",
        statement="Since we use early stopping for all methods, no loss landscapes are very sharp; "
        "EntropySGD does not necessarily flatten loss landscapes while its training loss is "
        "smaller than those of other methods; AT and AWP underfit slightly.",
        empirical=True,
        expected=Verdict.EMPIRICAL,
        remark="Sec. 5.3 says that EnSGD alleviates overfitting (a smaller training accuracy than AT); "
        "here it has the smaller training loss. Fig. 7 shows L_epsilon, not F, as the paper notes, "
        "so it says nothing about Theorem 3.",
    ),
    Claim(
        id="appf.trades-reach",
        location="App. F.2.1, beyond",
        kind="beyond",
        title="Ten TRADES steps of 0.003 do not span the radius 0.031",
        statement="With 10 steps of 0.003 and epsilon = 0.031 the attack moves at most 0.030: from x "
        "itself it never reaches the boundary, and from a uniform random start each coordinate "
        "reaches the end it moves to with probability 15/31.",
        latex=r"10\cdot0.003=0.030<0.031",
        assumptions=(
            "sign steps in a constant direction, the best case",
            "uniform start in [-epsilon, epsilon]",
        ),
        stated={
            "steps": sp.Integer(10),
            "size": sp.Rational(3, 1000),
            "radius": sp.Rational(31, 1000),
            "share": sp.Rational(15, 31),
        },
        check=reach,
        expected=Verdict.TRUE,
        twins=(
            Twin("11 steps", {"steps": sp.Integer(11)}),
            Twin("radius 8/255", {"radius": sp.Rational(8, 255)}),
            Twin("every second coordinate", {"share": sp.Rational(1, 2)}),
        ),
        remark="The other runs take 10 steps of 2/255 in a ball of radius 8/255, which crosses the ball "
        "from anywhere. So the TRADES attack is weaker than the optimal one that Sec. 3 analyses "
        "by construction.",
    ),
    Claim(
        id="appf.table2",
        location="F.2.2; Table 2",
        kind="prose",
        title="TRADES gains from EnSGD, most when switched to SGD at 150",
        statement="TRADES+EnSGD outperforms TRADES, +AWP+EnSGD outperforms +AWP, and +AWP+EnSGD(tuned) "
        "achieves the highest robust accuracy.",
        stated={"gain": sp.Rational(5, 10), "gain_awp": sp.Rational(2, 10), "level": sp.Rational(1, 20)},
        check=trades,
        empirical=True,
        expected=Verdict.EMPIRICAL,
        twins=(
            Twin("gain with AWP 0.3", {"gain_awp": sp.Rational(3, 10)}),
            Twin("p above 10 %", {"level": sp.Rational(1, 10)}),
        ),
        remark="The order of the means is as stated, but with three runs each none of the three gains has "
        "p < 0.05 (0.052, 0.53, 0.052).",
    ),
    Claim(
        id="appf.early-stage",
        location="F.2.2",
        kind="prose",
        title="Non-smoothness matters most early in training",
        statement="This result indicates that non-smoothness particularly affects training at the early "
        "stage, in which the learning rate is large.",
        empirical=True,
        expected=Verdict.EMPIRICAL,
        remark="The tuned run also uses alpha = 0.75 where +AWP+EnSGD uses 0.3 (F.2.1): two things "
        "changed at once.",
    ),
    Claim(
        id="appf.second-order-same",
        location="F.3; Table 3",
        kind="prose",
        title="2ndEnSGD performs almost the same as EnSGD",
        statement="2ndEnSGD performs almost the same as EnSGD. This might be because the diagonal "
        "approximation is not very effective.",
        stated={"largest": sp.Rational(27, 100)},
        check=almost_same,
        empirical=True,
        expected=Verdict.EMPIRICAL,
        twins=(Twin("largest difference 0.2", {"largest": sp.Rational(2, 10)}),),
        remark="A nearer explanation: with epsilon_E = 1e-4 the estimated variance is so small that gamma "
        "h = 1 (see alg1.h-is-1-over-gamma); the two are then the same method, whether or not the "
        "covariance is diagonal. Runs of ours on digits: results/verdicts_compact.md.",
    ),
)
