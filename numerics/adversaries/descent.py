"""Adversaries of Eqs. (1), (4), (10) and of Section 4's prose: attacks, descent, and smoothing on the line."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.gibbs import SOLVED, Law, law
from numerics.adversaries.maxima import ANY
from numerics.adversaries.smooth import NOWHERE, bounded, equal, worst

NO_KINKS = np.zeros(0)


def line_instance(rng: np.random.Generator) -> Instance:
    """Vectors in 1 to 5 dimensions, a radius, a start, coefficients over decades, a share."""
    d = int(rng.integers(1, 6))
    return {
        "theta": rng.standard_normal(d) * 10 ** rng.uniform(-1, 1),
        "x": rng.standard_normal(d),
        "rest": rng.standard_normal((12, d)),
        "epsilon": float(10 ** rng.uniform(-1.5, 0.5)),
        "start": float(rng.choice([-1, 1]) * 10 ** rng.uniform(-1, 1)),
        "k": float(10 ** rng.uniform(-1.5, 1.5)),
        "quartic": float(10 ** rng.uniform(-2, 1) * (rng.random() < 0.6)),
        "well": bool(rng.random() < 0.4),
        "share": float(rng.uniform(0.2, 0.98)),
        "gamma": float(10 ** rng.uniform(-1.5, 1.5)),
        "gap": float(rng.uniform(0.1, 3)),
        "bend": float(10 ** rng.uniform(-1, 1) * (rng.random() < 0.5)),
        "label": int(rng.choice([-1, 1])),
    }


def log_loss(z: float) -> float:
    """log(1 + exp(-z))."""
    return float(np.logaddexp(0, -z))


def attack_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eq. (1) on the linear logistic model, p = 2: points of the ball against the closed form, which one reaches."""
    theta, x, epsilon, y = (instance[name] for name in ("theta", "x", "epsilon", "label"))
    epsilon, size = abs(epsilon), float(np.linalg.norm(theta))
    if not 1e-2 < size < 1e2:
        return NOWHERE
    closed = -y * float(theta @ x) + epsilon * size
    found = []
    for rival in [*instance["rest"], -y * theta, -y * theta + 1e-3 * size * instance["rest"][0]]:
        delta = rival / np.linalg.norm(rival) * epsilon * sentence.reach
        found.append(-y * float(theta @ (x + delta)))
    best = min(found) if sentence.least else max(found)
    return equal(best, closed, 1e-12 * (1 + abs(closed)) + 1e-12 * epsilon * size)


def selection_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Every other point of the ball is worse for theta != 0; at theta = 0 all are equal."""
    theta, epsilon, y = instance["theta"], abs(instance["epsilon"]), instance["label"]
    size = float(np.linalg.norm(theta))
    if not 1e-2 < size < 1e2:
        return NOWHERE
    best = -y * theta / size * epsilon * sentence.reach
    gaps = [Gap(float(np.linalg.norm(best)), epsilon, 1e-12 * epsilon)]
    for rival in instance["rest"]:
        delta = rival / max(1.0, float(np.linalg.norm(rival))) * epsilon
        apart = (
            float(np.linalg.norm(delta - best)) ** 2 / (2 * epsilon) * size
        )  # what the ball's curvature costs
        gaps.append(Gap(-y * float(theta @ delta) + apart, epsilon * size, 1e-9 * epsilon * size))
        still = 0 * theta  # at theta = 0
        gaps.append(Gap(epsilon if sentence.one else 0.0, abs(float(still @ (delta - best))), 0.0))
    return worst(*gaps)


def projection_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Clipping: in the box, and no other point of it is nearer."""
    epsilon, point = abs(instance["epsilon"]), instance["theta"]
    clipped = np.clip(point, -sentence.reach * epsilon, sentence.reach * epsilon)
    away = float(np.linalg.norm(point - clipped))
    rivals = [np.clip(point + 0.1 * rest, -epsilon, epsilon) for rest in instance["rest"]]
    rivals.append(np.array([min(epsilon, abs(p)) * (1 if p > 0 else -1) for p in point]))
    nearest = min(float(np.linalg.norm(point - rival)) for rival in rivals)
    return worst(
        Gap(float(np.max(np.abs(clipped))), epsilon, 1e-12 * epsilon), Gap(away, nearest, 1e-12 * (1 + away))
    )


