"""Algorithm 1, lines 1-10 and 15-18: what each line asserts, against the objective it is meant to descend."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.ledger.claim import Claim, Reading, Twin
from theory.ledger.quoted import about_the_text, agrees

GAMMA, ETA, ETA_INNER, ALPHA = sp.symbols("gamma eta eta' alpha", positive=True)
THETA, INNER, MEAN, SQUARE, SLOPE = sp.symbols("theta theta' theta_bar xi_bar g", real=True)
USED = frozenset({"L", "T", "gamma", "eta", "eta'", "epsilon", "eta_P", "epsilon_E", "alpha"})


@about_the_text
def hyperparameters(stated: SimpleNamespace) -> Iterator[Fact]:
    """The hyperparameters of Require and line 1 against those that lines 4-18 use."""
    named = frozenset(stated.named.split())
    missing = ", ".join(sorted(USED - named))
    yield compare(
        "Require and line 1 name every hyperparameter that lines 4-18 use",
        sp.Integer(len(USED & named)),
        "==",
        sp.Integer(len(USED)),
        point={"where": "Algorithm 1, Require and line 1", "missing": missing},
        replay="Of the 9 that lines 4-18 use 4 are named. T stands in line 6, epsilon and eta_P in line 7, "
        "epsilon_E in line 11, alpha in lines 12 and 13; none is listed.",
    )
    yield compare("and none besides", sp.Integer(len(named - USED)), "==", sp.Integer(0))


def start(stated: SimpleNamespace) -> Iterator[Fact]:
    """Lines 2, 3: the variance xi_bar - theta_bar^2 starts at 0, and the start keeps the weight (1 -
    alpha)^L in both means.
    """
    yield identity("the estimated variance starts at 0", stated.square - stated.mean**2, sp.Integer(0))
    yield identity("the mean starts at theta", stated.mean, THETA)
    n = sp.Symbol("n", integer=True, nonnegative=True)
    yield identity(
        "each pass of line 12 multiplies the weight of the start by 1 - alpha",
        stated.left.subs(n, n + 1) / stated.left,
        1 - ALPHA,
    )
    yield identity("which is 1 before the first", stated.left.subs(n, 0), sp.Integer(1))
    share = stated.left.subs({ALPHA: sp.Rational(3, 4), n: 20})
    yield compare("alpha = 3/4, L = 20: the start keeps 4^(-20)", share, "==", sp.Rational(1, 4**20))


def line7(stated: SimpleNamespace) -> Iterator[Fact]:
    """The variable that the attack's gradient is taken at and in, against the one updated."""
    yield agrees(
        "the gradient is taken at the perturbation delta_i that the line updates",
        stated.at,
        "delta_i",
        where="Algorithm 1, line 7",
        replay="The line updates delta_i, one for each example; delta without an index occurs nowhere else.",
    )
    yield agrees("and with respect to it", stated.by, "delta_i", where="Algorithm 1, line 7")
    yield agrees(
        "it starts from a random point of the ball",
        stated.start,
        "random",
        where="E.1, E.2, E.3: we randomly initialized the perturbation",
    )


def line10(stated: SimpleNamespace) -> Iterator[Fact]:
    """theta' - eta' dtheta' against a gradient step on L(theta') + gamma/2 (theta - theta')^2, whose
    minimum SGLD samples around.
    """
    move = stated.loss_sign * SLOPE + stated.pull_sign * GAMMA * (THETA - INNER)
    at = {THETA: 1, INNER: 1, ETA_INNER: sp.Rational(1, 10), SLOPE: 1}
    descent = sp.diff(SLOPE * INNER + GAMMA / 2 * (THETA - INNER) ** 2, INNER)
    yield compare(
        "one noiseless step for L = theta'^2/2 is the gradient step",
        (INNER - ETA_INNER * move).subs(at),
        "==",
        (INNER - ETA_INNER * descent).subs(at),
        point={"L": "theta'^2/2", "theta": 1, "theta'": 1, "eta'": "1/10", "gamma": "any"},
        replay="grad L = 1 and theta - theta' = 0, so dtheta' = -1 and theta' <- 1 + 1/10: L rises from "
        "1/2 to 121/200. Descent goes to 9/10.",
        dimension=(1,),
    ).as_example()
    yield identity(
        "dtheta' is the gradient of L(theta') + gamma/2 ||theta - theta'||^2, in each coordinate (g = "
        "dL/dtheta')",
        move,
        descent,
        method="coordinate by coordinate; sympy identity",
    )
    a = sp.Symbol("a", positive=True)
    rest = GAMMA * THETA / (a + GAMMA)
    yield identity(
        "for L = a theta'^2/2 the stated dtheta' vanishes at gamma theta/(a + gamma), the minimiser",
        move.subs(SLOPE, a * INNER).subs(INNER, rest),
        sp.Integer(0),
    )
    rate = 1 - ETA_INNER * (a + GAMMA)
    error = (INNER - ETA_INNER * move).subs(SLOPE, a * INNER) - rest
    yield identity(
        "and each step theta' - eta' dtheta' multiplies the distance to it by 1 - eta'(a + gamma)",
        error,
        rate * (INNER - rest),
    )


