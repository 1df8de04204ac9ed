"""Theorem 1: smoothness of the L2 adversarial loss of the linear model for ||theta|| >= theta_min (Eqs. 16,
34), and its proof."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.linear import (
    EPSILON,
    GRAM,
    MARGIN,
    THETA_MIN,
    envelope,
    logistic,
    sigmoid,
    signed,
    unbounded,
)
from theory.calculus.steps import average
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.sec31.lemma2 import lipschitz

C_TT, C_TX = sp.symbols("C_theta_theta C_theta_x", nonnegative=True)
REACH = sp.Symbol("R", nonnegative=True)  # the longest ||x_n||
LARGEST = sp.Symbol("B", positive=True)  # the longest ||theta||
ANY = sp.Symbol("K", positive=True)
MOVED = sp.Symbol("X", nonnegative=True)  # ||x'(theta_1) - x'(theta_2)||
APART = sp.Symbol("D", positive=True)  # ||theta_1 - theta_2||
WEIGHT = sp.Symbol("theta", positive=True)  # a single positive weight
STANDARD = C_TT
BOUND = C_TT + EPSILON * C_TX / THETA_MIN


def smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """Envelope, triangle inequality with Assumption 1, Lemma 2, the mean over N samples; then a loss that
    attains the constant."""
    yield from envelope()
    yield from lipschitz(
        SimpleNamespace(constant=EPSILON / THETA_MIN, lower=THETA_MIN, bounded_below=stated.bounded_below)
    )
    yield from one_sample(stated.constant, sp.Le(MOVED * THETA_MIN, EPSILON * APART))
    yield average(MEAN).using("one sample")
    for sign in (1, -1):
        pull = sp.diff(worst_quadratic(sign), WEIGHT).subs(WEIGHT, sign * THETA_MIN)
        other = sp.diff(worst_quadratic(-sign), WEIGHT).subs(WEIGHT, -sign * THETA_MIN)
        yield identity(
            "attained by l = C_theta_x theta x + C_theta_theta theta^2/2 (d = 1) at theta = theta_min and "
            "-theta_min",
            (pull - other) / (2 * sign * THETA_MIN),
            stated.constant,
        )


def one_sample(constant: sp.Expr, move: sp.Basic) -> Iterator[Fact]:
    """||gradient gap|| <= constant ||theta_1 - theta_2|| from Assumption 1 and `move`, what is known of the
    attack's move."""
    # Lengths that may be 0, unlike those of vectors that Space names itself.
    first, second, gap = sp.symbols("|a| |b| G", nonnegative=True)
    space = Space("a", "b", known={("a", "a"): first**2, ("b", "b"): second**2})
    a, b = space.vectors()
    triangle = sp.Le(gap, space.length("a") + space.length("b"))
    yield implies(
        "G = ||a + b|| <= ||a|| + ||b||",
        [sp.Eq(gap**2, space.inner(a + b, a + b)), *space.gram_conditions()],
        triangle,
        method=GRAM,
        shows=(
            "G = ||grad l(x'_1, theta_1) - grad l(x'_2, theta_2)||, D = ||theta_1 - theta_2||, X = ||x'_1 - "
            "x'_2||",
            "a = grad l(x'_1, theta_1) - grad l(x'_1, theta_2), b = grad l(x'_1, theta_2) - grad l(x'_2, "
            "theta_2)",
        ),
    )
    bounds = [sp.Le(space.length("a"), C_TT * APART), sp.Le(space.length("b"), C_TX * MOVED)]
    yield implies(
        f"one sample: ||gradient gap|| <= ({constant}) ||theta_1 - theta_2||",
        [triangle, *bounds, move],
        sp.Le(gap, constant * APART),
        method="Assumption 1 and the move of the attack; z3 on nonlinear real arithmetic",
    ).using("G = ||a + b||")