def pgd_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The sign step's gain against other moves and eta ||g||_1; on the linear model a step 2 epsilon at the corner."""
    grad, epsilon = instance["theta"], abs(instance["epsilon"])
    eta = epsilon * 2
    step = sentence.sign * sentence.length * eta * np.sign(grad)
    gain, best = float(grad @ step), eta * float(np.sum(np.abs(grad)))
    rivals = max(float(grad @ (eta * rest / np.max(np.abs(rest)))) for rest in instance["rest"])
    start = -epsilon * np.sign(grad) if instance["well"] else epsilon * np.tanh(instance["x"])
    after = np.clip(start + step, -epsilon, epsilon)
    return worst(
        equal(gain, best, 1e-12 * best),
        Gap(rivals, gain, 1e-12 * best),
        equal(after, epsilon * np.sign(grad), 1e-12 * epsilon),
    )


def descend(instance: Instance, step: float, count: int) -> float:
    """|L'| after `count` steps from the start, L = k t^2/2 + c t^4/4, or -k t^2/2 + (c + k) t^4/4 for two wells."""
    k, c, t = signed(instance)
    for _ in range(count):
        t -= step * (k * t + c * t**3)
        if not abs(t) < 1e100:
            return math.inf
    return abs(k * t + c * t**3)


def signed(instance: Instance) -> tuple[float, float, float]:
    """k, c and the start."""
    k, c = abs(instance["k"]), abs(instance["quartic"])
    return (-k, c + k, instance["start"]) if instance["well"] else (k, c, instance["start"])


def descent_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Fixed steps below 2/C_s, C_s the largest |L''| on the level set: the gradient falls; on a parabola, steps half a
    per cent longer than the limit make it grow."""
    k, c, start = signed(instance)
    if abs(start) < 1e-2:
        return NOWHERE
    top = abs(start)
    if k < 0:  # the outer end of the level set
        level = k * start**2 / 2 + c * start**4 / 4
        top = math.sqrt((-k + math.sqrt(max(k * k + 4 * c * level, 0.0))) / c)
    constant = max(abs(k), k + 3 * c * top**2) * sentence.constant
    steepest = max(abs(k * t + c * t**3) for t in np.linspace(0, top, 50))
    end = descend(instance, float(np.clip(abs(instance["share"]), 0.2, 0.98)) * 2 / constant, 300)
    plain = {**instance, "well": False, "quartic": 0.0, "k": 1.0, "start": 1.0}
    edge = 2 * sentence.factor / sentence.constant
    return worst(
        Gap(end, 0.5 * steepest, 1e-9 * steepest),
        Gap(descend(plain, 0.998 * edge, 300), 1.0, 1e-9),
        Gap(1.0, descend(plain, 1.005 * edge, 300), 1e-9),
    )


def local_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """L = t^4/4 from 1: the constant 3 of L' on the level set is the least, none holds everywhere, descent arrives."""
    ends = np.linspace(-sentence.reach, sentence.reach, 401)
    found = float(np.max(np.abs(np.diff(ends**3) / np.diff(ends))))
    far = abs(instance["start"]) * 1e3 + 100.0
    plain = {**instance, "k": 0.0, "quartic": 1.0, "start": 1.0, "well": False}
    everywhere = far**2 * 3
    gaps = [
        sharp_near(found, 3 * sentence.factor),
        Gap(descend(plain, min(abs(instance["share"]), 0.98) * 2 / 3, 300), 0.1),
        Gap(everywhere, 3.0) if sentence.globally else Gap(ANY, everywhere),
    ]
    return worst(*gaps)


