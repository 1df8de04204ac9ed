"""Clean, PGD and AutoAttack accuracy, from float32 logits and in eval mode."""

from __future__ import annotations

from training.evaluation.accuracies import NonFiniteLogits, accuracy, pgd_accuracy
from training.evaluation.autoattack import STANDARD, AutoAttackResult, autoattack_accuracy
from training.evaluation.state import ForeignState

__all__ = [
    "STANDARD",
    "AutoAttackResult",
    "ForeignState",
    "NonFiniteLogits",
    "accuracy",
    "autoattack_accuracy",
    "pgd_accuracy",
]
