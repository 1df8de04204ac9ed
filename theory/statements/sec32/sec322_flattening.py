"""The flattening argument (end of Sec. 3.2.2; Abstract; Sec. 1): does a loss that is flat in x make the
adversarial loss less smooth in theta?"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.conditions import attack_jacobian
from theory.calculus.derivatives import bordered_hessian, hessian, mixed
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements import measured
from theory.statements.beyond.tangent import linear_example
from theory.statements.sec32.branches import CROSS, CURVATURE, SMOOTH, THETA, X, sharp_implies

SUM = SMOOTH + CROSS**2 / CURVATURE
MU, EPSILON = sp.symbols("mu epsilon", positive=True)
SCALE = sp.Symbol("k", positive=True)
PLACE = (
    "Sec. 3.2.2, last paragraph; Abstract ('Moreover, our analysis implies ...'); Sec. 1 ('Our analysis "
    "also implies ...')"
)


def flatten(stated: SimpleNamespace) -> Iterator[Fact]:
    """Scaling l down flattens it and shrinks the constant; with C_theta_theta and C_theta_x held fixed a
    smaller c enlarges it."""
    if not stated.fixed:
        yield _scaled_down(stated.constant)
    small, large = sp.symbols("c_small c_large", positive=True)
    yield implies(
        "with C_theta_theta and C_theta_x fixed, a smaller c gives a larger constant",
        [sp.Lt(small, large)],
        sp.Gt(stated.constant.subs(CURVATURE, small), stated.constant.subs(CURVATURE, large)),
    )
    loss = SMOOTH * THETA**2 / 2 + CROSS * THETA * X - CURVATURE * X**2 / 2
    value = loss.subs(X, sp.solve(sp.diff(loss, X), X)[0])
    yield identity(
        "and it is the exact second derivative of l_eps for l = C_theta_theta theta^2/2 + C_theta_x theta x "
        "- c x^2/2, attack inside",
        sp.diff(value, THETA, 2),
        stated.constant,
    )
    yield identity(
        "scaling l by k scales C_theta_theta, C_theta_x and c, and so the constant",
        stated.constant.subs(
            {SMOOTH: SCALE * SMOOTH, CROSS: SCALE * CROSS, CURVATURE: SCALE * CURVATURE}, simultaneous=True
        ),
        SCALE * stated.constant,
    )


def _scaled_down(constant: sp.Expr) -> Fact:
    """The constant for l = theta x - x^2/2 and for l/2, whose Hessian in x has half the singular value."""
    values = []
    for k in (sp.Rational(1, 2), sp.Integer(1)):
        loss = k * (THETA * X - X**2 / 2)
        numbers = {
            SMOOTH: sp.diff(loss, THETA, 2),
            CROSS: mixed(loss, [X], [THETA])[0],
            CURVATURE: -hessian(loss, [X])[0],
        }
        values.append(constant.subs(numbers))
    return compare(
        "flattening theta x - x^2/2 to its half increases C_theta_theta + C_theta_x^2/c",
        values[0],
        ">",
        values[1],
        point={"loss": "theta x - x^2/2", "flattened": "theta x/2 - x^2/4", "x": 0},
        replay="l = theta x - x^2/2: grad_x^2 l = -1, C_theta_x = 1, c = 1, l_eps = theta^2/2, constant 1. "
        "Its half has grad_x^2 l = -1/2, C_theta_x = 1/2, c = 1/2, l_eps = theta^2/4, constant "
        "(1/4)/(1/2) = 1/2.",
        dimension=(1,),
    )


def flat_on_the_boundary(stated: SimpleNamespace) -> Iterator[Fact]:
    """The linear loss is perfectly flat in x (Hessian 0), and yet c = 1 in Lemma 5."""
    x, theta = sp.symbols("x1:3", real=True), sp.symbols("theta1:3", real=True)
    largest = max(hessian(theta[0] * x[0] + theta[1] * x[1], x).singular_values())
    yield compare(
        "c of Lemma 5 is at most the largest singular value of grad_x^2 l for l = theta.x, theta = (1, 0), "
        "epsilon = 1",
        linear_example(scale=1, epsilon=1)[2],
        "<=",
        largest,
        point={"theta": "(1, 0)", "x": "(0, 0)", "epsilon": 1, "x'": "(1, 0)", "mu": 1},
        replay="grad_x^2 l = 0, while the bordered Hessian is [[0,-1,0],[-1,0,0],[0,0,-1]] with all "
        "singular values 1.",
        dimension=(2,),
    )


def small_curvature(stated: SimpleNamespace) -> Iterator[Fact]:
    """Scaling the loss by k -> 0 flattens it: c of Lemma 4 for k (theta x - x^2/2), c of Lemma 5 for k theta.x."""
    yield identity(
        "inside: for l = k (theta x - x^2/2) the c of Lemma 4, -grad_x^2 l, is the stated one",
        -hessian(SCALE * (THETA * X - X**2 / 2), [X])[0],
        stated.inside,
    )
    x, theta = sp.symbols("x1:3", real=True), sp.symbols("theta1:3", real=True)
    at = {theta[0]: 1, theta[1]: 0, x[0]: 1, x[1]: 0}
    linear = SCALE * (theta[0] * x[0] + theta[1] * x[1])
    yield identity(
        "on the sphere: for l = k theta.x, theta = (1, 0), epsilon = 1 (d = 2; any d >= 2) the bordered "
        "Hessian has the "
        "singular values 1, 1 and the stated one, which for k <= 1 is the c of Lemma 5",
        bordered_hessian(linear, x, [0, 0], SCALE, at=at),
        sp.Matrix([[0, -1, 0], [-1, 0, 0], [0, 0, -stated.boundary]]),
    )
    for where, value in (("inside", stated.inside), ("on the sphere", stated.boundary)):
        yield limit(f"{where} it tends to 0 with k", value, SCALE, 0, 0)


def curvature_of_the_sphere(stated: SimpleNamespace) -> Iterator[Fact]:
    """<tau, H_J tau> = <tau, grad_x^2 l tau> - (mu/epsilon)|tau|^2 on tangent tau: the sphere's
    curvature stays when l is flat; all d."""
    top = sp.Symbol("h", real=True)
    size, quadratic, bent = (
        sp.Symbol("|tau|", positive=True),
        sp.Symbol("<tau,Hl_tau>", real=True),
        sp.Symbol("<tau,HJ_tau>", real=True),
    )
    yield from sharp_implies(
        "T^T H_J T <= -(mu/epsilon - h) I when grad_x^2 l <= h I on the tangent space",
        [sp.Eq(bent * EPSILON, quadratic * EPSILON - MU * size**2), sp.Le(quadratic, top * size**2)],
        bent,
        -(stated.curvature - top) * size**2,
        {MU: 3, EPSILON: 2, top: 1, size: 1, quadratic: 1, bent: -sp.Rational(1, 2)},
    )
    slope = linear_example(scale=1, epsilon=2)[0]
    yield identity(
        "for the flat loss theta.x, |theta| = mu = 1, epsilon = 2, the attack's constant is 1 over it",
        slope * stated.curvature.subs({MU: 1, EPSILON: 2}),
        sp.Integer(1),
    )


def bound_or_truth(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta x_1 - x_1^2/2 - k x_2^2/2: c = min(1, k), so C^2/c = 1/k for k < 1, while grad l_eps =
    theta has the constant 1 for every k."""
    if not stated.exact:
        yield _only_the_bound(stated.before)
    first, second, pairing = (sp.Symbol(n, real=True) for n in ("<u,A1^(-1)u>", "<w,A2_w>", "<u,A2^(-1)u>"))
    yield from sharp_implies(
        "0 < A_2 <= A_1 gives <u, A_2^{-1} u> >= <u, A_1^{-1} u>, u = B v: flattening with B and l_tt fixed "
        "never lowers the exact Hessian",
        [
            sp.Le(second, first),  # <w, A_2 w> <= <w, A_1 w> = <u, w> for w = A_1^{-1} u
            sp.Ge(
                pairing, 2 * first - second
            ),  # <u, A_2^{-1} u> is the maximum over w of 2<u, w> - <w, A_2 w>
        ],
        first * stated.before,
        pairing,
        {first: 2, second: 2, pairing: 2},
        shows=("the Hessian of l_eps is l_tt + B^T |H|^{-1} B; A = |H| = -grad_x^2 l",),
    )