def sharp_near(found: float, constant: float) -> Gap:
    """The constant holds, and the grid of 401 points comes within half a per cent of it."""
    return worst(Gap(found, constant, 1e-9), Gap(constant, found, 6e-3 * constant))


def factors_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """d = 1, x = y = 1: the second derivative of the adversarial logistic loss by differences, each side of 0; its
    supremum against (1 +- epsilon)^2/4; or, as printed, that it is larger than the clean 1/4 on theta > 0."""
    epsilon = min(abs(instance["epsilon"]), 0.9)

    def value(t: float) -> float:
        return log_loss(t - epsilon * abs(t))

    def bend(t: float) -> float:
        h = 1e-3
        return (value(t + h) - 2 * value(t) + value(t - h)) / h**2

    right, left = (max(bend(s * t) for t in (2e-3, 0.1, 1.0, 3.0)) for s in (1, -1))
    if sentence.printed:
        return Gap(0.25, right, 1e-4)
    one, two = (1 + epsilon, 1 - epsilon) if not sentence.swapped else (1 - epsilon, 1 + epsilon)
    claimed = [sentence.factor * part**sentence.power / 4 for part in (one, two)]
    return worst(*(equal(a, b, 1e-4 * (1 + epsilon)) for a, b in zip((left, right), claimed, strict=True)))


def jump_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """d = 1, x = y = 1: one-sided differences of the adversarial logistic loss at 0."""
    epsilon = abs(instance["epsilon"])
    h = 1e-5
    up, down = (log_loss(s * h - epsilon * h) for s in (1, -1))
    return equal((up + down - 2 * math.log(2)) / h, sentence.factor * epsilon, 1e-4 * (1 + epsilon) ** 2)


def kink_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """L = |t|, gamma = 1: the second derivative of -F at 0 by quadrature, against the closed form and 0.525."""
    found = law(np.abs, 0.0, 1.0, 1.0, np.zeros(1), 12.0)
    closed = 1 / (math.sqrt(math.pi * math.e / 2) * math.erfc(1 / math.sqrt(2))) - 1
    bend = 1 - found.variance
    return worst(
        equal(bend, sentence.factor * closed, found.errors[2] + 1e-6),
        equal(bend, sentence.factor * 0.525, 6e-4),
        Gap(0.0, bend),
    )


def entropy_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Cross-entropy of softmax outputs against labels that are probabilities: never negative."""
    logits = instance["rest"][0]
    chances = np.exp(logits - np.max(logits))
    chances = chances / np.sum(chances) * sentence.factor
    if sentence.odds:
        chances = chances / np.maximum(1 - chances, 1e-300)
    label = np.abs(instance["x"]) / np.sum(np.abs(instance["x"]))
    if instance["well"]:
        label = np.eye(logits.size)[int(np.argmax(logits))]
        chances = (
            chances if sentence.factor == 1 else np.where(label > 0, max(1.0, 1.0 * sentence.factor), chances)
        )
    return Gap(0.0, float(-label @ np.log(chances)), 1e-12)


def curve(loss, gamma: float, theta: float, stiff: float) -> tuple[float, float]:
    """The second derivative of -F at theta for beta = 1, and its error."""
    found: Law = law(loss, theta, 1.0, gamma, NO_KINKS, abs(theta) + 12 / math.sqrt(stiff))
    return gamma - gamma**2 * found.variance, gamma**2 * found.errors[2] + SOLVED * gamma


def convex(instance: Instance):
    """k t^2/2 + bend log cosh t, convex, its gradient Lipschitz with k + bend."""
    k, bend = abs(instance["k"]), abs(instance["bend"])
    return (lambda t: k * t**2 / 2 + bend * (np.logaddexp(t, -t) - math.log(2))), k, k + bend


def waves(instance: Instance) -> tuple:
    """c (1 + cos t): the constant of its gradient is c; c from 10 on."""
    c = 10 + abs(instance["k"])
    return (lambda t: c * (1 + np.cos(t))), c


def smaller_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The curve of -F against that of L: two wells for the printed sentence, convex losses for the corrected one."""
    if sentence.printed:
        loss, c = waves(instance)
        gamma = 4 * c / math.pi**2 * 0.95
        bend, error = curve(loss, gamma, 0.0, gamma / 4)
        return Gap(abs(bend), c, error)
    loss, k, c = convex(instance)
    gamma = abs(instance["gamma"])
    bend, error = curve(loss, gamma, instance["start"], gamma + k)
    bound = sentence.factor * (gamma * c / (gamma + c) if sentence.better else c)
    plain, more = curve(lambda t: c * t**2 / 2, gamma, 0.0, gamma + c)
    return worst(Gap(bend, bound, error), Gap(-bend, 0.0, error), equal(plain, bound, more + 1e-4 * bound))