def worst_quadratic(sign: int) -> sp.Expr:
    """max over |delta| <= epsilon of C_theta_x theta (x + delta) + C_theta_theta theta^2/2 where theta has
    this sign (d = 1)."""
    point = sp.Symbol("x", real=True)
    return C_TX * (WEIGHT * point + EPSILON * sign * WEIGHT) + C_TT * WEIGHT**2 / 2


def bends_less(stated: SimpleNamespace) -> Iterator[Fact]:
    """For the logistic loss itself on theta_min <= ||theta|| <= B: a constant without C_theta_x; then that it is
    below the constant of Theorem 1."""
    space = Space("theta", "x")
    far = LARGEST * (REACH + EPSILON)
    yield implies(
        "the margin of the attack is at least -B (R + epsilon)",
        [
            *space.gram_conditions(),
            sp.Le(space.length("theta"), LARGEST),
            sp.Le(space.length("x"), REACH),
        ],
        sp.Ge(space.product("theta", "x") - EPSILON * space.length("theta"), -far),
        method=GRAM,
    )
    yield signed("sigmoid(-m) decreases in m", -sp.diff(sigmoid(-MARGIN), MARGIN))
    share = sp.Symbol("q", positive=True)  # sigmoid(B (R + epsilon))
    yield from between_any_two(stated.constant.subs(sigmoid(far), share), share, THETA_MIN)
    weight, point, reach = (
        sp.Symbol("theta", real=True),
        sp.Symbol("x", real=True),
        sp.Symbol("T", positive=True),
    )
    mixed = abs(sp.diff(logistic(weight * point), weight, point).subs({weight: 1, point: -reach}))
    yield signed(
        "C_theta_x >= sigmoid(T) (1 + T sigmoid(-T)) > sigmoid(T), T = B (R + epsilon), by theta along x: "
        "so this constant is below that of Theorem 1",
        sp.factor(sp.simplify(mixed - sigmoid(reach))),
    )


