"""Serves the probe: the second order at an attack, which decides how fast it moves with the weights, and the constants
that Lemmas 4 and 5 bound this speed by.

With P the projection onto the tangent space of the attack's face, kappa = mu / epsilon the pull of an active L2 ball
and A = P (grad_x^2 l - kappa) P, the implicit function theorem gives D_theta x' = -A^+ P B, B = grad_theta grad_x l.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from training.studies.probe.loss import Expansion, Losses
from training.studies.probe.region import Face
from training.studies.probe.search import curvature, solve_tangent

DENSE = 256  # coordinates up to which matrices are made whole: exact, and quicker there than Lanczos' method
MEMORY = 1e9  # bytes a whole B may take
DEGENERATE = (
    1e-9  # c below this share of the largest curvature is none: the attack's speed is then not defined
)
SOLVED = 1e-12  # relative residual of A z = b in the routes without matrices
LANCZOS = 1e-9  # relative, of eigenvalues there
NOTHING = float("nan")


@dataclass(frozen=True)
class SecondOrder:
    """At one attack; what does not exist is nan.

    top       : the largest eigenvalue of grad_x^2 l
    c         : -lambda_max of A, positive at a nondegenerate maximum; nan at a corner, where nothing can move
    c_paper   : the c of Lemma 4 for an attack inside, -lambda_max(grad_x^2 l); that of Lemma 5 on the L2 sphere, the
                least singular value of the bordered Hessian of Eq. (22) in the free coordinates; else there is none
    cross     : sigma_1(B), C_theta_x at this point
    cross_tangent : sigma_1(P B)
    speed     : sigma_1(D_theta x'), the attack's local Lipschitz constant
    regular   : whether A is negative definite, so that the attack is a nondegenerate maximum; True at a corner

    cross, cross_tangent and speed are nan where B was not asked for.
    """

    top: float
    c: float
    c_paper: float
    cross: float
    cross_tangent: float
    speed: float
    regular: bool

    @property
    def paper(self) -> float:
        """The paper's bound on the speed, C_theta_x / c."""
        return self.cross / self.c_paper if self.c_paper > 0 else NOTHING

    @property
    def tangent(self) -> float:
        """The bound of `beyond.tangent`, the same on the tangent space; 0 at a corner."""
        if np.isnan(self.c):
            return self.cross_tangent
        return self.cross_tangent / self.c if self.c > 0 else NOTHING


def second_order(
    losses: Losses, delta: Tensor, face: Face, row: int, *, dense: int = DENSE, cross: bool = True
) -> SecondOrder:
    """Of one example at its attack, delta (1, d).

    dense : coordinates up to which matrices are made whole; cross : whether to measure what needs B
    """
    expansion = losses.at(delta, torch.tensor([row]), weights=cross)
    d = delta.shape[1]
    if d <= dense and 8 * d * losses.size <= MEMORY:
        return _whole(expansion, face, cross)
    return _by_products(expansion, face, cross)


def pseudo_inverse(hessian: Tensor, face: Face) -> Tensor | None:
    """(-A)^+ of one example, (d, d); None where A is not negative definite on the tangent space."""
    values, vectors = _tangent_spectrum(hessian, face)
    if not len(values):
        return torch.zeros_like(hessian)
    if float(values[-1]) >= -_least(hessian):
        return None
    return vectors @ torch.diag(-1 / values) @ vectors.T


def _whole(expansion: Expansion, face: Face, with_cross: bool) -> SecondOrder:
    """With the matrices themselves: every quantity follows from grad_x^2 l and B B^T, both (d, d)."""
    hessian = expansion.hessians_of_one()
    values, vectors = _tangent_spectrum(hessian, face)
    inverse = pseudo_inverse(hessian, face)
    cross = cross_tangent = speed = NOTHING
    if with_cross:
        rows = expansion.cross_of_one()
        gram = rows @ rows.T
        cross, cross_tangent = _root(gram), _root(vectors.T @ gram @ vectors)
        speed = NOTHING if inverse is None else _root(inverse @ gram @ inverse)
    return SecondOrder(
        top=float(torch.linalg.eigvalsh(hessian)[-1]),
        c=-float(values[-1]) if len(values) else NOTHING,
        c_paper=_paper_c(hessian, face),
        cross=cross,
        cross_tangent=cross_tangent,
        speed=speed,
        regular=inverse is not None,
    )


def _tangent_spectrum(hessian: Tensor, face: Face) -> tuple[Tensor, Tensor]:
    """The eigenvalues of A, ascending, and its eigenvectors in R^d as columns, on the tangent space alone."""
    basis = tangent_basis(face)
    inner = basis.T @ hessian @ basis - float(face.pull) * torch.eye(basis.shape[1], dtype=basis.dtype)
    values, vectors = torch.linalg.eigh((inner + inner.T) / 2)
    return values, basis @ vectors


def tangent_basis(face: Face) -> Tensor:
    """Orthonormal columns that span the tangent space of one point's face, (d, dimension)."""
    unit = torch.eye(face.free.shape[1], dtype=face.normal.dtype)[:, face.free[0]]
    normal = face.normal[0][face.free[0]]
    if not bool(normal.any()):
        return unit
    # A Householder reflection takes the first axis to the normal, the others to a basis of what is orthogonal to it.
    axis = normal.clone()
    axis[0] += torch.where(normal[0] >= 0, 1.0, -1.0)
    reflection = torch.eye(len(normal), dtype=axis.dtype) - 2 * torch.outer(axis, axis) / (axis @ axis)
    return unit @ reflection[:, 1:]


def _paper_c(hessian: Tensor, face: Face) -> float:
    """The c of the paper's Lemma 4 or 5, nan where neither speaks."""
    free = face.free[0]
    if not bool(face.sphere) or not bool(free.any()):
        return -float(torch.linalg.eigvalsh(hessian)[-1]) if bool(free.all()) else NOTHING
    normal = face.normal[0][free]
    # grad ||delta|| = delta / epsilon, whose free part has length below 1 where pixels are clamped too.
    gradient = float(face.share) * normal
    curved = torch.eye(len(normal), dtype=normal.dtype) - torch.outer(gradient, gradient)
    block = hessian[free][:, free] - float(face.pull) * curved
    bordered = torch.zeros(len(normal) + 1, len(normal) + 1, dtype=normal.dtype)
    bordered[0, 1:], bordered[1:, 0], bordered[1:, 1:] = gradient, gradient, block
    return float(torch.linalg.eigvalsh(bordered).abs().min())


def _least(hessian: Tensor) -> float:
    return DEGENERATE * float(torch.linalg.matrix_norm(hessian, 2))


def _root(square: Tensor) -> float:
    """The largest singular value of M, of a symmetric M M^T."""
    if not len(square):
        return 0.0
    return float(torch.linalg.eigvalsh((square + square.T) / 2)[-1].clamp(min=0).sqrt())


def _by_products(expansion: Expansion, face: Face, with_cross: bool) -> SecondOrder:
    """The same by Lanczos' method (ARPACK) and conjugate gradients on products with vectors: no matrix is made.

    Lemma 5's own c, the least singular value of a bordered matrix, is left out: inside its spectrum Lanczos is slow.
    """
    d, dimension = expansion.delta.shape[1], int(face.dimension)
    bend = curvature(expansion, face)
    top = largest(expansion.hessian, d)
    c, regular = NOTHING, True
    if dimension:
        # Off the tangent space -A is 0; a shift by its norm keeps these directions from passing for the least curved.
        ceiling = 2 * abs(largest(bend, d, which="LM"))
        c = ceiling - largest(lambda v: ceiling * face.tangent(v) - bend(face.tangent(v)), d)
        regular = c > DEGENERATE * ceiling
    found = _cross_by_products(expansion, face, regular) if with_cross else (NOTHING,) * 3
    inside = bool(face.free.all()) and not bool(face.sphere)
    return SecondOrder(top, c, -top if inside else NOTHING, *found, regular)


def _cross_by_products(expansion: Expansion, face: Face, regular: bool) -> tuple[float, float, float]:
    """cross, cross_tangent and speed."""
    d, dimension = expansion.delta.shape[1], int(face.dimension)
    bend = curvature(expansion, face)

    def gram(v: Tensor) -> Tensor:
        return expansion.by_weights(expansion.cross_transposed(v))[0]

    def moved(v: Tensor) -> Tensor:
        solved = solve_tangent(bend, face, v, SOLVED, 2 * dimension)
        return solve_tangent(bend, face, gram(solved), SOLVED, 2 * dimension)

    squares = [largest(gram, d), 0.0, 0.0 if regular else NOTHING]
    if dimension:
        squares[1] = largest(lambda v: face.tangent(gram(face.tangent(v))), d)
        squares[2] = largest(moved, d) if regular else NOTHING
    cross, tangent, speed = (square if np.isnan(square) else max(square, 0.0) ** 0.5 for square in squares)
    return cross, tangent, speed


def largest(apply: Callable[[Tensor], Tensor], d: int, which: str = "LA") -> float:
    """The largest eigenvalue ("LA"), or the one largest in size ("LM"), of a symmetric operator on (1, d) -> (1, d)."""

    def product(v: np.ndarray) -> np.ndarray:
        return apply(torch.from_numpy(np.ascontiguousarray(v, dtype=np.float64)).view(1, d)).numpy().ravel()

    start = np.random.default_rng(0).standard_normal(d)
    operator = LinearOperator((d, d), matvec=product, dtype=np.float64)
    return float(eigsh(operator, k=1, which=which, v0=start, tol=LANCZOS, return_eigenvectors=False)[0])
