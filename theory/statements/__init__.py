"""The statements of the paper in its own order, one file a statement; each file gives the tuple CLAIMS."""

from __future__ import annotations

from importlib import import_module

from theory.ledger.claim import Claim

ORDER = (
    "sec1.abstract",
    "sec2.eq1_attack",
    "sec2.definition1",
    "sec2.eq4_descent",
    "sec2.assumption1",
    "sec2.prop1",
    "sec2.eq10_entropy",
    "sec2.eq10_scope",
    "sec2.eq13_flatness",
    "sec31.lemma1",
    "sec31.lemma1_hessian",
    "sec31.lemma2",
    "sec31.lemma2_proof",
    "sec31.lemma2_ray",
    "sec31.lemma2_jacobian",
    "sec31.theorem1",
    "sec31.theorem1_descent",
    "sec31.lemma3",
    "sec31.theorem2",
    "sec31.sec31_prose",
    "sec32.lemma4",
    "sec32.lemma4_proof",
    "sec32.lemma4_readings",
    "sec32.lemma4_prose",
    "sec32.lemma4_smoothness",
    "sec32.eq20_lagrangian",
    "sec32.eq22_bordered",
    "sec32.lemma5",
    "sec32.lemma5_proof",
    "sec32.lemma5_determinant",
    "sec32.sec322_prose",
    "sec32.sec322_norms",
    "sec32.sec322_flattening",
    "sec32.sec323_limitations",
    "sec32.sec323_pgd",
    "sec4.theorem3",
    "sec4.theorem3_gradient",
    "sec4.theorem3_hessian",
    "sec4.theorem3_integrals",
    "sec4.theorem3_finite",
    "sec4.theorem3_bounded",
    "sec4.sec4_prose",
    "sec5.sec51_continuity",
    "sec5.sec51_swish",
    "sec5.sec51_swish_smooth",
    "sec5.sec52_setup",
    "sec5.sec53_results",
    "appendices.definition2",
    "appendices.eq76_awp",
    "appendices.appc_toy",
    "appendices.eq77_second_order",
    "appendices.algorithm1",
    "appendices.algorithm1_langevin",
    "appendices.appf",
    "beyond.linear_attacks",
    "beyond.lp_lipschitz",
    "beyond.logistic_constants",
    "beyond.theta_min",
    "beyond.tangent",
    "beyond.small_epsilon",
    "beyond.strongly_concave",
    "beyond.linf_active_set",
    "beyond.entropy_bounds",
    "beyond.entropy_limits",
    "beyond.entropy_beta",
)


def claims_of(name: str) -> tuple[Claim, ...]:
    """The claims of one statement file, in the order in which the paper makes them."""
    return import_module(f"theory.statements.{name}").CLAIMS


def load() -> tuple[Claim, ...]:
    """Every claim, in the paper's order."""
    return tuple(claim for name in ORDER for claim in claims_of(name))
