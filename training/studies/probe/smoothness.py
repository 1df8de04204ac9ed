"""Serves the probe: how fast the gradient of the adversarial loss turns with the weights, and how much of that is the
attack's motion.

    grad_theta^2 l_eps = grad_theta^2 l + B^T (-A)^+ B

at the attack: the curvature at a fixed attack, and what the attack adds by following the weights, never negative.
The sum is over examples whose attack converged to a maximum that is nondegenerate; at a corner nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from training.studies.probe.curvature import DENSE, SOLVED, pseudo_inverse
from training.studies.probe.loss import Losses
from training.studies.probe.region import Region
from training.studies.probe.search import curvature, polish, solve_tangent

LANCZOS = 1e-6  # relative, of the eigenvalues in the space of the weights
FD_STEP = 1e-5  # of the weights along a unit vector
SHARP = 1e-11  # slope at which the attacks of the finite difference are found again


@dataclass(frozen=True)
class Smoothness:
    """Of L_eps, the mean over n examples, at the weights as they are.

    n         : examples whose attack has a second order
    sigma     : sigma_1(grad_theta^2 L_eps), the largest eigenvalue in size, here with its sign
    fixed     : the same of grad_theta^2 l at fixed attacks
    motion    : the same of the attacks' motion, B^T (-A)^+ B
    along_fixed, along_motion : the two parts along sigma's eigenvector; they add up to sigma
    difference : the curvature of L_eps along that eigenvector by central differences of grad L_eps, attacks found anew
    """

    n: int
    sigma: float
    fixed: float
    motion: float
    along_fixed: float
    along_motion: float
    difference: float


def smoothness(
    losses: Losses, region: Region, delta: Tensor, rows: Tensor, dense: int = DENSE, seed: int = 0
) -> Smoothness:
    """Of the mean over the examples `rows` (n,) at their attacks delta (n, d), all nondegenerate maxima."""
    hessian = AdversarialHessian(losses, region, delta, rows, dense)
    sigma, vector = extreme(hessian.whole, losses.size, seed)
    fixed, motion = hessian.parts(vector)
    return Smoothness(
        n=len(rows),
        sigma=sigma,
        fixed=extreme(lambda w: hessian.parts(w)[0], losses.size, seed)[0],
        motion=extreme(lambda w: hessian.parts(w)[1], losses.size, seed)[0],
        along_fixed=float(vector @ fixed),
        along_motion=float(vector @ motion),
        difference=curvature_by_differences(losses, region, delta, rows, vector),
    )


class AdversarialHessian:
    """grad_theta^2 L_eps as products with vectors (m,), the attacks staying at maxima of their examples."""

    def __init__(
        self, losses: Losses, region: Region, delta: Tensor, rows: Tensor, dense: int = DENSE
    ) -> None:
        self.n = len(rows)
        self.expansion = losses.at(delta, rows)
        self.face = region.of(rows).face(delta, self.expansion.gradient)
        self.inverses = self._inverses(losses, delta, rows) if delta.shape[1] <= dense else None

    def whole(self, w: Tensor) -> Tensor:
        fixed, motion = self.parts(w)
        return fixed + motion

    def parts(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """The Hessian at fixed attacks times w, and the attacks' share."""
        cross, fixed = self.expansion.by_weights(w)
        return fixed / self.n, self.expansion.cross_transposed(self._pulled(cross)) / self.n

    def _pulled(self, cross: Tensor) -> Tensor:
        """(-A)^+ of every example times (n, d): where the attacks go."""
        if self.inverses is not None:
            return torch.einsum("nij,nj->ni", self.inverses, cross)
        bend = curvature(self.expansion, self.face)
        return solve_tangent(bend, self.face, cross, SOLVED, 2 * int(self.face.dimension.max()))

    def _inverses(self, losses: Losses, delta: Tensor, rows: Tensor) -> Tensor:
        found = []
        for index in range(self.n):
            one = slice(index, index + 1)
            hessian = losses.at(delta[one], rows[one], weights=False).hessians_of_one()
            inverse = pseudo_inverse(hessian, self.face.of(torch.tensor([index])))
            if inverse is None:
                raise ValueError(
                    f"example {int(rows[index])} is no nondegenerate maximum: leave it out of the rows"
                )
            found.append(inverse)
        return torch.stack(found)


def curvature_by_differences(
    losses: Losses,
    region: Region,
    delta: Tensor,
    rows: Tensor,
    direction: Tensor,
    step: float = FD_STEP,
) -> float:
    """direction . (grad L_eps(theta + step direction) - grad L_eps(theta - step direction)) / (2 step), each attack
    found anew from delta by Newton's method; the weights are afterwards as before."""
    slopes = []
    for sign in (1, -1):
        with losses.displaced(direction, sign * step):
            again, _, _ = polish(losses, region, delta.clone(), rows, SHARP)
            slopes.append(float(direction @ losses.weight_gradient(again, rows)))
    return (slopes[0] - slopes[1]) / (2 * step)


def extreme(apply: Callable[[Tensor], Tensor], m: int, seed: int = 0) -> tuple[float, Tensor]:
    """The eigenvalue largest in size and its unit eigenvector, of a symmetric operator on (m,)."""

    def product(v: np.ndarray) -> np.ndarray:
        return apply(torch.from_numpy(np.ascontiguousarray(v, dtype=np.float64)).ravel()).numpy()

    if m <= 2:  # ARPACK asks for more
        matrix = torch.stack([apply(unit) for unit in torch.eye(m, dtype=torch.float64)])
        values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
        place = int(values.abs().argmax())
        return float(values[place]), vectors[:, place]
    operator = LinearOperator((m, m), matvec=product, dtype=np.float64)
    start = np.random.default_rng(seed).standard_normal(m)
    if not product(start).any():
        return 0.0, torch.from_numpy(start / np.linalg.norm(start))
    values, vectors = eigsh(operator, k=1, which="LM", v0=start, tol=LANCZOS)
    return float(values[0]), torch.from_numpy(vectors[:, 0])