def line15(stated: SimpleNamespace) -> Iterator[Fact]:
    """The range of j against the number of entries of theta, xi_bar and h."""
    yield agrees(
        "j runs over the entries of theta in R^m",
        stated.last,
        "m",
        where="Algorithm 1, line 15; Sec. 2.1: x in R^d, theta in R^m",
        replay="d is the number of input features; theta_bar, xi_bar and h have m entries.",
    )


def line18(stated: SimpleNamespace) -> Iterator[Fact]:
    """Lines 16 and 18 against Eq. (77) with sigma = E[theta'^2] - E[theta']^2."""
    sigma = sp.Symbol("sigma", positive=True)
    yield identity(
        "xi_bar - theta_bar^2 is the variance when xi_bar is the second moment",
        stated.variance.subs(SQUARE, sigma + MEAN**2),
        sigma,
    )
    curvature = GAMMA - GAMMA**2 * sigma
    yield identity(
        "1/h_j is gamma - gamma^2 sigma_j",
        sp.expand(1 / stated.h(stated.variance).subs(SQUARE, sigma + MEAN**2)),
        curvature,
    )
    yield identity(
        "line 18 is the update of Eq. (77)",
        stated.step,
        THETA - ETA * GAMMA * sp.Symbol("h") * (THETA - MEAN),
    )


def momentum(stated: SimpleNamespace) -> Iterator[Fact]:
    """Lines 10, 11 and 18 remember no former step and decay nothing."""
    h = sp.Symbol("h", positive=True)
    outer = THETA - ETA * GAMMA * h * (THETA - MEAN)
    before = sp.Symbol("previous_step", real=True)
    shown = sp.diff(outer, before)
    yield compare(
        "line 18 depends on the step before it with the stated momentum", shown, "==", stated.momentum
    )
    inner = INNER - ETA_INNER * (SLOPE - GAMMA * (THETA - INNER))
    decay = (sp.diff(inner, INNER) - (1 - ETA_INNER * GAMMA)) / -ETA_INNER
    yield compare(
        "lines 10, 11 shrink theta' by itself at the stated rate", sp.simplify(decay), "==", stated.decay
    )


def inverse(variance: sp.Expr) -> sp.Expr:
    """h_j of line 16 as printed."""
    return 1 / (GAMMA - GAMMA**2 * variance)


