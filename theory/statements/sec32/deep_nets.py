"""Lemmas 4 and 5 "are not limited to shallow networks" (Sec. 5.1): deep smooth nets that attain Lemma 4's constant, and
the deep nets of which Lemma 4 says nothing, ReLU nets and nets whose first layer has a kernel."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Twin
from theory.statements import measured

X = sp.Symbol("x", positive=True)
# What k layers u -> u^2 make of x is x^n with n = 2^k.
DEPTH = sp.Symbol("n", positive=True)
THETA = sp.Symbol("theta", positive=True)
EXAMPLE = -((X**DEPTH - THETA) ** 2)


def deep_example(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = -(x^n - theta)^2: k layers u -> u^2 with n = 2^k, then a loss; the attack theta^(1/n) is inside."""
    attack = {THETA: X**DEPTH}
    gradient = sp.diff(EXAMPLE, X)
    shown = ("n = 2^k for k layers u -> u^2 of weight 1; theta is the bias of the last layer",)
    yield identity(
        "grad_x l vanishes at x* = theta^(1/n), whatever the depth",
        sp.simplify(gradient.subs(attack)),
        sp.Integer(0),
        shows=shown,
    )
    curvature = sp.simplify(sp.diff(EXAMPLE, X, 2).subs(attack))
    cross = sp.simplify(sp.diff(gradient, THETA).subs(attack))
    yield identity("there grad_x^2 l, negative for every x* > 0, is", curvature, stated.curvature)
    yield identity("C_theta_x / c at the attack is the stated constant", cross / -curvature, stated.constant)
    speed = sp.diff(THETA ** (1 / DEPTH), THETA).subs(attack)
    yield identity(
        "and the attack moves exactly so fast: Lemma 4 is attained at every depth",
        sp.powsimp(sp.simplify(speed), force=True),
        stated.constant,
        shows=("in d coordinates, the sum of one such loss each has a diagonal Hessian with these entries",),
    )


def convex_output(stated: SimpleNamespace) -> Iterator[Fact]:
    """Where the net is affine, its outputs along x + t v are a + t b, b = J v: <v, H v> = <b, C b>, C = grad^2 L."""
    t = sp.Symbol("t", real=True)
    a, b, u, w = (sp.Matrix(sp.symbols(f"{name}1 {name}2", real=True)) for name in "abuw")
    c11, c12, c22 = sp.symbols("c11 c12 c22", real=True)
    curved = sp.Matrix([[c11, c12], [c12, c22]])
    outer = (u.T * curved * u)[0] / 2 + (w.T * u)[0]
    moved = outer.subs(dict(zip(u, a + t * b, strict=True)), simultaneous=True)
    yield identity(
        "the loss along x + t v bends by <b, C b>, here for two outputs with C = grad^2 L at hand",
        sp.expand(sp.diff(moved, t, 2)),
        sp.expand((b.T * curved * b)[0]),
    )
    top, bend = (sp.Symbol(name, real=True) for name in ("lambda_max", "<b,Cb>"))
    size = sp.Symbol("|v|^2", positive=True)
    convex = [sp.Ge(bend, 0)] if stated.convex else []
    yield implies(
        "an eigenvector v of H = J^T C J for lambda_max has lambda_max |v|^2 = <b, C b>, so lambda_max >= 0",
        [*convex, sp.Eq(top * size, bend)],
        sp.Gt(top, 0) if stated.strict else sp.Ge(top, 0),
        method="Rayleigh quotient on named scalars, z3",
    )
    yield from cross_entropy_is_convex()


def cross_entropy_is_convex() -> Iterator[Fact]:
    """grad^2 of the cross-entropy in the logits is diag(p) - p p^T: <b, C b> = E b^2 - (E b)^2 under p."""
    square, first = sp.Symbol("E b^2", real=True), sp.Symbol("E b", real=True)
    yield implies(
        "the cross-entropy of any number of classes is convex in the logits: a variance is >= 0",
        [sp.Le(first**2, square)],
        sp.Ge(square - first**2, 0),
        method="Cauchy-Schwarz under p, z3",
        shows=("E b = sum_k p_k b_k and E b^2 = sum_k p_k b_k^2, so (E b)^2 <= E b^2 (Cauchy-Schwarz)",),
    )


