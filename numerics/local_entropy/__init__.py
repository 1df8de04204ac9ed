"""-F(theta) of EntropySGD (Eq. 10), its gradient and its Hessian, by a fast, a certified and three scipy
routes."""

from numerics.local_entropy.quadrature import local_entropy, local_entropy_surface
from numerics.local_entropy.result import LocalEntropy, QuadratureFailure

__all__ = ["LocalEntropy", "QuadratureFailure", "local_entropy", "local_entropy_surface"]