def between_any_two(constant: sp.Expr, share: sp.Expr, lower: sp.Expr) -> Iterator[Fact]:
    """||gradient gap|| <= constant ||theta_1 - theta_2|| for the logistic loss where ||theta|| >= lower and
    sigmoid(-m) <= share, on any set, convex or not.

    The gradient of one sample is -p g with p = sigmoid(-m), g = y x - epsilon n, n = theta/||theta||; ||x|| <= R.
    """
    p1, p2, g1, g2 = sp.symbols("p_1 p_2 g_1 g_2", real=True)
    yield identity(
        "p_1 g_1 - p_2 g_2 = (p_1 - p_2)(g_1 + g_2)/2 + (p_1 + p_2)/2 (g_1 - g_2)",
        p1 * g1 - p2 * g2,
        (p1 - p2) * (g1 + g2) / 2 + (p1 + p2) / 2 * (g1 - g2),
        method="one scalar identity shared by all coordinates",
        shows=("grad l_epsilon = -p g, p = sigmoid(-m), g = y x - epsilon n, n = theta/||theta||",),
    )
    pair = Space("a", "b")
    a, b = pair.vectors()
    apart = sp.Symbol("|a-b|", nonnegative=True)
    yield implies(
        "| ||a|| - ||b|| | <= ||a - b||",
        [sp.Eq(apart**2, sp.expand(pair.inner(a - b, a - b))), *pair.gram_conditions()],
        sp.Le((pair.length("a") - pair.length("b")) ** 2, apart**2),
        method=GRAM,
    )
    names = ("s", "|p_1-p_2|", "|m_1-m_2|", "<x,theta_1-theta_2>", "k")
    s, moved, gap, scores, lengths = (sp.Symbol(name, real=True) for name in names)
    yield identity(
        "sigmoid' = s (1 - s) = 1/4 - (s - 1/2)^2, so that |p_1 - p_2| <= |m_1 - m_2|/4 (mean value theorem)",
        s * (1 - s),
        sp.Rational(1, 4) - (s - sp.Rational(1, 2)) ** 2,
    )
    close = (REACH + EPSILON) * APART / 4
    yield implies(
        "m_1 - m_2 = y <x, theta_1 - theta_2> - epsilon k, k = ||theta_1|| - ||theta_2||, so |p_1 - p_2| <= (R + "
        "epsilon) D/4",
        [
            sp.Le(scores**2, (REACH * APART) ** 2),
            sp.Le(lengths**2, APART**2),
            sp.Or(sp.Eq(gap, scores - EPSILON * lengths), sp.Eq(gap, -scores - EPSILON * lengths)),
            sp.Le((4 * moved) ** 2, gap**2),
        ],
        sp.Le(moved, close),
        method="Cauchy-Schwarz on named scalars, z3 on nonlinear real arithmetic",
        shows=("D = ||theta_1 - theta_2||",),
    ).using("| ||a|| - ||b|| |", "sigmoid' = s (1 - s)")
    yield from lipschitz(SimpleNamespace(constant=EPSILON / THETA_MIN, lower=THETA_MIN, bounded_below=True))
    mean, change, total = sp.symbols("|g_1+g_2|/2 |g_1-g_2| G", nonnegative=True)
    larger = sp.Symbol("(p_1+p_2)/2", nonnegative=True)
    yield implies(
        f"one sample: ||gradient gap|| <= ({constant}) ||theta_1 - theta_2||",
        [
            sp.Le(total, moved * mean + larger * change),
            sp.Le(moved, close),
            sp.Le(mean, REACH + EPSILON),
            sp.Le(larger, share),
            sp.Le(change * lower, EPSILON * APART),
        ],
        sp.Le(total, constant * APART),
        method="triangle inequality and Lemma 2; z3 on nonlinear real arithmetic",
        shows=("||g|| <= ||x|| + epsilon <= R + epsilon; ||g_1 - g_2|| is the move of the attack (Lemma 2)",),
    ).using("p_1 g_1 - p_2 g_2", "so |p_1 - p_2| <=", "||x'(a) - x'(b)|| <=")
    yield identity(
        "the constant is the sum of the two terms, (R + epsilon)^2/4 and the largest share of epsilon over the least "
        "||theta||",
        constant,
        (REACH + EPSILON) ** 2 / 4 + share * EPSILON / lower,
    )
    yield average(MEAN).using("one sample")


def averaged_norm(stated: SimpleNamespace) -> Iterator[Fact]:
    """The printed step of the proof at two samples, then for any two vectors: the norm of a mean against the
    mean of the norms."""
    weights = sp.symbols("theta1 theta2", real=True)
    gaps = []
    for point in ((0, 1), (0, -1)):
        margin = sum(w * c for w, c in zip(weights, point, strict=True)) - sp.sqrt(sum(w**2 for w in weights))
        slope = sp.Matrix([sp.diff(logistic(margin), w) for w in weights])
        ends = [
            slope.subs(dict(zip(weights, theta, strict=True)), simultaneous=True)
            for theta in ((2, 0), (1, 0))
        ]
        gaps.append(ends[0] - ends[1])
    at_two_samples = compare(
        "||mean of the gradient gaps|| against the mean of their norms",
        sp.simplify(((gaps[0] + gaps[1]) / stated.samples).norm()),
        stated.relation,
        sp.simplify((gaps[0].norm() + gaps[1].norm()) / stated.samples),
        point={
            "N": 2,
            "epsilon": 1,
            "x_1": (0, 1),
            "x_2": (0, -1),
            "y": 1,
            "theta_1": (1, 0),
            "theta_2": (2, 0),
        },
        replay="with c = sigmoid(2) - sigmoid(1) the two gaps are c (1, -1) and c (1, 1): their mean c (1, "
        "0) has the norm c, and the mean of their norms is sqrt(2) c.",
        dimension=(2,),
    )
    yield at_two_samples.as_example()
    space = Space("a", "b")
    a, b = space.vectors()
    total = sp.Symbol("|a+b|", nonnegative=True)
    shape = {"==": sp.Eq, "<=": sp.Le, ">=": sp.Ge, "<": sp.Lt}[stated.relation]
    yield implies(
        f"||a + b|| {stated.relation} ||a|| + ||b|| for all a, b",
        [sp.Eq(total**2, space.inner(a + b, a + b)), *space.gram_conditions()],
        shape(total, space.length("a") + space.length("b")),
        method=GRAM,
    )
    longer, so_far, added, norms = sp.symbols("|S+g| |S| |g| s", nonnegative=True)
    yield implies(
        "so ||g_1 + ... + g_n|| <= s, the sum of the norms, passes from n to n + 1, for every n",
        [sp.Le(so_far, norms), sp.Le(longer, so_far + added)],
        sp.Le(longer, norms + added),
        method="induction over the samples, z3 on nonlinear real arithmetic",
    )


