"""What a step does with a minibatch: attacks, TRADES, AWP, and the statistics of batch norm meanwhile."""

from training.methods.attacks import pgd, trades_attack, trades_loss
from training.methods.awp import AdversarialWeights
from training.methods.batch_norm import batch_norm_policy, evaluating, move_statistics

__all__ = [
    "AdversarialWeights",
    "batch_norm_policy",
    "evaluating",
    "move_statistics",
    "pgd",
    "trades_attack",
    "trades_loss",
]