def scope_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Quadratic losses: the constant of -F at two scopes, by quadrature."""
    k, gamma = abs(instance["k"]), abs(instance["gamma"])
    other = gamma * (1 + abs(instance["gap"]))
    (one, error), (two, more) = (curve(lambda t: k * t**2 / 2, g, 0.0, g + k) for g in (gamma, other))
    return worst(
        equal(one, sentence.factor * gamma * k / (gamma + k), error + 1e-4 * one),
        Gap(sentence.sign * one, sentence.sign * two, error + more),
        Gap(two, k, more),
    )


def scopes_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The constant at a smaller scope against that at a larger one: waves, where the larger one's is at most
    gamma c/(gamma - c); or quadratic and even convex losses, steepest at 0."""
    if sentence.every:
        loss, c = waves(instance)
        gamma = 4 * c / math.pi**2 * 0.95
        large = 20 * c
        bend, error = curve(loss, gamma, 0.0, gamma / 4)
        return Gap(abs(bend), large * c / (large - c), error)
    flat = {**instance, "bend": 0.0} if instance["well"] else instance
    loss, k, _ = convex(flat)
    low, high = abs(instance["gamma"]), abs(instance["gamma"]) * (1 + abs(instance["gap"]))
    tops = [curve(loss, g, 0.0, g + k) for g in (low, high)]
    scope = sentence.factor * (high - low if sentence.add else low * high / (high - low))
    c = tops[1][0]
    bound = scope * c / (scope + c)
    error = tops[0][1] + tops[1][1] + 1e-9 * bound
    gaps = [Gap(tops[0][0], bound, error)]
    if instance["well"]:  # attained
        gaps.append(Gap(bound, tops[0][0], error + 1e-5 * bound))
    return worst(*gaps)


def made(claim: str, how: str, gap, sentence, twins=None, reading: str = "printed") -> Adversary:
    """An adversary of this file."""
    return Adversary(
        claim=claim,
        reading=reading,
        how=how,
        draw=line_instance,
        gap=gap,
        sentence=sentence,
        twins=twins or {},
        admit=bounded,
    )


