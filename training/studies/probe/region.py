"""Serves the probe: where an attack may be, a ball around x inside the pixel box, and what a point of it touches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

HALVINGS = 200  # of an interval of multipliers, until float64 has no number between its ends
ON_SPHERE = 1e-12  # relative


@dataclass(frozen=True)
class Region:
    """All delta with ||delta||_norm <= epsilon and lower <= delta <= upper, for each example of a batch.

    lower, upper : (N, d), lower <= 0 <= upper: the pixel box seen from x, for "linf" cut with the ball, which is a box
    """

    lower: Tensor
    upper: Tensor
    pixel_lower: Tensor
    pixel_upper: Tensor
    epsilon: float
    norm: str

    @classmethod
    def around(cls, x: Tensor, epsilon: float, norm: str, box: tuple[float, float] | None) -> Region:
        """The region of x, (N, d); box None for no pixel constraint.

        Raises: ValueError for a radius, norm or box outside its range, or an x outside the box.
        """
        if norm not in ("linf", "l2"):
            raise ValueError(f"norm = {norm!r} is unknown; the known ones are linf, l2")
        if isinstance(epsilon, str) or epsilon is None or not 0 < epsilon < math.inf:
            raise ValueError(
                f"epsilon = {epsilon!r}; it must be positive and finite, in the units of x: 8/255, not 8"
            )
        low, high = box or (-math.inf, math.inf)
        if box is not None and not -math.inf < low < high < math.inf:
            raise ValueError(f"box = {box}; it must be (low, high) with low < high, or None for no box")
        if (x < low).any() or (x > high).any():
            raise ValueError(
                f"x reaches from {float(x.min()):g} to {float(x.max()):g}, outside the box {low:g} to {high:g}: "
                "scale it, or pass box=None"
            )
        below, above = low - x, high - x
        within = epsilon if norm == "linf" else math.inf
        return cls(below.clamp(min=-within), above.clamp(max=within), below, above, epsilon, norm)

    def of(self, rows: Tensor) -> Region:
        """The regions of some examples."""
        parts = (self.lower[rows], self.upper[rows], self.pixel_lower[rows], self.pixel_upper[rows])
        return Region(*parts, self.epsilon, self.norm)

    def holding(self, delta: Tensor, free: Tensor) -> Region:
        """The part of the region whose points agree with delta in the coordinates that are not free."""
        lower, upper = torch.where(free, self.lower, delta), torch.where(free, self.upper, delta)
        return replace(self, lower=lower, upper=upper)

    def project(self, delta: Tensor) -> Tensor:
        """The nearest point of the region, (N, d) -> (N, d).

        For "l2" it is clamp(delta / (1 + t)) with the least t >= 0 that brings it into the ball, found by bisection.
        """
        boxed = delta.clamp(self.lower, self.upper)
        if self.norm == "linf":
            return boxed
        outside = _length(boxed) > self.epsilon * (1 + ON_SPHERE)
        if not outside.any():
            return boxed
        # s = 1 / (1 + t): the length of clamp(s delta) grows with s.
        low, high = torch.zeros_like(boxed[:, :1]), torch.ones_like(boxed[:, :1])
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if bool(((middle == low) | (middle == high)).all()):
                break
            beyond = _length((middle * delta).clamp(self.lower, self.upper)) > self.epsilon
            low, high = torch.where(beyond, low, middle), torch.where(beyond, middle, high)
        return torch.where(outside, (low * delta).clamp(self.lower, self.upper), boxed)

    def face(self, delta: Tensor, gradient: Tensor) -> Face:
        """What the points touch and press against, gradient (N, d) being that of the loss, which is maximised."""
        at_lower, at_upper = delta <= self.lower, delta >= self.upper
        free = ~(at_lower | at_upper)
        on_ball = torch.zeros_like(free[:, :1])
        if self.norm == "l2":
            on_ball = _length(delta) >= self.epsilon * (1 - ON_SPHERE)
        for _ in range(3):  # the multiplier decides which bounds press, and these which coordinates it is of
            pull = _multiplier(delta, gradient, free) * on_ball
            excess = gradient - pull * delta
            free = ~((at_lower & (excess <= 0)) | (at_upper & (excess >= 0)))
        pull = _multiplier(delta, gradient, free) * on_ball
        sphere = on_ball & (pull > 0)
        outward = torch.where(sphere & free, delta, torch.zeros_like(delta))
        normal = outward / torch.where(sphere, _length(outward), 1.0).clamp(min=torch.finfo(delta.dtype).tiny)
        share = _length(outward) / self.epsilon
        return Face(free, normal, pull, gradient - pull * delta, sphere.squeeze(1), share)

    def touched_pixels(self, delta: Tensor) -> Tensor:
        """Whether a coordinate of x + delta is at an end of the pixel box, (N, d)."""
        return (delta <= self.pixel_lower) | (delta >= self.pixel_upper)


@dataclass(frozen=True)
class Face:
    """The constraints that press on each point, with their multipliers.

    free   : (N, d), coordinates that no bound presses on
    normal : (N, d), the outward unit normal of the sphere in the free coordinates; 0 where the ball is inactive
    pull   : (N, 1), kappa = mu / epsilon of the ball's multiplier mu >= 0: the Lagrangian curves by -kappa more
    excess : (N, d), grad_x l - kappa delta: the multipliers of the bounds where one presses, else what is left to climb
    sphere : (N,), whether the ball of "l2" presses
    share  : (N, 1), the length of delta's free part over epsilon where the ball presses; 1 without clamped pixels
    """

    free: Tensor
    normal: Tensor
    pull: Tensor
    excess: Tensor
    sphere: Tensor
    share: Tensor

    def tangent(self, v: Tensor) -> Tensor:
        """The part of v, (N, d), along which a point can move on its face."""
        kept = torch.where(self.free, v, torch.zeros_like(v))
        return kept - self.normal * (self.normal * kept).sum(1, keepdim=True)

    def of(self, rows: Tensor) -> Face:
        """Those of some points."""
        parts = (self.free, self.normal, self.pull, self.excess, self.sphere, self.share)
        return Face(*(part[rows] for part in parts))

    @property
    def slope(self) -> Tensor:
        """The first-order residual: the loss's slope along the face, (N,); 0 at a stationary point."""
        return torch.linalg.vector_norm(self.tangent(self.excess), dim=1)

    @property
    def dimension(self) -> Tensor:
        """Of the tangent space of the face, (N,)."""
        return self.free.sum(1) - (self.sphere & self.free.any(1)).long()


def _multiplier(delta: Tensor, gradient: Tensor, free: Tensor) -> Tensor:
    """The kappa >= 0 for which gradient - kappa delta is least on the free coordinates, (N, 1)."""
    inside = torch.where(free, delta, torch.zeros_like(delta))
    square = (inside**2).sum(1, keepdim=True)
    return ((inside * gradient).sum(1, keepdim=True) / torch.where(square > 0, square, 1.0)).clamp(min=0)


def _length(vectors: Tensor) -> Tensor:
    return torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
