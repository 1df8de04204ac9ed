"""Lemmas 2 and 3 written out in d coordinates, for `python -m theory show lemma2 --dim 3` and `show lemma3
--dim 3`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.calculus.linear import EPSILON, THETA_MIN
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact

LARGEST = 6  # beyond it a matrix no longer fits a terminal


def lemma2_in_coordinates(d: int) -> Iterator[Fact]:
    """The L2 attack, its Jacobian matrix entry by entry, eigenvalues and spectral norm, and a pair that
    attains Eq. (15).

    Args: d from 1 to 6. Raises ValueError otherwise.
    """
    theta = _weights(d)
    length = sp.sqrt(sum(w**2 for w in theta))
    delta = linear_attack(theta, 1, EPSILON, 2)
    at = (d,)
    yield identity(
        "step 1: the attack has length epsilon",
        sum(entry**2 for entry in delta),
        EPSILON**2,
        dimension=at,
        shows=(
            f"theta = {tuple(theta)},  y = 1",
            *(f"x'_{i + 1} - x_{i + 1} = {e}" for i, e in enumerate(delta)),
        ),
    )
    matrix = delta.jacobian(theta)
    r = sp.Symbol("r", positive=True)  # ||theta||, for the reader's eye
    printed = -(EPSILON / length) * (sp.eye(d) - sp.Matrix(theta) * sp.Matrix(theta).T / length**2)
    shown = (-EPSILON / r**3) * (r**2 * sp.eye(d) - sp.Matrix(theta) * sp.Matrix(theta).T)
    yield identity(
        "step 2: the Jacobian, entry by entry, is Eq. (32)",
        matrix.applyfunc(sp.simplify),
        printed,
        dimension=at,
        shows=("with r = ||theta||, D_theta x' =", *_rows(shown.applyfunc(sp.factor))),
    )
    yield identity(
        "step 3: theta is an eigenvector with eigenvalue 0",
        printed * sp.Matrix(theta),
        sp.zeros(d, 1),
        dimension=at,
        shows=("D_theta x' theta = 0: the attack depends on the direction of theta alone",),
    )
    for j in range(1, d):
        across = sp.zeros(d, 1)
        across[0], across[j] = theta[j], -theta[0]
        yield identity(
            f"step 4.{j}: v = {tuple(across)} has the eigenvalue -epsilon/r",
            printed * across,
            -(EPSILON / length) * across,
            dimension=at,
        )
    yield identity(
        f"step 5: the trace is {-(d - 1)} epsilon/r, so the list of eigenvalues 0, -epsilon/r ({d - 1} "
        "times) is complete",
        printed.trace(),
        -(d - 1) * EPSILON / length,
        dimension=at,
        shows=(f"spectral norm: {'epsilon/r' if d > 1 else '0, for the only eigenvalue is 0'}",),
    )
    yield _attaining_pair(d)


def lemma3_in_coordinates(d: int) -> Iterator[Fact]:
    """The L_infinity attack, its Jacobian off the axes, and the exact distance for every number k of flipped
    signs.

    Args: d from 1 to 6. Raises ValueError otherwise.
    """
    theta = _weights(d)
    at = (d,)
    delta = linear_attack(theta, 1, EPSILON, sp.oo)
    signs = tuple(sp.Symbol(f"s{i + 1}", real=True) for i in range(d))
    yield identity(
        "step 1: each coordinate of the attack is -epsilon times the sign of its weight",
        delta,
        sp.Matrix([-EPSILON * sp.sign(w) for w in theta]),
        dimension=at,
        shows=(
            f"theta = {tuple(theta)},  y = 1",
            *(f"x'_{i + 1} - x_{i + 1} = {e}" for i, e in enumerate(delta)),
        ),
    )
    yield identity(
        "step 2: with the signs held fixed nothing depends on theta, so D_theta x' = 0 where no weight is "
        "zero",
        sp.Matrix([-EPSILON * s for s in signs]).jacobian(theta),
        sp.zeros(d, d),
        dimension=at,
        shows=("D_theta x' =", *_rows(sp.zeros(d, d))),
    )
    ones = [sp.Integer(1)] * d
    for k in range(d + 1):
        flipped = [-w if i < k else w for i, w in enumerate(ones)]
        gap = linear_attack(ones, 1, EPSILON, sp.oo) - linear_attack(flipped, 1, EPSILON, sp.oo)
        yield identity(
            f"step 3.{k}: {k} flipped sign{'s' * (k != 1)} move the attack by 2 epsilon sqrt({k})",
            gap.norm(),
            2 * EPSILON * sp.sqrt(k),
            dimension=at,
            shows=(
                f"theta_1 = {tuple(ones)}, theta_2 = {tuple(flipped)}: x'(theta_1) - x'(theta_2) = "
                f"{tuple(gap)}",
            ),
        )
    corners = {tuple(linear_attack(corner, 1, 1, sp.oo)) for corner in product((1, -1), repeat=d)}
    yield compare(
        f"step 4: the 2^{d} sign patterns reach the {2**d} corners of the cube, one each",
        sp.Integer(len(corners)),
        "==",
        sp.Integer(2) ** d,
        dimension=at,
    )


def _attaining_pair(d: int) -> Fact:
    one = sp.zeros(d, 1)
    one[0] = THETA_MIN
    other = -one
    if d > 1:
        other = sp.zeros(d, 1)
        other[1] = THETA_MIN
    gap = linear_attack(one, 1, EPSILON, 2) - linear_attack(other, 1, EPSILON, 2)
    return identity(
        "step 6: this pair attains the bound of Eq. (15)",
        sp.simplify(gap.norm() / (one - other).norm()),
        EPSILON / THETA_MIN,
        dimension=(d,),
        shows=(
            f"theta_1 = {tuple(one)}, theta_2 = {tuple(other)}: x'(theta_1) - x'(theta_2) = {tuple(gap)}",
        ),
    )


def _weights(d: int) -> list[sp.Symbol]:
    if not 1 <= d <= LARGEST:
        raise ValueError(
            f"d = {d} must lie between 1 and {LARGEST} to be written out; choose another dimension"
        )
    return [sp.Symbol(f"theta{i + 1}", real=True, nonzero=True) for i in range(d)]


def _rows(matrix: sp.Matrix) -> tuple[str, ...]:
    return tuple("[ " + ",  ".join(str(entry) for entry in matrix.row(i)) + " ]" for i in range(matrix.rows))