BALL = {"reach": 1.0, "least": False}
ONE = {"reach": 1.0, "one": False}
PGD = {"sign": 1.0, "length": 1.0}
STEP = {"factor": 1.0, "constant": 1.0}
LOCAL = {"factor": 1.0, "reach": 1.0, "globally": False}
FACTORS = {"printed": False, "swapped": False, "power": 2, "factor": 1.0}
FACTOR = {"factor": 1.0}
CONVEX = {"printed": False, "factor": 1.0, "better": True}
SCOPES = {"every": False, "factor": 1.0, "add": False}
LESS, MORE = {"factor": 0.99}, {"factor": 1.01}
RIVALS = "d = 1 to 5; rival points of the ball"
QUARTICS = "wells and parabolas with quartic parts; the steps run"
LINE = "the linear logistic loss on the line; differences"
SMOOTHED = "losses on the line, -F'' by quadrature: "
ADVERSARIES = (
    made(
        "eq1",
        RIVALS,
        attack_gap,
        BALL,
        {
            "ball one per cent larger": {"reach": 1.01},
            "ball one per cent smaller": {"reach": 0.99},
            "argmin for argmax": {"least": True},
        },
    ),
    made(
        "eq1.selection",
        RIVALS,
        selection_gap,
        ONE,
        {"one maximiser at theta = 0": {"one": True}, "ball one per cent larger": {"reach": 1.01}},
    ),
    made(
        "eq1.pgd-projection",
        RIVALS,
        projection_gap,
        {"reach": 1.0},
        {"range one per cent larger": {"reach": 1.01}, "range one per cent smaller": {"reach": 0.99}},
        "corrected",
    ),
    made(
        "eq1.pgd-step",
        RIVALS,
        pgd_gap,
        PGD,
        {
            "descent for ascent": {"sign": -1.0},
            "step one per cent short": {"length": 0.99},
            "step one per cent long": {"length": 1.01},
        },
    ),
    made(
        "eq4",
        QUARTICS,
        descent_gap,
        STEP,
        {
            "step limit one per cent larger": MORE,
            "step limit one per cent smaller": LESS,
            "Lipschitz constant one per cent larger": {"constant": 1.01},
        },
    ),
    made(
        "eq4.locally-smooth",
        QUARTICS,
        local_gap,
        LOCAL,
        {
            "constant one per cent smaller": LESS,
            "constant one per cent larger": MORE,
            "level set one per cent larger": {"reach": 1.01},
            "a globally smooth loss": {"globally": True},
        },
    ),
    made("sec4.increase", LINE, factors_gap, {**FACTORS, "printed": True}),
    made(
        "sec4.increase",
        LINE,
        factors_gap,
        FACTORS,
        {
            "the larger factor on theta > 0": {"swapped": True},
            "not squared": {"power": 1},
            "one per cent off": MORE,
        },
        "corrected",
    ),
    made(
        "sec4.non-smooth",
        LINE,
        jump_gap,
        FACTOR,
        {"a jump of epsilon/2": {"factor": 0.5}, "no jump": {"factor": 0.0}},
    ),
    made(
        "sec4.smoothens",
        SMOOTHED + "|theta|",
        kink_gap,
        FACTOR,
        {"one per cent off": MORE, "sign flipped": {"factor": -1.0}},
    ),
    made(
        "sec4.non-negative",
        "softmax outputs, labels hard and soft",
        entropy_gap,
        {"factor": 1.0, "odds": False},
        {"odds in place of the probability": {"odds": True}, "probability one per cent larger": MORE},
    ),
    made("eq11.smaller-constant", SMOOTHED + "waves", smaller_gap, {**CONVEX, "printed": True}),
    made(
        "eq11.smaller-constant",
        SMOOTHED + "convex",
        smaller_gap,
        CONVEX,
        {
            "constant one per cent smaller": LESS,
            "constant one per cent larger": MORE,
            "no better than C itself": {"better": False},
        },
        "corrected",
    ),
    made(
        "eq10.scope",
        SMOOTHED + "quadratic",
        scope_gap,
        {"factor": 1.0, "sign": 1.0},
        {"constant one per cent larger": MORE, "smoother with larger gamma": {"sign": -1.0}},
    ),
    made("eq10.smaller-gamma", SMOOTHED + "waves", scopes_gap, {**SCOPES, "every": True}),
    made(
        "eq10.smaller-gamma",
        SMOOTHED + "convex",
        scopes_gap,
        SCOPES,
        {
            "every smooth loss after all": {"every": True},
            "windows whose scopes add": {"add": True},
            "the scope between one per cent larger": MORE,
        },
        "corrected",
    ),
)