def jump_at_the_origin() -> tuple[sp.Expr, sp.Expr]:
    """The gradient gap of the adversarial loss between t and -t, and their distance: d = 1, x = 0, epsilon =
    1, y = 1."""
    slopes = [sp.diff(logistic(-sign * WEIGHT), WEIGHT).subs(WEIGHT, sign * WEIGHT) for sign in (1, -1)]
    return slopes[0] - slopes[1], 2 * WEIGHT


def on_a_bounded_set(stated: SimpleNamespace) -> Iterator[Fact]:
    """For every theta_min > 0 a pair of a punctured ball refutes the constant of Theorem 1, K for short."""
    yield from near_the_origin(
        stated.constant,
        "K stands for C_theta_theta + epsilon C_theta_x/theta_min, whatever theta_min > 0 is chosen; the set "
        "0 < |theta| <= 1/4 is bounded, leaves out 0 and contains both thetas if K >= 1 (K < 1 claims more "
        "still).",
    )


def off_the_origin(stated: SimpleNamespace) -> Iterator[Fact]:
    """For every constant K a pair of thetas other than 0 refutes it."""
    yield from near_the_origin(stated.constant, "K is any constant that someone might claim.")


def near_the_origin(constant: sp.Expr, what_k_is: str) -> Iterator[Fact]:
    """The pair t, -t with t = 1/(4K): a gradient gap above 1 at a distance of 1/(2K)."""
    gap, apart = jump_at_the_origin()
    yield identity("the gradient gap between t and -t is 2 sigmoid(t)", gap, 2 * sigmoid(WEIGHT))
    small = sp.Symbol("exp(-t)", positive=True)
    least = sp.Integer(1)
    at_small = sp.together(gap).subs(sp.exp(-WEIGHT), small)
    yield implies("it exceeds 1, as exp(-t) < 1", [sp.Lt(small, 1)], sp.Gt(at_small, least))
    yield compare(
        "this lower bound of the gradient gap is within K ||theta_1 - theta_2||",
        least,
        "<=",
        sp.simplify(constant * apart.subs(WEIGHT, 1 / (4 * ANY))),
        point={"d": 1, "x": 0, "y": 1, "epsilon": 1, "K": "any", "theta_1": "1/(4K)", "theta_2": "-1/(4K)"},
        replay="l_epsilon(theta) = log(1 + exp(|theta|)) has the slopes sigmoid(t) and -sigmoid(t) at t and "
        f"-t: they differ by 2 sigmoid(t) > 1, while K times the distance is K/(2K) = 1/2. {what_k_is}",
    )


def two_families(stated: SimpleNamespace) -> Iterator[Fact]:
    """Theorem 1 away from the origin, and the pair that no constant serves as it closes in on the origin."""
    yield from smooth(SimpleNamespace(constant=stated.constant, bounded_below=stated.bounded_below))
    gap, apart = jump_at_the_origin()
    yield unbounded(
        "yet no constant serves all theta != 0, by the pair t, -t", gap, apart, WEIGHT, sp.Rational(1, 2)
    )


