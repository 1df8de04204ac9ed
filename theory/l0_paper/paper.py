"""The second paper under the machine: fast adversarial training against l0 bounded perturbations, its theory alone.

Its text was at hand with the displayed formulas lost. They are reconstructed from the prose around them, the proofs
and the stated constants; a remark of each claim says where.
"""

from __future__ import annotations

from theory.ledger.paper import Paper

PAPER = Paper(
    title="Understanding and Improving Fast Adversarial Training against l0 Bounded Perturbations",
    authors="Zhong, Huang, Liu",
    source="arXiv 2502.21041",
    url="https://arxiv.org/abs/2502.21041",
    # The numbers that its prose names; the other displayed equations are lost.
    equations=(1, 6, 13, 16, 18, 19, 22, 28, 29, 30, 39),
    sections=("1", "2", "3", "4", "4.1", "4.2", "4.3", "5", "A", "B", "B.1", "B.2", "C", "D", "E"),
    order=(
        "budgets",
        "assumptions",
        "lipschitz",
        "soft_labels",
        "smoothness",
        "trade_off",
        "relu",
        "diameters",
        "diameter_examples",
    ),
)
