"""Every adversary there is, and which sentences need none."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from numerics.adversaries.adversary import Adversary

# The files of this room that give a tuple ADVERSARIES, by section of the paper.
FILES = (
    "linear",
    "linear_moves",
    "linear_corners",
    "multipliers",
    "lemma1",
    "theorem1",
    "theorem2",
    "interior",
    "lemma5",
    "lagrangian",
    "maxima",
    "small_radius",
    "landscape",
    "logistic",
    "lp_attacks",
    "box",
    "entropy_bounds",
    "entropy_limits",
    "assumptions",
    "entropy_hessian",
    "entropy_moments",
    "sharpness",
    "figure2",
    "descent",
)


def adversaries(names: Iterable[str] = ()) -> list[Adversary]:
    """Those of the named claims, or all, in the order of FILES.

    Raises ValueError for a claim that has none, naming those that have, and for two adversaries of one sentence.
    """
    every = [one for file in FILES for one in import_module(f"numerics.adversaries.{file}").ADVERSARIES]
    seen = [one.name for one in every]
    if twice := sorted({name for name in seen if seen.count(name) > 1}):
        raise ValueError(f"adversaries of {', '.join(twice)} exist twice: keep one of each")
    wanted = list(names)
    if unknown := sorted(set(wanted) - {one.claim for one in every}):
        raise ValueError(
            f"no adversary attacks {', '.join(unknown)}; attacked are {', '.join(sorted({one.claim for one in every}))}"
        )
    return [one for one in every if not wanted or one.claim in wanted]