def _only_the_bound(factor: sp.Expr) -> Fact:
    x, theta = sp.symbols("x1:3", real=True), sp.symbols("theta1:2", real=True)
    truth = []
    for k in (sp.Rational(1, 2), sp.Integer(1)):
        loss = theta[0] * x[0] - x[0] ** 2 / 2 - k * x[1] ** 2 / 2
        moved = attack_jacobian(loss, x, theta, case="interior")
        truth.append((mixed(loss, x, theta).T * moved)[0])
    return compare(
        "flattening along x_2 from k = 1 to k = 1/2 increases the Lipschitz constant of grad l_eps",
        truth[0],
        ">",
        factor * truth[1],
        point={"loss": "theta x_1 - x_1^2/2 - k x_2^2/2", "x": "(0, 0)", "k": "1, then 1/2"},
        replay="The attack is (theta, 0) and l_eps = theta^2/2 for every k > 0, constant 1; the bound "
        "C_theta_x^2/c = 1/min(1, k) goes from 1 to 2.",
        dimension=(2,),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="sec322.flatten",
        location=PLACE,
        kind="prose",
        title="'Flattening the loss in x increases C_tt + C_tx^2/c'",
        statement="If we flatten the loss in the input space, the singular values of grad_x^2 l become "
        "small, i.e. c can be small. As a result, C_theta_theta + C_theta_x^2/c increases, and "
        "thus the Lipschitz constant of the gradient of the adversarial loss increases.",
        assumptions=(
            "read as an implication for any way of flattening; the constants C_theta_theta, C_theta_x "
            "belong to the loss and change with it",
        ),
        stated={"constant": SUM, "fixed": False},
        check=flatten,
        expected=Verdict.FALSE,
        group="flattening in x",
        sides=(sp.Rational(1, 2), 1),
        corrected=Reading(
            statement="If C_theta_theta and C_theta_x stay fixed and the attack is inside, a smaller c "
            "gives a larger constant C_theta_theta + C_theta_x^2/c, and for l = C_tt theta^2/2 + "
            "C_tx theta x - c x^2/2 a larger true one. Flattening by a factor k < 1 (l replaced "
            "by k l) multiplies it by k.",
            stated={"fixed": True},
        ),
        twins=(
            Twin("C_theta_x not held fixed", {"fixed": False}),
            Twin("one per cent smaller", {"constant": sp.Rational(99, 100) * SUM}),
            Twin("c in the numerator", {"constant": SMOOTH + CROSS**2 * CURVATURE}),
        ),
        remark="The Abstract repeats it as 'if we flatten the loss function with respect to input data, the "
        "Lipschitz constant of the gradient of adversarial loss tends to increase', Sec. 1 as 'the "
        "Lipschitz constant of gradient with respect to parameters can increase'. 'Can' is right, in "
        "the corrected form; Sec. 3.2.2 leaves both hedges out.",
    ),
    Claim(
        id="sec322.flatten-boundary",
        location=PLACE,
        kind="reading",
        title="'Small singular values of grad_x^2 l make c small' (Lemma 5)",
        statement="If the singular values of grad_x^2 l become small, so does the c of Lemma 5.",
        assumptions=(
            "the argument is made for Lemmas 4 and 5 alike; here Lemma 5",
            "read as an implication; the paper says 'Intuitively' and 'c can be a small value', which is true (claim "
            "sec322.flatten-can)",
        ),
        stated={"curvature": MU / EPSILON},
        check=flat_on_the_boundary,
        expected=Verdict.FALSE,
        group="flattening in x",
        sides=(1, 0),
        corrected=Reading(
            statement="On the sphere the tangent Hessian of J is T^T grad_x^2 l T - (mu/epsilon) I: a flat "
            "loss leaves c_T = mu/epsilon, the curvature of the sphere times the size of the "
            "gradient, as the linear loss shows (constant epsilon/||theta||, Lemma 2). For a flat "
            "loss only a small gradient (or a large epsilon) makes c_T small.",
            latex=r"T^TH_JT=T^T\nabla_x^2\ell\,T-\tfrac{\mu}{\varepsilon}I",
            check=curvature_of_the_sphere,
        ),
        twins=(
            Twin("curvature one per cent larger", {"curvature": sp.Rational(101, 100) * MU / EPSILON}),
            Twin("curvature one per cent smaller", {"curvature": sp.Rational(99, 100) * MU / EPSILON}),
            Twin("epsilon squared", {"curvature": MU / EPSILON**2}),
        ),
    ),
    Claim(
        id="sec322.flatten-can",
        location="Sec. 3.2.2, last paragraph",
        kind="prose",
        title="Flattening the loss in x can make c small",
        statement="If we flatten the loss function in the input space, the singular values of the Hessian matrix "
        "grad_x^2 l become small: i.e., c can be a small value.",
        assumptions=(
            "read as existence: some ways of flattening make the c of Lemma 4, and that of Lemma 5, as small as one "
            "likes; here l is scaled down",
        ),
        stated={"inside": SCALE, "boundary": SCALE},
        check=small_curvature,
        expected=Verdict.TRUE,
        twins=(
            Twin("c does not follow, inside", {"inside": sp.Integer(1)}),
            Twin("c does not follow, on the sphere", {"boundary": sp.Integer(1)}),
            Twin("c falls twice as fast", {"inside": SCALE / 2}),
        ),
        remark="Scaled down, C_theta_x falls with c, and C_theta_x^2/c too: sec322.flatten. That c must follow the "
        "singular values is false on the sphere: sec322.flatten-boundary.",
    ),
    Claim(
        id="sec322.flatten-bound",
        location=PLACE,
        kind="prose",
        title="'... and thus the Lipschitz constant itself increases'",
        statement="C_theta_theta + C_theta_x^2/c increases, and thus the Lipschitz constant of the gradient "
        "of the adversarial loss increases.",
        assumptions=(
            "C_theta_theta and C_theta_x fixed, attack inside; the step from an upper bound to the constant "
            "itself",
        ),
        stated={"before": sp.Integer(1), "exact": False},
        check=bound_or_truth,
        expected=Verdict.FALSE,
        group="flattening in x",
        sides=(1, 1),
        corrected=Reading(
            statement="The exact Hessian l_tt + B^T |grad_x^2 l|^{-1} B never decreases when |grad_x^2 l| "
            "decreases with B and l_tt fixed; it increases only if |grad_x^2 l|^{-1} grows on the "
            "range of B.",
            latex=r"0\prec A_2\preceq A_1\Rightarrow B^TA_2^{-1}B\succeq B^TA_1^{-1}B",
            stated={"exact": True},
        ),
        twins=(
            Twin("the bound's growth taken for the constant's", {"exact": False}),
            Twin("growth by one per cent at least", {"before": sp.Rational(101, 100)}),
        ),
    ),
    Claim(
        id="sec322.difficulty",
        location="Sec. 3.2.2, end; Sec. 1 ('this result might explain ...')",
        kind="prose",
        title="Large constants can explain why training is harder",
        statement="Since large Lipschitz constants decrease the convergence and stability of training, this "
        "relationship can explain why adversarial training is more difficult than standard "
        "training even if the adversarial loss is smooth.",
        empirical=True,
        expected=Verdict.EMPIRICAL,
        remark="The relationship itself holds only in the corrected form of sec322.flatten. "
        + measured.FLATTENING,
    ),
)
