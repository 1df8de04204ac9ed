"""All lines of `results/bounds.md`, in the paper's order."""

from __future__ import annotations

from functools import cache

from numerics.bounds.case import Case


@cache
def cases() -> tuple[Case, ...]:
    """Every case. Raises ValueError when two have one id."""
    from numerics.bounds import assumption, entropy, general, l2_attacks, linf_attacks

    table = (
        *assumption.assumption_cases(),
        *assumption.proposition_cases(),
        *general.lemma1_cases(),
        *l2_attacks.lemma2_cases(),
        *l2_attacks.theorem1_cases(),
        *linf_attacks.lemma3_cases(),
        *linf_attacks.theorem2_cases(),
        *linf_attacks.lp_cases(),
        *general.lemma4_cases(),
        *general.boundary_cases(),
        *general.concave_cases(),
        *entropy.surface_cases(),
        *entropy.line_cases(),
    )
    names = [case.id for case in table]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two cases are called {', '.join(twice)}: give each an id of its own")
    return table