MEAN = "the mean over N samples keeps the bound of one sample, for every N"
PER_CENT_LESS = sp.Rational(99, 100)
SHARPER = (REACH + EPSILON) ** 2 / 4 + EPSILON / THETA_MIN * sigmoid(LARGEST * (REACH + EPSILON))
STATED = {"constant": BOUND, "bounded_below": True}
TWINS = (
    Twin("constant one per cent smaller", {"constant": PER_CENT_LESS * BOUND}),
    Twin("without the term of the attack", {"constant": C_TT}),
    Twin("theta_min squared", {"constant": C_TT + EPSILON * C_TX / THETA_MIN**2}),
    Twin("no lower bound on theta", {"bounded_below": False}),
)

CLAIMS = (
    Claim(
        id="theorem1",
        location="Sec. 3.1, Theorem 1; App. A",
        kind="theorem",
        equations=(16, 34),
        title="L2 loss is (C_tt + epsilon C_tx/theta_min)-smooth",
        statement="For ||delta||_2 <= epsilon and all theta_1, theta_2 with ||theta|| >= theta_min > 0, "
        "||grad L_epsilon(theta_1) - grad L_epsilon(theta_2)|| <= (C_theta_theta + epsilon "
        "C_theta_x/theta_min) ||theta_1 - theta_2||.",
        latex=r"\|\nabla_\theta L_\varepsilon(\theta_1)-\nabla_\theta L_\varepsilon(\theta_2)\|\le"
        r"\left(C_{\theta\theta}+\frac{\varepsilon C_{\theta x}}{\theta_{\min}}\right)\|\theta_1-\theta_2\|",
        assumptions=(
            "Assumption 1 at all the theta in question and all x within epsilon of a data point (not at the "
            "data points alone)",
            "||theta_1||, ||theta_2|| >= theta_min > 0",
            "any number N of samples",
        ),
        stated=STATED,
        check=smooth,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="For the logistic loss of Sec. 3.1 and all theta_1, theta_2 with theta_min <= ||theta|| "
            "<= B, with ||x_n|| <= R, the constant (R + epsilon)^2/4 + sigmoid(B (R + epsilon)) "
            "epsilon/theta_min serves, on this set and each of its subsets, convex or not. It is smaller than "
            "C_theta_theta + epsilon C_theta_x/theta_min with the smallest constants of Assumption 1 for all "
            "||x|| <= R + epsilon, ||theta|| <= B, of which C_theta_theta is (R + epsilon)^2/4; and for B -> "
            "infinity it stays below (R + epsilon)^2/4 + epsilon/theta_min, while C_theta_x grows without "
            "bound (d >= 2, claim beyond.c-theta-x-unbounded).",
            latex=r"\frac{(R+\varepsilon)^2}{4}+\frac{\varepsilon\,\sigma(B(R+\varepsilon))}{\theta_{\min}}",
            stated={"constant": SHARPER},
            check=bends_less,
        ),
        tightness=Tightness(
            pair="d = 1, l(x, theta) = C_tx theta x + C_tt theta^2/2 in place of the logistic loss, theta_1 "
            "= theta_min, theta_2 = -theta_min",
            attained=(
                sp.diff(worst_quadratic(1), WEIGHT).subs(WEIGHT, THETA_MIN)
                - sp.diff(worst_quadratic(-1), WEIGHT).subs(WEIGHT, -THETA_MIN)
            )
            / (2 * THETA_MIN),
            bound=BOUND,
        ),
        twins=(
            *TWINS,
            Twin(
                "sharpened constant one per cent smaller",
                {"constant": PER_CENT_LESS * SHARPER},
                of="sharpest",
            ),
            Twin(
                "sharpened constant with an eighth for a quarter",
                {"constant": SHARPER - (REACH + EPSILON) ** 2 / 8},
                of="sharpest",
            ),
        ),
        cites=("mean value inequality (sharpened constant)",),
        remark="That the set is not convex does no harm: the two terms keep x' fixed, then theta. The "
        "constant is attained by another loss of the linear model; for the logistic loss it is not sharp.",
    ),
    Claim(
        id="theorem1.averaged-norm",
        location="App. A, proof of Theorem 1",
        kind="proof step",
        title="||mean of gradient gaps|| = mean of their norms",
        statement="||(1/N) sum_n (grad l_epsilon(x_n, theta_1) - grad l_epsilon(x_n, theta_2))|| = (1/N) "
        "sum_n ||grad l_epsilon(x_n, theta_1) - grad l_epsilon(x_n, theta_2)||.",
        stated={"relation": "==", "samples": 2},
        check=averaged_norm,
        expected=Verdict.TYPO,
        slip=True,
        sides=(
            sp.E**2 / (1 + sp.E**2) - sp.E / (1 + sp.E),
            sp.sqrt(2) * (sp.E**2 / (1 + sp.E**2) - sp.E / (1 + sp.E)),
        ),
        corrected=Reading(
            statement="The norm of the mean is at most the mean of the norms (triangle inequality), which "
            "is what the proof needs.",
            latex=r"\left\|\frac1N\sum_n g_n\right\|\le\frac1N\sum_n\|g_n\|",
            stated={"relation": "<="},
        ),
        twins=(
            Twin("the reverse inequality", {"relation": ">="}),
            Twin("strict inequality", {"relation": "<"}),
        ),
        remark="For d = 1 the printed equality happens to be right: gradients of convex functions of one "
        "weight all move the same way.",
    ),
    Claim(
        id="theorem1.bounded-set",
        location="Sec. 3.1, Theorem 1, last sentence; App. A",
        kind="reading",
        title="Smooth on a bounded set without theta = 0",
        statement="Thus, the adversarial loss is (C_theta_theta + epsilon C_theta_x/theta_min)-smooth on a "
        "bounded set that does not include theta = 0.",
        assumptions=(
            "read as it stands: of the set it is asked that it be bounded and leave out theta = 0, and "
            "theta_min is some positive number; with ||theta|| >= theta_min carried over from the sentence before "
            "it is Eq. (16) again, and true (claim theorem1)",
            "K = C_theta_theta + epsilon C_theta_x/theta_min: whatever these are, one positive number",
        ),
        stated={"constant": ANY},
        check=on_a_bounded_set,
        expected=Verdict.FALSE,
        group="sets that reach up to theta = 0",
        sides=(1, sp.Rational(1, 2)),
        corrected=Reading(
            statement="It is so on every set, bounded or not, whose distance from theta = 0 is at least "
            "theta_min > 0.",
            latex=r"\inf_{\theta\in\Theta}\|\theta\|\ge\theta_{\min}>0",
            stated=STATED,
            check=smooth,
        ),
        twins=TWINS[:1] + TWINS[3:],
        remark="The paper's next sentence, 'smooth for theta != 0', shows that the lower bound is meant to "
        "follow (claim theorem1.off-the-origin).",
    ),
    Claim(
        id="theorem1.off-the-origin",
        location="Sec. 3.1, sentence after Theorem 1",
        kind="prose",
        title="The L2 adversarial loss is smooth for theta != 0",
        statement="The adversarial loss for the binary linear classification with the L2 constraint is a "
        "smooth function for theta != 0.",
        assumptions=("smooth as in Definition 1: the gradient has one finite Lipschitz constant on the set",),
        stated={"constant": ANY},
        check=off_the_origin,
        expected=Verdict.FALSE,
        group="sets that reach up to theta = 0",
        sides=(1, sp.Rational(1, 2)),
        corrected=Reading(
            statement="It is smooth on ||theta|| >= theta_min for each theta_min > 0, but no constant serves "
            "all theta != 0.",
            latex=r"\forall\theta_{\min}>0:\ C_s=C_{\theta\theta}+\varepsilon C_{\theta x}/\theta_{\min}",
            stated=STATED,
            check=two_families,
        ),
        twins=TWINS[:1] + TWINS[3:],
        remark="In the other sense of the word, derivatives of every order, it is smooth at each theta != 0: "
        "||theta|| is.",
    ),
)
