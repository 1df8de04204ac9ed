"""Serves the probe: the loss of every example of a batch in float64, and its derivatives in the input and the weights.

With S the sum of the losses, an example's input reaches no loss but its own, so that one backward pass gives the
derivatives of all of them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.methods.ascent import without_weight_gradients

ExampleLoss = Callable[[Tensor, Tensor], Tensor]
TINY = 1e-9  # relative, of float64 outputs that are computed in batches of another size


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """The cross-entropy of each example, shape (N,)."""
    return F.cross_entropy(logits, y, reduction="none")


class Losses:
    """l(model(x_i), y_i) for the examples of a batch, on a copy of the model in float64 and eval mode.

    x     : (N, ...); kept as (N, d), d coordinates an example
    loss  : (outputs, y) -> one loss an example, twice differentiable where second derivatives are asked for
    names : the weights that count as theta, names of `model.named_parameters()`; None for all

    Raises: ValueError for inputs that are no finite batch, labels that do not fit it, an unknown weight, or a model
    whose output for one example depends on the others.
    """

    def __init__(
        self,
        model: nn.Module,
        x: Tensor,
        y: Tensor,
        loss: ExampleLoss = cross_entropy,
        names: Sequence[str] | None = None,
    ) -> None:
        _check_batch(x, y)
        self.model = copy.deepcopy(model).double().cpu().eval()
        self.shape, self.y, self.loss = x.shape[1:], y.cpu(), loss
        self.x = x.detach().double().cpu().flatten(1)
        named = dict(self.model.named_parameters())
        unknown = [name for name in names or () if name not in named]
        if unknown or not named or (names is not None and not names):
            raise ValueError(
                f"parameters = {unknown or names}: the model has {', '.join(named) or 'none'}; name some of these"
            )
        self.names = tuple(names or named)
        for name, weight in named.items():
            weight.requires_grad_(name in self.names)
        self.weights: list[Tensor] = [named[name] for name in self.names]
        self.size = sum(weight.numel() for weight in self.weights)
        self._check_taken()
        self._check_independent()

    def __len__(self) -> int:
        return len(self.x)

    def values(self, delta: Tensor, rows: Tensor) -> Tensor:
        """The losses at x + delta, shape (n,). delta: (n, d), rows: (n,), which example each is of."""
        inputs = (self.x[rows] + delta).unflatten(1, self.shape)
        found = self.loss(self.model(inputs), self.y[rows])
        if found.shape != (len(rows),):
            raise ValueError(
                f"loss gives shape {tuple(found.shape)} for {len(rows)} examples; it must give one number each: no mean"
            )
        return found

    def values_and_gradients(self, delta: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The losses and their gradients by x, (n,) and (n, d)."""
        with without_weight_gradients(self.model), torch.enable_grad():
            delta = delta.detach().requires_grad_()
            values = self.values(delta, rows)
            return values.detach(), torch.autograd.grad(values.sum(), delta)[0]

    def at(self, delta: Tensor, rows: Tensor, weights: bool = True) -> Expansion:
        """The second derivatives at x + delta; those by the weights only where `weights`."""
        return Expansion(self, delta, rows, weights)

    def weight_gradient(self, delta: Tensor, rows: Tensor) -> Tensor:
        """The gradient of the mean loss by theta at fixed attacks, shape (m,)."""
        with torch.enable_grad():
            mean = self.values(delta, rows).mean()
            return _flat(torch.autograd.grad(mean, self.weights, allow_unused=True, materialize_grads=True))

    @contextmanager
    def displaced(self, direction: Tensor, step: float) -> Iterator[None]:
        """Inside, theta is theta + step * direction, direction (m,); afterwards it is as before, to the bit."""
        # New tensors, not new values in the old ones, which graphs that were built before still need.
        kept = [weight.data for weight in self.weights]
        try:
            for weight, part in zip(self.weights, self.split(direction), strict=True):
                weight.data = weight.data + step * part
            yield
        finally:
            for weight, before in zip(self.weights, kept, strict=True):
                weight.data = before

    def split(self, vector: Tensor) -> list[Tensor]:
        """A vector (m,) as tensors like the weights."""
        sizes = [weight.numel() for weight in self.weights]
        return [part.view_as(weight) for part, weight in zip(vector.split(sizes), self.weights, strict=True)]

    def _check_taken(self) -> None:
        try:
            with torch.no_grad():
                self.values(torch.zeros_like(self.x), torch.arange(len(self)))
        except (RuntimeError, IndexError, TypeError) as error:
            raise ValueError(
                f"the model and the loss cannot take x of shape {(len(self), *self.shape)} and y of type "
                f"{self.y.dtype} and shape {tuple(self.y.shape)} ({' '.join(str(error).split())}): give what they take"
            ) from error

    def _check_independent(self) -> None:
        """The last example has the output in a batch of copies of itself that it has among the others."""
        with torch.no_grad():
            inputs = self.x.unflatten(1, self.shape)
            alone = self.model(torch.cat([inputs[-1:], inputs[-1:]]))[-1:]
            together = self.model(inputs)[-1:] if len(inputs) > 1 else alone
        if not torch.isfinite(together).all():
            raise ValueError(
                "the model's outputs are not finite: its weights have diverged, or x has no place in it"
            )
        if not torch.allclose(together, alone, rtol=TINY, atol=TINY):
            raise ValueError(
                "the model's output for an example depends on the other examples of the batch, as with batch norm "
                "without running statistics: the loss of an example is then not defined"
            )


