"""Algorithm 1, lines 11-13 and 16, and D.1: what the noisy inner loop samples and what its averages
estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin

GAMMA, ETA_INNER, ALPHA, K, NOISE, SPREAD = sp.symbols("gamma eta' alpha k epsilon_E s", positive=True)
V, MEAN, INNER, SQUARE, SHAKE = sp.symbols("V theta_bar theta' xi_bar s_g", real=True)
PAPER = {ETA_INNER: sp.Rational(1, 10), NOISE: sp.Rational(1, 10**4)}


def stationary_variance(noise_variance: sp.Expr) -> sp.Expr:
    """The fixed point of V <- (1 - eta' k)^2 V + noise_variance, the variance of line 11 on U = k
    theta'^2/2.
    """
    return noise_variance / (1 - (1 - ETA_INNER * K) ** 2)


def samples(stated: SimpleNamespace) -> Iterator[Fact]:
    """The stationary variance of line 11 on a quadratic U = k theta'^2/2 against 1/k, that of exp(-U)."""
    noise_variance = stated.noise**2
    pencil = {**PAPER, K: 1}
    yield compare(
        "for U = theta'^2/2 the chain's variance is that of p_theta within the step's error",
        stationary_variance(noise_variance).subs(pencil),
        ">=",
        sp.Rational(9, 10),
        point={"U": "theta'^2/2", "eta'": "1/10", "epsilon_E": "1/10000"},
        replay="V = (9/10)^2 V + (1/10) 10^(-8) gives V = 10^(-9)/(19/100) = 1/190000000; the variance of "
        "exp(-theta'^2/2) is 1.",
        dimension=(1,),
    ).as_example()
    noiseless = INNER - ETA_INNER * K * INNER
    yield identity(
        "U quadratic, along an eigenvector of its Hessian, of eigenvalue k: line 11 multiplies theta' by 1 - "
        "eta' k",
        noiseless,
        (1 - ETA_INNER * K) * INNER,
    )
    after = (1 - ETA_INNER * K) ** 2 * V + noise_variance
    yield identity(
        "so the variance moves by V <- (1 - eta' k)^2 V + (noise)^2, with this fixed point",
        sp.simplify((after - V).subs(V, stationary_variance(noise_variance))),
        sp.Integer(0),
    )
    yield limit(
        "as eta' -> 0 it tends to the variance 1/k of p_theta",
        stationary_variance(noise_variance),
        ETA_INNER,
        0,
        1 / K,
    )


def temperature(stated: SimpleNamespace) -> Iterator[Fact]:
    """The beta of exp(-beta U) that noise sqrt(eta') epsilon_E samples, from 1/(beta k) in the limit of
    small steps.
    """
    variance = sp.limit(stationary_variance(ETA_INNER * NOISE**2), ETA_INNER, 0, "+")
    yield identity(
        "the chain of line 11 samples exp(-beta U) with the stated beta", 1 / (K * variance), stated.beta
    )
    yield compare(
        "which for epsilon_E = 1e-4 is the stated number", stated.beta.subs(PAPER), "==", stated.number
    )


def curvature_estimate(stated: SimpleNamespace) -> Iterator[Fact]:
    """gamma h - 1 = gamma V/(1 - gamma V) for the V of line 11, at the paper's constants and U =
    theta'^2/2.
    """
    variance = stationary_variance(ETA_INNER * NOISE**2).subs({**PAPER, K: 1})
    h = 1 / (GAMMA - GAMMA**2 * variance)
    excess = (GAMMA * h - 1).subs(GAMMA, sp.Rational(3, 100))
    yield compare("gamma h - 1 is positive", excess, ">", sp.Integer(0), dimension=(1,))
    yield compare("and below the stated bound", excess, "<", stated.bound, dimension=(1,))
    yield compare(
        "which is at most one per cent too large",
        stated.bound,
        "<",
        sp.Rational(101, 100) * excess,
        dimension=(1,),
    )
    with_gradient_noise = stationary_variance(ETA_INNER * NOISE**2 + ETA_INNER**2 * SHAKE**2)
    yield identity(
        "with gradient noise of variance s_g^2 the variance is (epsilon_E^2 + eta' s_g^2)/(k (2 - eta' k))",
        with_gradient_noise,
        (NOISE**2 + ETA_INNER * SHAKE**2) / (K * (2 - ETA_INNER * K)),
    )


def averages(stated: SimpleNamespace) -> Iterator[Fact]:
    """v = xi_bar - theta_bar^2 after lines 12 and 13, written in v and theta' - theta_bar before them."""
    mean = (1 - ALPHA) * MEAN + ALPHA * INNER
    square = (1 - stated.weight) * SQUARE + stated.weight * INNER**2
    before = SQUARE - MEAN**2
    yield identity(
        "v <- (1 - alpha) v + alpha (1 - alpha)(theta' - theta_bar)^2",
        sp.expand(square - mean**2),
        sp.expand((1 - ALPHA) * before + stated.gain * (INNER - MEAN) ** 2),
    )
    v, a, u = sp.symbols("v a u", real=True)
    yield implies(
        "so v stays >= 0 for 0 < alpha <= 1 (it starts at 0)",
        [sp.Ge(v, 0), sp.Gt(a, 0), sp.Le(a, 1)],
        sp.Ge((1 - a) * v + stated.gain.subs(ALPHA, a) * u**2, 0),
    )


def bias(stated: SimpleNamespace) -> Iterator[Fact]:
    """E[v] of lines 12, 13 for independent samples of variance s^2, in the limit of many passes."""
    share = mean_share()
    yield compare(
        "for alpha = 3/4 the expected xi_bar - theta_bar^2 is the variance, up to the stated factor",
        (stated.factor * share).subs(ALPHA, sp.Rational(3, 4)),
        "==",
        sp.Integer(1),
        point={"alpha": "3/4", "variance of theta'": 1, "L": "-> oo"},
        replay="The weights 3/4, 3/16, 3/64, ... have squares that sum to (9/16)/(1 - 1/16) = 3/5, so the "
        "mean itself has variance 3/5 and E[xi_bar - theta_bar^2] = 1 - 3/5 = 2/5.",
    )
    n = sp.Symbol("n", integer=True, nonnegative=True)
    weights = ALPHA * (1 - ALPHA) ** n
    ratio = sp.simplify(weights.subs(n, n + 1) ** 2 / weights**2)
    yield identity("the squared weights are geometric with ratio (1 - alpha)^2", ratio, (1 - ALPHA) ** 2)
    total = weights.subs(n, 0) ** 2 / (1 - (1 - ALPHA) ** 2)
    yield identity("they sum to alpha/(2 - alpha), the variance of theta_bar", total, ALPHA / (2 - ALPHA))
    yield identity("E[v] = s^2 (1 - sum of squared weights)", share, 1 - total)
    yield identity("so the stated factor removes the bias for every alpha", share, 1 / stated.factor)


def mean_share() -> sp.Expr:
    """E[v]/s^2 at the fixed point of E[v] <- (1 - alpha) E[v] + alpha (1 - alpha)(s^2 + Var theta_bar)."""
    mean_variance = sp.Symbol("m", positive=True)
    fixed = ALPHA**2 / (1 - (1 - ALPHA) ** 2)  # m <- (1 - alpha)^2 m + alpha^2
    return sp.simplify(((1 - ALPHA) * (1 + mean_variance)).subs(mean_variance, fixed))


def cancels(stated: SimpleNamespace) -> Iterator[Fact]:
    """xi_bar = 1 + d^2 (theta_bar = 1, deviations d = 1e-4) in `bits` significant bits becomes exactly 1."""
    half_unit = sp.Rational(1, 2**stated.bits)  # half the gap between 1 and the next number above it
    yield compare(
        "1 + 1e-8 rounds to 1: xi_bar - theta_bar^2 is 0",
        sp.Rational(1, 10**8),
        "<",
        half_unit,
        dimension=(1,),
    )
    yield compare(
        "the largest deviation that is lost has d^2 = half a unit",
        stated.largest**2,
        "==",
        half_unit,
        dimension=(1,),
    )
    mean, d = sp.symbols("theta_bar d", real=True)
    yield identity(
        "with deviations d = theta' - theta_bar nothing cancels: xi_bar - theta_bar^2 = E d^2 - (E d)^2",
        ((mean + d) ** 2 + (mean - d) ** 2) / 2 - mean**2,
        d**2,
        dimension=(1,),
    )


def gradient_counts(stated: SimpleNamespace) -> Iterator[Fact]:
    """Gradients a minibatch: T for the attack and one for the step, for SGD as for one pass of lines 5-13."""
    steps, passes = sp.symbols("T L", positive=True)
    sgd = steps + 1
    yield identity(
        "one pass of lines 5-13 takes as many gradients as an SGD step", stated.gradients(steps), sgd
    )
    yield identity(
        "an outer step, L minibatches, as many as L SGD steps", passes * stated.gradients(steps), passes * sgd
    )


CLAIMS = (
    Claim(
        id="alg1.line11",
        location="Algorithm 1, line 11; App. D.1",
        kind="algorithm",
        title="The inner loop is SGLD for p_theta",
        statement="theta' <- theta' - eta' dtheta' + sqrt(eta') epsilon_E N(0, I), and xi_bar estimates "
        "E_{p_theta}[theta' (.) theta'] by SGLD.",
        latex=r"\theta'\leftarrow\theta'-\eta'd\theta'+\sqrt{\eta'}\,\varepsilon_E\,\mathcal N(0,I)",
        assumptions=(
            "epsilon_E = 1e-4, eta' = 0.1 as in E.1",
            "line 10 with its sign corrected, exact gradients",
        ),
        stated={"noise": sp.sqrt(ETA_INNER) * NOISE},
        check=samples,
        expected=Verdict.FALSE,
        sides=(sp.Rational(1, 190000000), sp.Rational(9, 10)),
        corrected=Reading(
            statement="Langevin dynamics for p_theta (beta = 1) has the noise sqrt(2 eta') N(0, I): on U "
            "= k theta'^2/2 its variance is 1/(k (1 - eta' k/2)) -> 1/k.",
            latex=r"\theta'\leftarrow\theta'-\eta'd\theta'+\sqrt{2\eta'}\,\mathcal N(0,I)",
            stated={"noise": sp.sqrt(2 * ETA_INNER)},
        ),
        twins=(
            Twin("noise one per cent larger", {"noise": sp.Rational(101, 100) * sp.sqrt(2 * ETA_INNER)}),
            Twin("noise sqrt(eta')", {"noise": sp.sqrt(ETA_INNER)}),
            Twin("epsilon_E kept", {"noise": sp.sqrt(2 * ETA_INNER) * NOISE}),
        ),
        remark="The variance is too small by a factor 2e8. [3] uses the same small noise, and calls "
        "epsilon_E thermal noise.",
    ),
    Claim(
        id="alg1.temperature",
        location="Algorithm 1, line 11, beyond",
        kind="beyond",
        title="Line 11 samples at inverse temperature 2/epsilon_E^2 = 2e8",
        statement="For small eta' the chain of line 11 samples exp(-beta (L(theta') + gamma/2 ||theta - "
        "theta'||^2)) with beta = 2/epsilon_E^2, which is 2e8 for epsilon_E = 1e-4, not the "
        "beta = 1 of Eqs. (11), (12), (23).",
        latex=r"\beta=2/\varepsilon_E^2",
        assumptions=("quadratic U, any curvature k, exact gradients",),
        stated={"beta": 2 / NOISE**2, "number": sp.Integer(2 * 10**8)},
        check=temperature,
        expected=Verdict.TRUE,
        twins=(
            Twin("without the 2", {"beta": 1 / NOISE**2}),
            Twin("linear in epsilon_E", {"beta": 2 / NOISE}),
            Twin("number one per cent off", {"number": sp.Integer(202 * 10**6)}),
        ),
    ),
    Claim(
        id="alg1.h-is-1-over-gamma",
        location="Algorithm 1, lines 16 and 18, beyond",
        kind="beyond",
        title="The second-order step is the first-order one to nine digits",
        statement="For U = theta'^2/2, gamma = 0.03, eta' = 0.1, epsilon_E = 1e-4 the chain's own "
        "variance makes gamma h_j = 1 + 1.58e-10: line 18 is theta <- theta - eta (theta - "
        "theta_bar).",
        latex=r"0<\gamma h_j-1<1.58\cdot10^{-10}",
        assumptions=("stationary chain, exact gradients",),
        stated={"bound": sp.Rational(158, 10**12)},
        check=curvature_estimate,
        expected=Verdict.TRUE,
        twins=(
            Twin("bound two per cent smaller", {"bound": sp.Rational(155, 10**12)}),
            Twin("bound two per cent larger", {"bound": sp.Rational(161, 10**12)}),
        ),
        remark="Minibatch noise and the drift of theta' within a loop add to the variance; gamma h "
        "differs from 1 by one per cent only once a weight's variance exceeds 0.33, which weights "
        "of size 0.05 never reach.",
    ),
    Claim(
        id="alg1.lines12-13",
        location="Algorithm 1, lines 12 and 13",
        kind="algorithm",
        title="The two averages give a nonnegative variance",
        statement="theta_bar <- (1 - alpha) theta_bar + alpha theta', xi_bar <- (1 - alpha) xi_bar + "
        "alpha theta' (.) theta': the variance v = xi_bar - theta_bar^2 follows v <- (1 - "
        "alpha) v + alpha (1 - alpha)(theta' - theta_bar)^2 >= 0.",
        latex=r"v\leftarrow(1-\alpha)v+\alpha(1-\alpha)(\theta'-\bar\theta)^2",
        assumptions=("0 < alpha <= 1", "exact arithmetic"),
        stated={"weight": ALPHA, "gain": ALPHA * (1 - ALPHA)},
        check=averages,
        expected=Verdict.TRUE,
        twins=(
            Twin("another weight for xi_bar", {"weight": 1 - ALPHA}),
            Twin("gain alpha", {"gain": ALPHA}),
            Twin("gain one per cent off", {"gain": sp.Rational(101, 100) * ALPHA * (1 - ALPHA)}),
        ),
        remark="alpha is the weight of the new iterate: 0.75 in the paper. The code it builds on ([3]) "
        "gives the new iterate 0.25.",
    ),
    Claim(
        id="alg1.line16-variance",
        location="App. D.1; Algorithm 1, line 16",
        kind="reading",
        title="Line 16 computes the variance",
        statement="xi_bar is estimated E_p[theta' (.) theta'], and the variance is computed at line 16 as "
        "xi_bar_j - theta_bar_j^2.",
        latex=r"E[\bar\xi-\bar\theta^2]=s^2",
        assumptions=("alpha = 0.75", "independent samples of variance s^2, many passes"),
        stated={"factor": sp.Integer(1)},
        check=bias,
        expected=Verdict.FALSE,
        sides=(sp.Rational(2, 5), 1),
        corrected=Reading(
            statement="Its expectation is 2(1 - alpha)/(2 - alpha) times the variance, 2/5 for alpha = "
            "3/4; divide by that.",
            latex=r"E[\bar\xi-\bar\theta^2]=\frac{2(1-\alpha)}{2-\alpha}s^2",
            stated={"factor": (2 - ALPHA) / (2 * (1 - ALPHA))},
        ),
        twins=(
            Twin("one per cent off", {"factor": sp.Rational(101, 100) * (2 - ALPHA) / (2 * (1 - ALPHA))}),
            Twin("without the 2", {"factor": (2 - ALPHA) / (1 - ALPHA)}),
            Twin("right at alpha = 3/4 only", {"factor": sp.Rational(5, 2)}),
        ),
        remark="With alpha = 3/4 the averages rest on (2 - alpha)/alpha = 5/3 samples, whatever L is.",
    ),
    Claim(
        id="alg1.line16-cancellation",
        location="Algorithm 1, line 16, beyond",
        kind="beyond",
        title="In single precision line 16 cancels to 0",
        statement="For a weight of size 1 and deviations of 1e-4, xi_bar = 1 + 1e-8 rounds to 1 in 24-bit "
        "arithmetic and line 16 gives the variance 0; deviations up to 2^-12 are lost.",
        latex=r"1+10^{-8}<1+2^{-24}",
        assumptions=(
            "round to nearest, 24 significant bits (float32)",
            "theta_bar = 1, two samples 1 + d and 1 - d",
        ),
        stated={"bits": 24, "largest": sp.Rational(1, 2**12)},
        check=cancels,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="d = 2^-12: d^2 is exactly half the spacing of 24-bit numbers above 1",
            attained=sp.Rational(1, 2**12) ** 2,
            bound=sp.Rational(1, 2**24),
        ),
        twins=(
            Twin("double precision", {"bits": 53}),
            Twin("half precision", {"bits": 11}),
            Twin("largest one per cent off", {"largest": sp.Rational(101, 100 * 2**12)}),
        ),
        remark="The remedy is to average d = theta' - theta and d^2 instead.",
    ),
    Claim(
        id="alg1.cost",
        location="App. D.1, last sentence; Sec. 5.3",
        kind="prose",
        title="EntropySGD of either order costs about as much as SGD",
        statement="The computation cost of EntropySGD and 2nd order EntropySGD are almost the same as SGD.",
        assumptions=("an epoch is one pass over the data, so L inner steps use L minibatches",),
        stated={"gradients": lambda steps: steps + 1},
        check=gradient_counts,
        empirical=True,
        expected=Verdict.EMPIRICAL,
        twins=(Twin("a second gradient a minibatch", {"gradients": lambda steps: steps + 2}),),
        remark="Counting gradients it is exact; what is added is some vector arithmetic and noise on "
        "theta'. For the same number of outer steps the cost is L times that of SGD.",
    ),
)
