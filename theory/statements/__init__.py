"""The statements of the paper in its own order, one file a statement; each file gives the tuple CLAIMS."""

from __future__ import annotations

from importlib import import_module

from theory.claim import Claim

ORDER = (
    "abstract",
    "eq1_attack",
    "definition1",
    "eq4_descent",
    "assumption1",
    "prop1",
    "eq10_entropy",
    "eq13_flatness",
    "lemma1",
    "lemma1_hessian",
    "lemma2",
    "lemma2_proof",
    "lemma2_ray",
    "lemma2_jacobian",
    "theorem1",
    "theorem1_descent",
    "lemma3",
    "theorem2",
    "sec31_prose",
    "lemma4",
    "lemma4_proof",
    "lemma4_readings",
    "lemma4_prose",
    "lemma4_smoothness",
    "eq20_lagrangian",
    "eq22_bordered",
    "lemma5",
    "lemma5_proof",
    "lemma5_determinant",
    "sec322_prose",
    "sec322_norms",
    "sec322_flattening",
    "sec323_limitations",
    "sec323_pgd",
    "theorem3",
    "theorem3_gradient",
    "theorem3_hessian",
    "theorem3_integrals",
    "theorem3_finite",
    "theorem3_bounded",
    "sec4_prose",
    "sec51_continuity",
    "sec51_swish",
    "sec51_swish_smooth",
    "sec52_setup",
    "sec53_results",
    "definition2",
    "eq76_awp",
    "appc_toy",
    "eq77_second_order",
    "algorithm1",
    "algorithm1_langevin",
    "appf",
    "beyond_linear_attacks",
    "beyond_lp_lipschitz",
    "beyond_logistic_constants",
    "beyond_theta_min",
    "beyond_tangent",
    "beyond_small_epsilon",
    "beyond_strongly_concave",
    "beyond_linf_active_set",
    "beyond_entropy_bounds",
    "beyond_entropy_limits",
    "beyond_entropy_beta",
)


def claims_of(name: str) -> tuple[Claim, ...]:
    """The claims of one statement file, in the order in which the paper makes them."""
    return import_module(f"theory.statements.{name}").CLAIMS


def load() -> tuple[Claim, ...]:
    """Every claim, in the paper's order."""
    return tuple(claim for name in ORDER for claim in claims_of(name))