def kernel(stated: SimpleNamespace) -> Iterator[Fact]:
    """A loss of W x is constant along the kernel of W, whose Rayleigh quotient is 0; all d."""
    top, size = sp.Symbol("lambda_max", real=True), sp.Symbol("|w|^2", positive=True)
    quotient = sp.Symbol("<w,Hw>", real=True)
    along = [sp.Eq(quotient, 0)] if stated.kernel else []
    yield implies(
        "H = W^T M W and W w = 0 give <w, H w> = 0 <= lambda_max |w|^2",
        [*along, sp.Le(quotient, top * size)],
        sp.Gt(top, 0) if stated.strict else sp.Ge(top, 0),
        method="Rayleigh quotient on named scalars, z3",
    )


CLAIMS = (
    Claim(
        id="sec51.not-shallow",
        location="Sec. 5.1, end of the paragraph on the swish model",
        kind="prose",
        title="Lemmas 4 and 5 are not limited to shallow networks",
        statement="Though we use a one-layer simple network to visualize the loss surface, Lemmas 4 and 5 are "
        "not limited to shallow networks and binary classification problems.",
        assumptions=(
            "read as: neither lemma asks anything about depth or labels, and nets of every depth meet the "
            "hypotheses of Lemma 4",
            "layers u -> u^2 with x > 0, so that the loss is smooth",
        ),
        stated={
            "curvature": -2 * DEPTH**2 * X ** (2 * DEPTH - 2),
            "constant": X ** (1 - DEPTH) / DEPTH,
        },
        check=deep_example,
        expected=Verdict.TRUE,
        twins=(
            Twin("the curvature of one layer", {"curvature": sp.Integer(-2)}),
            Twin("a constant that depth does not change", {"constant": X ** (1 - DEPTH)}),
        ),
        remark="What the lemmas ask is another matter: see beyond.relu-nets and beyond.first-layer for nets that "
        "can not meet Lemma 4, and beyond.active-set for corners of the L-infinity ball, which neither lemma "
        "speaks of and where the attack does not move. " + measured.POSITIONS,
    ),
    Claim(
        id="beyond.relu-nets",
        location="beyond Lemma 4",
        kind="beyond",
        title="No attack on a ReLU net with a convex output loss satisfies Lemma 4",
        statement="Where a net is affine in x, as a ReLU, leaky ReLU or max-pooling net is between its kinks, and "
        "the loss is convex in its outputs, as the cross-entropy is, lambda_max(grad_x^2 l) >= 0: no c > 0 of Lemma "
        "4 exists.",
        latex=r"\nabla_x^2\ell=J^T\nabla^2L\,J\succeq0",
        assumptions=(
            "the net is affine near x; at its kinks grad_x l is not C^1, so that the lemma does not apply there either",
            "L is convex and twice differentiable in the outputs",
        ),
        cites=("Cauchy-Schwarz inequality",),
        stated={"convex": True, "strict": False},
        check=convex_output,
        expected=Verdict.TRUE,
        twins=(
            Twin("a loss that need not be convex", {"convex": False}),
            Twin("strictly positive", {"strict": True}),
        ),
    ),
    Claim(
        id="beyond.first-layer",
        location="beyond Lemma 4",
        kind="beyond",
        title="A first layer of rank below d leaves Lemma 4 without an attack",
        statement="If the loss depends on x only through W x with rank W < d, then lambda_max(grad_x^2 l) >= 0 "
        "everywhere: no attack satisfies Lemma 4.",
        latex=r"Ww=0\ \Rightarrow\ \langle w,\nabla_x^2\ell\,w\rangle=0",
        assumptions=("l is twice differentiable in x", "rank W < d: some w != 0 has W w = 0"),
        stated={"kernel": True, "strict": False},
        check=kernel,
        expected=Verdict.TRUE,
        twins=(
            Twin("a first layer of full rank", {"kernel": False}),
            Twin("strictly positive", {"strict": True}),
        ),
        remark="The swish model of Fig. 2(f) has rank 1 (fig2f.lemma4). Lemma 5 survives: on the sphere the "
        "multiplier bends the Lagrangian down by mu/epsilon also along the kernel.",
    ),
)
