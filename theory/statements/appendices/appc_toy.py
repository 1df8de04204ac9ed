"""App. C: the toy data set of Figs. 4 and 5, its optimal theta_2, and the optimal points of -F against those
of L.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.ledger.quoted import agrees
from theory.statements.sec5.sec51_continuity import REST, SIGMOID, T, jump, l2_ray, linf_ray

EPSILON, GAMMA = sp.symbols("epsilon gamma", positive=True)
RADIUS = sp.Rational(3, 5)
# y x for the three points (-4/25, -3/25; y = -1), (4/5, 3/5; y = 1), (4/5, 3/5; y = 1); each y is sign(x_1).
POINTS = (
    (sp.Rational(4, 25), sp.Rational(3, 25)),
    (sp.Rational(4, 5), sp.Rational(3, 5)),
    (sp.Rational(4, 5), sp.Rational(3, 5)),
)


def l2_loss(one: sp.Expr, two: sp.Expr, length: sp.Expr) -> sp.Expr:
    """The L2 adversarial loss of the three points at theta = (one, two), `length` its norm."""
    return sum(
        (sp.log(1 + sp.exp(-one * a - two * b + RADIUS * length)) for a, b in POINTS), sp.Integer(0)
    ) / len(POINTS)


def optimum(stated: SimpleNamespace) -> Iterator[Fact]:
    """theta* = (2 log 2, (3/2) log 2) is stationary and the loss strictly convex there; its second entry
    against the stated one.
    """
    one, two = sp.symbols("theta_1 theta_2", positive=True)
    loss = l2_loss(one, two, sp.sqrt(one**2 + two**2))
    point = {one: 2 * sp.log(2), two: sp.Rational(3, 2) * sp.log(2)}
    yield compare(
        "every label is sign(x_1): y x_1 > 0", min(a for a, _ in POINTS), ">", sp.Integer(0), dimension=(2,)
    )
    for variable in (one, two):
        slope = sp.simplify(sp.diff(loss, variable).subs(point))
        yield compare(
            f"the derivative in {variable} vanishes at theta*", slope, "==", sp.Integer(0), dimension=(2,)
        )
    hessian = sp.hessian(loss, (one, two)).subs(point)
    yield compare(
        "the trace of the Hessian there is > 0", hessian.trace(), ">", sp.Integer(0), dimension=(2,)
    )
    yield compare("and so is its determinant", sp.simplify(hessian.det()), ">", sp.Integer(0), dimension=(2,))
    yield compare(
        "theta_2* of the adversarial loss is the stated value",
        point[two],
        "==",
        stated.theta_2,
        point={
            "y x": "(4/25, 3/25), (4/5, 3/5), (4/5, 3/5)",
            "epsilon": RADIUS,
            "theta*": "(2 log 2, (3/2) log 2)",
        },
        replay="Along w = (4/5, 3/5) the exponents are (3/5 - 1/5) s = 2s/5 and (3/5 - 1) s = -2s/5 "
        "(twice); at s = (5/2) log 2 the sigmoids are 2/3, 1/3, 1/3, so the slope is (2/5)(2/3 - "
        "1/3 - 1/3)/3 = 0. All points lie on the line along w, so the slope across w vanishes too, "
        "and the loss is convex.",
        dimension=(2,),
    )


def mirrored(stated: SimpleNamespace) -> Iterator[Fact]:
    """A data set symmetric in x_2: the loss is even in theta_2, so by convexity nothing beats theta_2 = 0."""
    one, two, a, b = sp.symbols("theta_1 theta_2 x_1 x_2", real=True)
    reach = sp.Symbol("epsilon||theta||_q", positive=True)  # either norm is even in theta_2
    pair = [1 + sp.exp(-one * a - two * sign * b + reach) for sign in (1, stated.mirror)]
    joint = sp.expand(pair[0] * pair[1])  # the two losses add up to its logarithm
    yield identity(
        "a point and its mirror image have a joint loss even in theta_2", joint, joint.subs(two, -two)
    )
    plus, minus, middle = sp.symbols("L_plus L_minus L_0", real=True)
    yield implies(
        "an even convex function of theta_2 is least at 0",
        [sp.Le(2 * middle, plus + minus), sp.Eq(plus, minus)],
        sp.Le(middle, plus),
    )
    rest = sp.Symbol("theta_1", real=True, nonzero=True)
    slope = sp.diff(sp.log(1 + sp.exp(-rest * a - two * b + EPSILON * sp.sqrt(rest**2 + two**2))), two)
    yield identity(
        "L2, theta_1 != 0: each point has the slope -sigmoid(c) y x_2 in theta_2 at theta_2 = 0, without a "
        "kink, so the mean of these is 0 where theta_2 = 0 is optimal",
        slope.subs(two, 0),
        -b * SIGMOID.subs(REST, -rest * a + EPSILON * sp.Abs(rest)),
    )
    first, second = sp.symbols("sigma_1 sigma_2", real=True)
    (_, low), (_, high), _ = POINTS
    yield implies(
        "the three points for which L2 gives theta_2* = (3/2) log 2 have theta_2* = 0 under L-infinity",
        [sp.Gt(first, 0), sp.Gt(second, 0)],
        sp.Le(low * first + 2 * high * second, RADIUS * (first + 2 * second)),
        dimension=(2,),
    ).as_example()


def linf_absorbs(stated: SimpleNamespace) -> Iterator[Fact]:
    """At theta_2 = 0 the slopes to both sides are -g + eps m and -g - eps m, g and m the sigmoid means of z_2
    and of 1.
    """
    g, radius = sp.symbols("g epsilon", real=True)
    m = sp.Symbol("m", real=True)
    condition = sp.And(sp.Le(g, stated.factor * radius * m), sp.Ge(g, -stated.factor * radius * m))
    stationary = sp.And(sp.Ge(-g + radius * m, 0), sp.Le(-g - radius * m, 0))
    given = [sp.Gt(m, 0), sp.Gt(radius, 0)]
    yield implies(
        "|g| <= epsilon m makes theta_2 = 0 optimal for that theta_1", [*given, condition], stationary
    )
    yield implies("and only then", [*given, stationary], condition)
    two, z, c = sp.symbols("theta_2 z_2 c", real=True)
    for side in (1, -1):
        slope = sp.diff(sp.log(1 + sp.exp(c - two * z + side * EPSILON * two)), two).subs(two, 0)
        yield identity(
            f"each point gives the slope sigmoid(c)(-z_2 {'+' if side > 0 else '-'} epsilon) there",
            slope,
            (-z + side * EPSILON) / (1 + sp.exp(-c)),
        )


def kink(stated: SimpleNamespace) -> Iterator[Fact]:
    """At the optimum theta_2 = 0 the L-infinity gradient jumps by 2 epsilon m, and a fixed step eta keeps
    overshooting.
    """
    two, c = sp.symbols("theta_2 c", real=True)
    sides = [sp.log(1 + sp.exp(c + side * EPSILON * two)) for side in (1, -1)]
    right, left = (sp.diff(part, two).subs(two, 0) for part in sides)
    yield identity(
        "a point with x_2 = 0 gives the jump 2 epsilon sigmoid(c)",
        right - left,
        stated.jump / (1 + sp.exp(-c)),
    )
    yield limit(
        "so the ratio of gradient gap to distance at theta_2 = +t and -t is unbounded",
        stated.jump / (2 * T),
        T,
        0,
        sp.oo,
    )
    eta, slope = sp.symbols("eta m", positive=True)
    start = eta * EPSILON * slope / 2
    after = start - eta * EPSILON * slope
    yield identity(
        "from eta epsilon m/2 a gradient step on epsilon m |theta_2| lands on the mirror image", after, -start
    )


def sloped_mean(stated: SimpleNamespace) -> Iterator[Fact]:
    """-F'(0) = -gamma E[theta'] for L = a theta (theta > 0), b |theta| (theta < 0), gamma = 1, by Gaussian
    integrals.
    """
    t, a = sp.symbols("t a", positive=True)
    mass = sp.sqrt(sp.pi / 2) * sp.exp(a**2 / 2) * sp.erfc(a / sp.sqrt(2))
    # Differentiating under the integral sign: -J'(a) is the first moment.
    moment = 1 - a * mass
    yield identity(
        "J(a) = int_0^oo e^(-at - t^2/2) dt has J' = a J - 1, so int t e^(-at - t^2/2) dt = 1 - a J",
        sp.diff(mass, a),
        -moment,
    )
    yield compare("J(0) = sqrt(pi/2), half a Gaussian", mass.subs(a, 0), "==", sp.sqrt(sp.pi / 2))
    yield identity(
        "the integrand falls with a: its derivative is -t^2 e^(-at - t^2/2)",
        sp.diff(t * sp.exp(-a * t - t**2 / 2), a),
        -(t**2) * sp.exp(-a * t - t**2 / 2),
    )
    right, left = stated.right, stated.left
    mean = (moment.subs(a, right) - moment.subs(a, left)) / (mass.subs(a, right) + mass.subs(a, left))
    yield compare(
        "the minimiser 0 of L is stationary for -F",
        -mean,
        "==",
        sp.Integer(0),
        point={
            "L": f"{right * sp.Symbol('theta')} for theta > 0, {left} |theta| for theta < 0",
            "gamma": 1,
            "theta": 0,
        },
        replay="p_0 is e^(-t - t^2/2) to the right of 0 and e^(-2t - t^2/2) to the left: more mass to the "
        "right at every distance t, so E[theta'] > 0 and the slope -F'(0) = -E[theta'] = "
        "-0.1736... is negative.",
        dimension=(1,),
    )


def symmetric_mean(stated: SimpleNamespace) -> Iterator[Fact]:
    """The same slopes on both sides; and any L(theta* + v) = L(theta* - v): p is even about theta*, so
    E[theta'] = theta*.
    """
    yield from (fact.as_example() for fact in sloped_mean(stated))
    v, w, even = sp.Symbol("v_i", real=True), sp.Symbol("v_j", real=True), sp.Function("M")
    # A function of v that does not change with v -> -v is one of the products of the coordinates.
    weight = sp.exp(-even(v**2, v * w, w**2) - GAMMA / 2 * (v**2 + w**2))
    mirrored_point = {v: stated.mirror * v, w: stated.mirror * w}
    yield identity(
        "v_i p(theta* + v) changes its sign with v -> -v, for every coordinate i (all coordinates change at once), so "
        "its integral is 0: E[theta'] = theta*",
        (v * weight).subs(mirrored_point, simultaneous=True),
        -v * weight,
        shows=("M stands for L, a function of the products v_i v_j", "p = exp(-M - (gamma/2)|v|^2)/e^F"),
    )
    curvature, variance = sp.symbols("f'' variance", real=True)
    yield implies(
        "and -F is convex, so the stationary point is a minimum",
        [sp.Le(GAMMA * variance, 1), sp.Ge(variance, 0), sp.Eq(curvature, GAMMA - GAMMA**2 * variance)],
        sp.Ge(curvature, 0),
    )


def indices(stated: SimpleNamespace) -> Iterator[Fact]:
    """The indices in the two formulas of App. C's text against those of the sums they stand in."""
    yield agrees(
        "the perturbation of point x_n is delta_n",
        stated.perturbation,
        "n",
        where="App. C: x_{n,2} + delta_{i,2}",
        replay="The sentence speaks of the second feature of example n; its perturbation is delta_{n,2}.",
    )
    yield agrees(
        "one theta for all points", stated.parameter, "theta", where="App. C: l(x_i + delta, theta_i, y)"
    )
    yield agrees("the label of point i", stated.label, "y_i", where="App. C: l(x_i + delta, theta_i, y)")


def caption(stated: SimpleNamespace) -> Iterator[Fact]:
    """Fig. 4's caption: the clean Hessian is bounded; the average jumps at theta = 0 and theta_i = 0 do not
    cancel.
    """
    space = Space("v", "x")
    v, x = space.vectors()
    t, c, w = sp.symbols("t c w", real=True)
    loss = sp.log(1 + sp.exp(c - t * space.inner(v, x)))
    curvature = sp.diff(loss, t, 2).subs(t, 0)
    share = (w / (1 + w) ** 2).subs(w, sp.exp(c))
    yield identity(
        "clean: v^T H v = w/(1 + w)^2 <v, x>^2, w = e^c", curvature, share * space.product("v", "x") ** 2
    )
    yield implies(
        "and w/(1 + w)^2 is at most the stated share", [sp.Gt(w, 0)], sp.Le(w / (1 + w) ** 2, stated.clean)
    )
    yield compare("which is its value at theta = 0", share.subs(c, 0), "==", stated.clean)
    yield identity("L2: every point adds the same jump at theta = 0", jump(l2_ray), stated.jump)
    yield identity(
        "L-infinity: at theta_i = 0 each adds twice that times its sigmoid",
        jump(linf_ray),
        2 * stated.jump * SIGMOID,
    )
    one, two = sp.symbols("sigma_1 sigma_2", real=True)
    yield implies(
        "sigmoids are positive, so jumps add up", [sp.Gt(one, 0), sp.Gt(two, 0)], sp.Gt(one + two, 0)
    )


MASS_1 = sp.sqrt(sp.pi / 2) * sp.exp(sp.Rational(1, 2)) * sp.erfc(1 / sp.sqrt(2))
MASS_2 = sp.sqrt(sp.pi / 2) * sp.exp(2) * sp.erfc(sp.sqrt(2))

CLAIMS = (
    Claim(
        id="appc.fig4-caption",
        location="App. C, caption of Fig. 4",
        kind="prose",
        title="Where the gradients of the three losses of Fig. 4 break",
        statement="The clean loss has a Lipschitz continuous gradient; the gradient of the adversarial "
        "loss is not smooth at theta = 0 (L2) and at theta_i = 0 (L-infinity).",
        latex=r"\|\nabla^2L\|\le\tfrac14\,\mathrm{mean}\|x_n\|^2",
        assumptions=("linear logistic model, N points in any dimension",),
        stated={"clean": sp.Rational(1, 4), "jump": EPSILON},
        check=caption,
        expected=Verdict.TRUE,
        twins=(
            Twin("clean constant one per cent smaller", {"clean": sp.Rational(99, 400)}),
            Twin("clean constant 1", {"clean": sp.Integer(1)}),
            Twin("no jump", {"jump": sp.Integer(0)}),
        ),
    ),
    Claim(
        id="appc.theta2-zero",
        location="App. C, first paragraph",
        kind="prose",
        title="With y = sign(x_1) the optimal theta_2 is 0",
        statement="In Fig. 4 the label is y_n = sign(x_{n,1}), and thus the optimal theta_2* for "
        "adversarial loss is 0, since the second feature only degrades the classification "
        "performance.",
        latex=r"\theta_2^*=0",
        assumptions=("a finite data set, as in the figure (N = 100)", "L2 constraint"),
        stated={"theta_2": sp.Integer(0)},
        check=optimum,
        expected=Verdict.FALSE,
        sides=(sp.Rational(3, 2) * sp.log(2), 0),
        corrected=Reading(
            statement="theta_2 = 0 is optimal (for either constraint) if the data are symmetric in x_2, "
            "as the population of Fig. 4 is. For a finite sample, L2 and theta_1* != 0 it is optimal only "
            "if mean sigmoid_n y_n x_{n,2} vanishes exactly.",
            latex=r"L(\theta_1,\theta_2)=L(\theta_1,-\theta_2)\Rightarrow L(\theta_1,0)\le "
            r"L(\theta_1,\theta_2)",
            stated={"mirror": sp.Integer(-1)},
            check=mirrored,
        ),
        twins=(
            Twin("mirror image one per cent off", {"mirror": sp.Rational(-101, 100)}),
            Twin("no mirror image", {"mirror": sp.Integer(1)}),
        ),
        remark="The L2 penalty epsilon ||theta|| has no slope in theta_2 at theta_2 = 0, theta_1 != 0, so "
        "it cannot absorb a sample mean.",
    ),
    Claim(
        id="appc.linf-theta2",
        location="App. C, first paragraph",
        kind="beyond",
        title="When the L-infinity optimum has theta_2 = 0 exactly",
        statement="For a given theta_1 the L-infinity loss is least at theta_2 = 0 if and only if |mean "
        "sigma_n y_n x_{n,2}| <= epsilon mean sigma_n, with sigma_n the sigmoid of the attacked "
        "exponent at theta_2 = 0.",
        latex=r"|\overline{\sigma_ny_nx_{n,2}}|\le\varepsilon\,\overline{\sigma_n}",
        assumptions=("linear logistic model; the loss is convex, so one-sided slopes decide",),
        stated={"factor": sp.Integer(1)},
        check=linf_absorbs,
        expected=Verdict.TRUE,
        twins=(
            Twin("epsilon one per cent larger", {"factor": sp.Rational(101, 100)}),
            Twin("epsilon one per cent smaller", {"factor": sp.Rational(99, 100)}),
        ),
        remark="The kink absorbs sampling noise of size epsilon, so under L-infinity the sentence of App. "
        "C is true for Fig. 4's sample with overwhelming probability; in particular whenever all "
        "|x_{n,2}| <= epsilon.",
    ),
    Claim(
        id="appc.kink-at-optimum",
        location="App. C, first paragraph",
        kind="prose",
        title="L-infinity training suffers from the kink at its optimum",
        statement="In this case adversarial training with L-infinity constraints can suffer from the "
        "non-smoothness of the loss because the Lipschitz condition does not hold.",
        latex=r"\partial_2\ell_\varepsilon(\theta_1,0^+)-\partial_2\ell_\varepsilon(\theta_1,0^-)=2\varepsilon\,\sigma(c)",
        assumptions=("theta_2* = 0", "gradient descent with a fixed step"),
        stated={"jump": 2 * EPSILON},
        check=kink,
        expected=Verdict.TRUE,
        twins=(
            Twin("jump one per cent larger", {"jump": sp.Rational(202, 100) * EPSILON}),
            Twin("no jump", {"jump": sp.Integer(0)}),
            Twin("jump of the other sign", {"jump": -2 * EPSILON}),
        ),
    ),
    Claim(
        id="appc.optimal-points",
        location="App. C, first paragraph",
        kind="prose",
        title="-F has the same optimal points as L",
        statement="Note that the optimal points of -F(theta) are the same as those of the original loss "
        "functions L(theta).",
        latex=r"\arg\min(-F)=\arg\min L",
        assumptions=("L >= 0 convex", "beta = 1"),
        stated={"right": sp.Integer(1), "left": sp.Integer(2)},
        check=sloped_mean,
        expected=Verdict.FALSE,
        sides=(-(2 * MASS_2 - MASS_1) / (MASS_1 + MASS_2), 0),
        corrected=Reading(
            statement="If L is convex and symmetric about a minimiser theta*, theta* minimises -F as well. "
            "Otherwise smoothing can move the minimum, here towards the flatter side.",
            latex=r"L(\theta^*+v)=L(\theta^*-v)\Rightarrow\nabla F(\theta^*)=0",
            stated={"right": sp.Integer(1), "left": sp.Integer(1), "mirror": sp.Integer(-1)},
            check=symmetric_mean,
        ),
        cites=("Prékopa (1973): -F is convex when L is", "Brascamp and Lieb (1976)"),
        twins=(
            Twin("one slope one per cent steeper", {"left": sp.Rational(101, 100)}),
            Twin("one slope twice as steep", {"right": sp.Integer(2)}),
        ),
        remark="The adversarial loss of one point z = y x at d = 1 with 0 < z < epsilon is minimal at 0 "
        "and flatter to the right, so -F'(0) < 0 there as well.",
    ),
    Claim(
        id="appc.indices",
        location="App. C, first paragraph",
        kind="prose",
        title="Indices in x_{n,2} + delta_{i,2}, l(x_i + delta, theta_i, y)",
        statement="The second feature of an adversarial example is x_{n,2} + delta_{i,2}; L(theta) = 1/N "
        "sum_i l(x_i + delta, theta_i, y).",
        stated={"perturbation": "i", "parameter": "theta_i", "label": "y"},
        check=indices,
        slip=True,
        expected=Verdict.TYPO,
        sides=(sp.Symbol("i"), sp.Symbol("n")),
        corrected=Reading(
            statement="x_{n,2} + delta_{n,2}; L(theta) = 1/N sum_i l(x_i + delta_i, y_i, theta).",
            latex=r"L(\theta)=\frac1N\sum_i\ell(x_i+\delta_i,y_i,\theta)",
            stated={"perturbation": "n", "parameter": "theta", "label": "y_i"},
        ),
        twins=(
            Twin("a parameter for each point", {"parameter": "theta_i"}),
            Twin("one label for all points", {"label": "y"}),
        ),
    ),
)