CLAIMS = (
    Claim(
        id="alg1.line1",
        location="Algorithm 1, Require and line 1",
        kind="algorithm",
        title="The hyperparameters listed are L, gamma, eta and eta'",
        statement="Langevin iterations L; hyperparameters: scope gamma, learning rate eta, SGLD step size "
        "eta'.",
        stated={"named": "L gamma eta eta'"},
        check=hyperparameters,
        slip=True,
        expected=Verdict.TYPO,
        sides=(4, 9),
        corrected=Reading(
            statement="The algorithm also needs T, epsilon, eta_P (attack), epsilon_E (noise) and alpha "
            "(averaging); with AWP also gamma_A.",
            stated={"named": "L gamma eta eta' T epsilon eta_P epsilon_E alpha"},
        ),
        twins=(
            Twin("alpha left out", {"named": "L gamma eta eta' T epsilon eta_P epsilon_E"}),
            Twin("one that is not used", {"named": "L gamma eta eta' T epsilon eta_P epsilon_E alpha beta"}),
        ),
        remark="Values of alpha are given only in F.2.1 (0.75, and 0.3 for TRADES+AWP+EnSGD). epsilon_E is "
        "nowhere defined in words.",
    ),
    Claim(
        id="alg1.lines2-3",
        location="Algorithm 1, lines 2 and 3",
        kind="algorithm",
        title="The averages start at theta and theta^2",
        statement="theta', theta_bar <- theta and xi_bar <- theta (.) theta: the estimated variance "
        "starts at 0, and after n averagings the start has the weight (1 - alpha)^n in both "
        "averages.",
        latex=r"\bar\xi-\bar\theta\odot\bar\theta=0",
        stated={
            "mean": THETA,
            "square": THETA**2,
            "left": (1 - ALPHA) ** sp.Symbol("n", integer=True, nonnegative=True),
        },
        check=start,
        expected=Verdict.TRUE,
        twins=(
            Twin("xi_bar started at theta", {"square": THETA}),
            Twin("both started at 0", {"mean": sp.Integer(0), "square": sp.Integer(0)}),
            Twin(
                "weight alpha instead of 1 - alpha",
                {"left": ALPHA ** sp.Symbol("n", integer=True, nonnegative=True)},
            ),
        ),
    ),
    Claim(
        id="alg1.line7",
        location="Algorithm 1, line 7",
        kind="algorithm",
        title="The attack's gradient is taken at delta without an index",
        statement="delta_i <- Pi(delta_i + eta_P sgn(grad_delta l(x_i + delta, y_i, theta'))), delta_i "
        "not initialised.",
        stated={"at": "delta", "by": "delta", "start": "not said"},
        check=line7,
        slip=True,
        expected=Verdict.TYPO,
        sides=(sp.Symbol("delta"), sp.Symbol("delta_i")),
        corrected=Reading(
            statement="delta_i <- Pi(delta_i + eta_P sgn(grad_{delta_i} l(x_i + delta_i, y_i, theta'))), "
            "from a random point of the ball.",
            stated={"at": "delta_i", "by": "delta_i", "start": "random"},
        ),
        twins=(
            Twin("gradient at the clean point", {"at": "0"}),
            Twin("no initialisation", {"start": "not said"}),
        ),
        remark="Without initialisation delta_i would carry over from the previous minibatch's i-th "
        "example. Line 9 leaves v undefined without AWP; line 10 needs v = 0 then.",
    ),
    Claim(
        id="alg1.line10",
        location="Algorithm 1, lines 10 and 11",
        kind="algorithm",
        title="dtheta' has a minus sign before the loss gradient",
        statement="dtheta' <- -(1/|D_l|) sum_i grad l(x_i + delta_i, y_i, theta' + v) - gamma (theta - "
        "theta'), followed by theta' <- theta' - eta' dtheta'.",
        latex=r"d\theta'\leftarrow-\nabla_{\theta'}L(\theta')-\gamma(\theta-\theta')",
        assumptions=("noise aside; the chain is to sample exp(-L(theta') - gamma/2 ||theta - theta'||^2)",),
        stated={"loss_sign": sp.Integer(-1), "pull_sign": sp.Integer(-1)},
        check=line10,
        expected=Verdict.FALSE,
        sides=(sp.Rational(11, 10), sp.Rational(9, 10)),
        corrected=Reading(
            statement="dtheta' <- +(1/|D_l|) sum_i grad l(x_i + delta_i, y_i, theta' + v) - gamma (theta "
            "- theta'). As printed the inner loop climbs the loss.",
            latex=r"d\theta'\leftarrow\nabla_{\theta'}L(\theta')-\gamma(\theta-\theta')",
            stated={"loss_sign": sp.Integer(1)},
        ),
        twins=(
            Twin("gradient one per cent too large", {"loss_sign": sp.Rational(101, 100)}),
            Twin("pull away from theta", {"pull_sign": sp.Integer(1)}),
            Twin("both signs flipped", {"loss_sign": sp.Integer(-1), "pull_sign": sp.Integer(1)}),
        ),
    ),
    Claim(
        id="alg1.line15",
        location="Algorithm 1, line 15",
        kind="algorithm",
        title="The loop over the entries of theta ends at d",
        statement="for j <= d do h_j = ... end for.",
        stated={"last": "d"},
        check=line15,
        slip=True,
        expected=Verdict.TYPO,
        sides=(sp.Symbol("d"), sp.Symbol("m")),
        corrected=Reading(
            statement="for j <= m do: theta is in R^m, and d is the dimension of x.", stated={"last": "m"}
        ),
        twins=(
            Twin("the number of examples", {"last": "N"}),
            Twin("the number of iterations", {"last": "L"}),
        ),
        remark="Only for the linear model of Sec. 3.1 are d and m the same.",
    ),
    Claim(
        id="alg1.line18",
        location="Algorithm 1, lines 16 and 18",
        kind="algorithm",
        title="Lines 16 and 18 are Eq. (77)",
        statement="h_j = 1/(gamma - gamma^2 (xi_bar_j - theta_bar_j^2)); theta <- theta - eta gamma h (.) "
        "(theta - theta_bar).",
        assumptions=("xi_bar and theta_bar are the second and first moments",),
        stated={
            "variance": SQUARE - MEAN**2,
            "h": inverse,
            "step": THETA - ETA * GAMMA * sp.Symbol("h") * (THETA - MEAN),
        },
        check=line18,
        expected=Verdict.TRUE,
        twins=(
            Twin("mean not squared", {"variance": SQUARE - MEAN}),
            Twin("gamma to the first power", {"h": lambda variance: 1 / (GAMMA - GAMMA * variance)}),
            Twin("step away from the mean", {"step": THETA + ETA * GAMMA * sp.Symbol("h") * (THETA - MEAN)}),
        ),
    ),
    Claim(
        id="alg1.momentum",
        location="Algorithm 1 against E.1, E.2, E.3, F.2.1",
        kind="beyond",
        title="Algorithm 1 shows no momentum and no weight decay",
        statement="The experiments used momentum of 0.9 and weight decay of 0.0005 (E.1-E.3, F.2.1); no line "
        "of Algorithm 1 has either.",
        assumptions=("lines 10 (its sign corrected), 11 and 18",),
        stated={"momentum": sp.Integer(0), "decay": sp.Integer(0)},
        check=momentum,
        expected=Verdict.TRUE,
        twins=(
            Twin("momentum as in E.1", {"momentum": sp.Rational(9, 10)}),
            Twin("decay as in E.1", {"decay": sp.Rational(5, 10000)}),
        ),
        remark="Pseudocode may leave them out. But the paper does not say whether they enter the inner step "
        "(line 11), the outer one (line 18) or both, so they have to be chosen to run it.",
    ),
)
