"""Sec. 5.2 against App. E and F: where two places of the paper state the same setting, whether they agree."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare
from theory.deciders.facts import Fact, Verdict
from theory.ledger.claim import Claim, Reading, Twin
from theory.ledger.quoted import about_the_text, agrees

# gamma_A as App. E and F.2.1 state it, by run.
GAMMA_AWP = {
    "CIFAR10 AWP (E.1)": sp.Rational(1, 100),
    "CIFAR10 AWP+EnSGD (E.1)": sp.Rational(5, 1000),
    "CIFAR100 AWP (E.2)": sp.Rational(1, 100),
    "CIFAR100 AWP+EnSGD (E.2)": sp.Rational(7, 1000),
    "SVHN AWP (E.3)": sp.Rational(1, 100),
    "SVHN AWP+EnSGD (E.3)": sp.Rational(5, 1000),
    "CIFAR10 TRADES+AWP (F.2.1)": sp.Rational(5, 1000),
}
# L as E.1-E.3 and F.2.1 state it, by run.
ITERATIONS = {
    "CIFAR10 RN18 AT+EnSGD (E.1)": 20,
    "CIFAR10 WRN AT+EnSGD (E.1)": 30,
    "CIFAR10 AWP+EnSGD (E.1)": 30,
    "CIFAR100 (E.2)": 30,
    "SVHN (E.3)": 30,
    "TRADES+EnSGD (F.2.1)": 20,
    "TRADES+AWP+EnSGD (F.2.1)": 30,
}
# What "the learning rates of SGD and EntropySGD are set to", and the eta listed among EntropySGD's settings.
LEARNING_RATES = {
    "CIFAR10 (E.1)": sp.Rational(1, 10),
    "CIFAR100 (E.2)": sp.Rational(1, 10),
    "SVHN (E.3)": sp.Rational(1, 100),
    "TRADES (F.2.1)": sp.Rational(1, 10),
}
ETAS = dict.fromkeys(LEARNING_RATES, sp.Rational(1, 10))
PIXEL = sp.Rational(1, 255)


def in_grid(values: dict[str, sp.Expr], grid: tuple[sp.Expr, ...], what: str) -> Iterator[Fact]:
    """Whether every value in use is one of the grid, and every value of the grid is in use."""
    for run, value in values.items():
        distances = {point: abs(point - value) for point in sorted(grid)}
        nearest = min(distances, key=distances.__getitem__)
        yield compare(
            f"{what} of {run} is one of the values tuned over",
            sp.sympify(value),
            "==",
            sp.sympify(nearest),
            point={"where": f"Sec. 5.2; {run}", "grid": f"{{{', '.join(map(str, grid))}}}"},
            replay=f"{run} uses {value}; the nearest value of the grid is {nearest}.",
        )
    used = set(values.values())
    yield compare(
        "every value of the grid is used", sp.Integer(len(used & set(grid))), "==", sp.Integer(len(grid))
    )


@about_the_text
def awp_grid(stated: SimpleNamespace) -> Iterator[Fact]:
    """gamma_A in the appendices against the grid of Sec. 5.2."""
    yield from in_grid(GAMMA_AWP, stated.grid, "gamma_A")


@about_the_text
def iteration_grid(stated: SimpleNamespace) -> Iterator[Fact]:
    """L in the appendices against the grid of Sec. 5.2."""
    yield from in_grid(ITERATIONS, stated.grid, "L")


@about_the_text
def same_iterations(stated: SimpleNamespace) -> Iterator[Fact]:
    """L of WRN against L of ResNet-18, for AT+EnSGD on CIFAR10 in E.1."""
    residual = ITERATIONS["CIFAR10 RN18 AT+EnSGD (E.1)"]
    yield compare(
        "WRN and RN18 use the same L, up to the stated difference",
        sp.Integer(ITERATIONS["CIFAR10 WRN AT+EnSGD (E.1)"]),
        "==",
        sp.Integer(residual) + stated.difference,
        point={"where": "Sec. 5.2; E.1"},
        replay="E.1: L = 20 for RN18, and L = 30 for WRN.",
    )


@about_the_text
def learning_rates(stated: SimpleNamespace) -> Iterator[Fact]:
    """The rates of App. E and F against those of Sec. 5.2, which makes no exception."""
    for run, rate in LEARNING_RATES.items():
        printed = stated.svhn if run.startswith("SVHN") else stated.others
        yield compare(
            f"the learning rate of {run} is the one that Sec. 5.2 states",
            rate,
            "==",
            printed,
            point={"where": f"Sec. 5.2; {run}"},
            replay="Sec. 5.2: set to 0.1; E.3: the learning rates of SGD and EntropySGD are set to 0.01.",
        )


@about_the_text
def svhn_eta(stated: SimpleNamespace) -> Iterator[Fact]:
    """In each appendix eta of EntropySGD is also the learning rate of EntropySGD."""
    for run, rate in LEARNING_RATES.items():
        eta = stated.eta if run.startswith("SVHN") else ETAS[run]
        yield compare(
            f"{run}: eta is the learning rate of EntropySGD",
            eta,
            "==",
            rate,
            point={"where": run},
            replay="E.3: we set gamma = 0.03, epsilon_E = 1e-4, eta = 0.1; the learning rates of SGD and "
            "EntropySGD are set to 0.01.",
        )


def stopping(stated: SimpleNamespace) -> Iterator[Fact]:
    """The quantity that early stopping watches, in Sec. 5.2 and F.2.1 and in E.1-E.3."""
    yield agrees(
        "early stopping evaluates the same accuracy in the main text and in the appendix",
        stated.appendix,
        "robust_test_accuracy",
        where="Sec. 5.2, F.2.1; E.1, E.2, E.3",
    )


@about_the_text
def figure(stated: SimpleNamespace) -> Iterator[Fact]:
    """The figure that plots robust accuracy against epochs, as E.1 cites it and as the main text numbers
    it.
    """
    yield compare(
        "the figure cited in E.1 is the one that plots robust accuracies",
        stated.number,
        "==",
        sp.Integer(3),
        point={"where": "E.1, twice: Figure 1 of the main paper; Sec. 5.3, Fig. 3"},
        replay="Figure 1 shows adversarial examples for x in R^2; robust accuracy against epochs is "
        "Figure 3.",
    )


@about_the_text
def one_or_two_radii(stated: SimpleNamespace) -> Iterator[Fact]:
    """epsilon of the TRADES runs in units of 1/255 against that of the others."""
    yield compare("0.031 is the stated number of 255ths", stated.trades / PIXEL, "==", stated.pixels)
    yield compare("which is less than the radius 8/255 of the other runs", stated.trades, "<", stated.others)
    yield compare("the other runs use 8/255", stated.others / PIXEL, "==", sp.Integer(8))


CLAIMS = (
    Claim(
        id="sec52.awp-grid",
        location="Sec. 5.2 against E.2",
        kind="prose",
        title="AWP's hyperparameter is tuned in {0.01, 0.005}",
        statement="The hyperparameter of AWP is tuned in {0.01, 0.005}.",
        stated={"grid": (sp.Rational(1, 100), sp.Rational(5, 1000))},
        check=awp_grid,
        expected=Verdict.FALSE,
        sides=(sp.Rational(7, 1000), sp.Rational(5, 1000)),
        corrected=Reading(
            statement="The values used are 0.01, 0.007 (CIFAR100, AWP+EnSGD) and 0.005.",
            stated={"grid": (sp.Rational(1, 100), sp.Rational(7, 1000), sp.Rational(5, 1000))},
        ),
        twins=(
            Twin("0.005 left out", {"grid": (sp.Rational(1, 100), sp.Rational(7, 1000))}),
            Twin(
                "a value that no run uses",
                {
                    "grid": (
                        sp.Rational(1, 100),
                        sp.Rational(7, 1000),
                        sp.Rational(5, 1000),
                        sp.Rational(2, 1000),
                    )
                },
            ),
        ),
    ),
    Claim(
        id="sec52.tuned-iterations",
        location="Sec. 5.2; E.1, E.2, E.3, F.2.1",
        kind="prose",
        title="L is tuned in {20, 30}",
        statement="We tuned an iteration L in {20, 30}.",
        assumptions=("checked: the values used are 20 and 30; how they were tuned cannot be",),
        stated={"grid": (20, 30)},
        check=iteration_grid,
        expected=Verdict.TRUE,
        twins=(Twin("20 alone", {"grid": (20,)}), Twin("a third value", {"grid": (20, 30, 40)})),
    ),
    Claim(
        id="sec52.wrn-same",
        location="Sec. 5.2 against E.1",
        kind="prose",
        title="WRN uses the hyperparameters of ResNet-18",
        statement="For WRN, we used the same hyperparameters as those of RN18.",
        stated={"difference": sp.Integer(0)},
        check=same_iterations,
        expected=Verdict.FALSE,
        sides=(30, 20),
        corrected=Reading(
            statement="AT+EntropySGD on CIFAR10 uses L = 20 for RN18 and L = 30 for WRN.",
            stated={"difference": sp.Integer(10)},
        ),
        twins=(
            Twin("a difference of 9", {"difference": sp.Integer(9)}),
            Twin("the other way round", {"difference": sp.Integer(-10)}),
        ),
    ),
    Claim(
        id="sec52.learning-rate",
        location="Sec. 5.2 against E.3",
        kind="prose",
        title="The learning rates of SGD and EnSGD are 0.1",
        statement="The learning rates of SGD and EnSGD are set to 0.1 and divided by 10 at the 100-th and "
        "150-th epoch.",
        assumptions=("the sentence covers CIFAR10, CIFAR100 and SVHN, as Sec. 5.2 does",),
        stated={"svhn": sp.Rational(1, 10), "others": sp.Rational(1, 10)},
        check=learning_rates,
        expected=Verdict.FALSE,
        group="learning rates on SVHN",
        sides=(sp.Rational(1, 100), sp.Rational(1, 10)),
        corrected=Reading(statement="0.1, but 0.01 on SVHN.", stated={"svhn": sp.Rational(1, 100)}),
        twins=(
            Twin("0.01 everywhere", {"others": sp.Rational(1, 100)}),
            Twin("0.001 on SVHN", {"svhn": sp.Rational(1, 1000)}),
        ),
    ),
    Claim(
        id="appe.svhn-eta",
        location="App. E.3",
        kind="prose",
        title="On SVHN eta = 0.1 and the learning rate is 0.01",
        statement="For EntropySGD, we set gamma = 0.03, epsilon_E = 1e-4, eta = 0.1, eta' = 0.1; the "
        "learning rates of SGD and EntropySGD are set to 0.01.",
        assumptions=("eta is the learning rate of EntropySGD, as line 1 of Algorithm 1 says",),
        stated={"eta": sp.Rational(1, 10)},
        check=svhn_eta,
        expected=Verdict.FALSE,
        group="learning rates on SVHN",
        sides=(sp.Rational(1, 10), sp.Rational(1, 100)),
        corrected=Reading(
            statement="The paragraph is consistent with eta = 0.01. Which of the two was run is not said; "
            "a record has to name its eta.",
            stated={"eta": sp.Rational(1, 100)},
        ),
        twins=(
            Twin("eta = 0.1", {"eta": sp.Rational(1, 10)}),
            Twin("one per cent off", {"eta": sp.Rational(101, 10000)}),
        ),
        remark="Whether eta' is divided by 10 together with the learning rate is not said either.",
    ),
    Claim(
        id="sec52.early-stopping",
        location="Sec. 5.2, F.2.1 against E.1, E.2, E.3",
        kind="prose",
        title="Early stopping watches the robust test accuracy",
        statement="We used early stopping by evaluating test robust accuracies against PGD with 20 "
        "iterations (Sec. 5.2, F.2.1); by evaluating test accuracies (E.1, E.2, E.3).",
        assumptions=(
            "'test accuracies' in App. E are robust ones, as in 'average and standard deviation of test "
            "accuracies', which Tables 1 to 3 give as robust accuracies",
        ),
        stated={"appendix": "robust_test_accuracy"},
        check=stopping,
        empirical=True,
        expected=Verdict.EMPIRICAL,
        twins=(
            Twin("clean accuracy", {"appendix": "clean_test_accuracy"}),
            Twin("validation accuracy", {"appendix": "robust_validation_accuracy"}),
        ),
        remark="Either way the checkpoint is selected on the test data on which it is then reported: the "
        "best of many noisy estimates is biased upwards.",
    ),
    Claim(
        id="appe.awp-005",
        location="App. E.1",
        kind="prose",
        title="AWP with gamma_A = 0.005 does not outperform 0.01 with SGD",
        statement="Note that we found that AWP with gamma_A = 0.005 does not outperform AWP with gamma_A = 0.01 when "
        "using SGD; AWP (gamma_A = 0.005) + EntropySGD outperforms AWP (gamma_A = 0.005) with SGD in terms of the "
        "convergence.",
        empirical=True,
        expected=Verdict.EMPIRICAL,
        remark="The sentence between the two, 'Since the training accuracy of AWP (gamma_A = 0.005) + EntropySGD might "
        "be caused by the small weight perturbation.', has no main clause. No table has the run with gamma_A = 0.005 "
        "and SGD; Fig. 6 plots it.",
    ),
    Claim(
        id="appe.figure-number",
        location="App. E.1, twice",
        kind="prose",
        title="E.1 cites Figure 1 for the robust accuracies",
        statement="Other results are the same as those in Figure 1 of the main paper; AWP (gamma_A = "
        "0.01) is plotted in Figure 1.",
        stated={"number": sp.Integer(1)},
        check=figure,
        slip=True,
        expected=Verdict.TYPO,
        sides=(1, 3),
        corrected=Reading(statement="Figure 3 of the main paper.", stated={"number": sp.Integer(3)}),
        twins=(Twin("Figure 2", {"number": sp.Integer(2)}), Twin("Figure 6", {"number": sp.Integer(6)})),
        remark="In the same paragraph 'Since the training accuracy of AWP (gamma_A = 0.005) + EntropySGD "
        "might be caused by the small weight perturbation.' is not a sentence; its main clause is "
        "missing.",
    ),
    Claim(
        id="appf.trades-epsilon",
        location="Sec. 5.2 against F.2.1",
        kind="prose",
        title="TRADES trains with another radius than the other runs",
        statement="The L-infinity radius is 8/255 at training time (Sec. 5.2, E.1-E.3) and 0.031 = "
        "7.905/255 for TRADES (F.2.1).",
        stated={
            "trades": sp.Rational(31, 1000),
            "others": sp.Rational(8, 255),
            "pixels": sp.Rational(7905, 1000),
        },
        check=one_or_two_radii,
        expected=Verdict.TRUE,
        twins=(
            Twin("8/255 for both", {"trades": sp.Rational(8, 255)}),
            Twin("one per cent off", {"pixels": sp.Rational(101, 100) * sp.Rational(7905, 1000)}),
        ),
        remark="The radius at evaluation time is not stated anywhere.",
    ),
)
