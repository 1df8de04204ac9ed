"""EntropySGD of order 1 and 2 (Algorithm 1; Eqs. (10)-(12), (77)) for any torch model."""

from training.entropy_sgd.optimizer import Diagnostics, EntropySGD
from training.entropy_sgd.presets import PRESETS

__all__ = ["PRESETS", "Diagnostics", "EntropySGD"]