class Expansion:
    """The second derivatives of the losses at one point, as products with vectors; the graph is built once."""

    def __init__(self, losses: Losses, delta: Tensor, rows: Tensor, weights: bool) -> None:
        self.theta = losses.weights if weights else []
        with torch.enable_grad():
            self.delta = delta.detach().requires_grad_()
            self.values = losses.values(self.delta, rows)
            gradient, *by_theta = torch.autograd.grad(
                self.values.sum(),
                [self.delta, *self.theta],
                create_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
        self.graph, self.by_theta, self.split = gradient, by_theta, losses.split
        self.gradient = gradient.detach()

    def hessian(self, v: Tensor) -> Tensor:
        """grad_x^2 l v, example by example: (n, d) -> (n, d)."""
        return self._products([self.graph], [v], [self.delta])[0]

    def cross_transposed(self, v: Tensor) -> Tensor:
        """B^T v summed over the examples, B = grad_theta grad_x l: (n, d) -> (m,)."""
        return _flat(self._products([self.graph], [v], self.theta))

    def by_weights(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """B w of every example, (n, d), and the sum of grad_theta^2 l w, (m,); w: (m,)."""
        cross, *hessian = self._products(self.by_theta, self.split(w), [self.delta, *self.theta])
        return cross, _flat(hessian)

    def hessians_of_one(self) -> Tensor:
        """grad_x^2 l whole, (d, d), for an expansion of one example."""
        return self._rows([self.delta])[0].squeeze(1)

    def cross_of_one(self) -> Tensor:
        """B whole, (d, m), for an expansion of one example."""
        return torch.cat([part.flatten(1) for part in self._rows(self.theta)], dim=1)

    def _rows(self, by: list[Tensor]) -> list[Tensor]:
        """The derivative of each coordinate of the gradient by these, (d, *shape)."""
        unit = torch.eye(self.delta.shape[1], dtype=self.delta.dtype).unsqueeze(1)
        found: Sequence[Tensor | None] = [None] * len(by)
        if self.graph.requires_grad:
            how: dict[str, Any] = {"is_grads_batched": True, "retain_graph": True, "allow_unused": True}
            found = torch.autograd.grad(self.graph, by, grad_outputs=unit, **how)
        empty = [one.new_zeros(len(unit), *one.shape) for one in by]
        return [zeros if part is None else part for part, zeros in zip(found, empty, strict=True)]

    def _products(self, outputs: list[Tensor], vectors: list[Tensor], by: list[Tensor]) -> tuple[Tensor, ...]:
        kept = [(out, v) for out, v in zip(outputs, vectors, strict=True) if out.requires_grad]
        if not kept:
            return tuple(torch.zeros_like(one) for one in by)
        return torch.autograd.grad(
            [out for out, _ in kept],
            by,
            grad_outputs=[v for _, v in kept],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )


def _flat(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in parts])


def _check_batch(x: Tensor, y: Tensor) -> None:
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        raise ValueError(f"x and y are {type(x).__name__} and {type(y).__name__}; both must be tensors")
    if not x.is_floating_point() or x.ndim < 2 or not len(x) or not torch.isfinite(x).all():
        raise ValueError(
            f"x has type {x.dtype} and shape {tuple(x.shape)}; it must hold a batch of finite floats (N, ...): divide "
            "images of whole numbers by 255 first"
        )
    if len(y) != len(x):
        raise ValueError(f"y holds {len(y)} labels for {len(x)} examples; give one each")
