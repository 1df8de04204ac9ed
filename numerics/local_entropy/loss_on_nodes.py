"""The linear model's loss on a tensor grid of nodes: N multiplications a node instead of N exponentials.

exp(-m_n) = exp(-y_n x_n1 t_1) exp(-y_n x_n2 t_2) exp(epsilon ||t||_q) factors over the axes, and the sum of
log(1 + exp(-m_n)) is the logarithm of a product, taken before the product could overflow.
"""

from __future__ import annotations

import numpy as np

from numerics.norms import dual_norm
from numerics.problem import Problem, softplus

LARGEST_EXPONENT = 600.0  # exp of it is finite with room to spare


def loss_on_nodes(problem: Problem, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """L on the grid (first[i], second[j]), shape (len(first), len(second)); cost linear in N.

    Absolute error a few units in the last place of the largest margin on the grid.
    """
    signed = -problem.y[:, None] * problem.X
    reach = problem.epsilon * _norms(problem.p, first, second)
    largest = np.abs(problem.X) @ np.array([np.abs(first).max(), np.abs(second).max()]) + reach.max()
    total, scratch = np.zeros_like(reach), np.empty_like(reach)
    small = largest < LARGEST_EXPONENT
    if small.any():
        radial = np.exp(reach)
        rows, columns = np.exp(signed[small, :1] * first), np.exp(signed[small, 1:] * second)
        product, exponent = np.ones_like(reach), 0.0
        for row, column, size in zip(rows, columns, largest[small], strict=True):
            if exponent + size > LARGEST_EXPONENT:
                total += np.log(product, out=product)
                product.fill(1.0)
                exponent = 0.0
            np.multiply(radial, column, out=scratch)
            scratch *= row[:, None]
            scratch += 1
            product *= scratch
            exponent += size
        total += np.log(product)
    for slope in signed[~small]:
        total += softplus(np.add.outer(slope[0] * first, slope[1] * second) + reach)
    return total / len(problem.y)


def _norms(p: float, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    if p == np.inf:
        return np.add.outer(np.abs(first), np.abs(second))
    if p == 2:
        return np.sqrt(np.add.outer(first**2, second**2))
    return dual_norm(np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1), p)
