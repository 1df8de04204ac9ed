"""The switches of EntropySGD (Algorithm 1): what the paper prints, what the code it builds on does, what is allowed.

`paper` is Algorithm 1 with the sign of line 10 put right and the weight decay of E.1 in the inner step; `paper-eq11`
takes the gradient of Eq. (11) as its outer step. `code` is the EntropySGD of Chaudhari et al. (2017), on whose code
the paper says it is based.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping
from typing import Any

from training.scalars import flag, real, whole

# Switch -> (its value under `paper`, under `code`).
SWITCHES: dict[str, tuple[Any, Any]] = {
    "alpha": (0.75, 0.25),
    "noise_scale": ("sqrt-eta", "sqrt-2-eta"),
    "inner_momentum": (0.0, 0.9),
    "inner_nesterov": (False, True),
    "zero_inner_buffer": (True, True),
    "inner_weight_decay": (5e-4, 5e-4),
    "outer_step": ("paper", "paper"),
    "outer_momentum": (0.0, 0.9),
    "outer_nesterov": (False, True),
    "outer_weight_decay": (0.0, 5e-4),
    "seed_outer_buffer": (False, True),
    "discard_first": (False, True),
}
PAPER = {name: values[0] for name, values in SWITCHES.items()}
PRESETS: dict[str, dict[str, Any]] = {
    "paper": PAPER,
    "paper-eq11": PAPER | {"outer_step": "paper-eq11"},
    "code": {name: values[1] for name, values in SWITCHES.items()},
}
NOISE_FACTORS = {"sqrt-eta": 1.0, "sqrt-2-eta": math.sqrt(2)}
OUTER_STEPS = ("paper", "paper-eq11")
# A switch that says nothing while the momentum it belongs to is 0.
NEEDS_MOMENTUM = {
    "inner_nesterov": "inner_momentum",
    "zero_inner_buffer": "inner_momentum",
    "outer_nesterov": "outer_momentum",
    "seed_outer_buffer": "outer_momentum",
}

# Name -> (does it hold, what is required, what to do).
RANGES: dict[str, tuple[Callable[[float], bool], str, str]] = {
    "lr": (lambda value: 0 <= value < math.inf, "finite and >= 0", "the paper starts at 0.1"),
    "gamma": (lambda value: 0 < value < math.inf, "finite and > 0", "the paper uses 0.03"),
    "eta_inner": (lambda value: 0 < value < math.inf, "finite and > 0", "the paper uses 0.1"),
    "noise": (lambda value: 0 <= value < math.inf, "finite and >= 0", "the paper uses 1e-4, 0 draws none"),
    "alpha": (lambda value: 0 < value <= 1, "in (0, 1]", "it weighs the new iterate; the paper uses 0.75"),
    "inner_momentum": (lambda value: 0 <= value < 1, "in [0, 1)", "0 switches it off"),
    "outer_momentum": (lambda value: 0 <= value < 1, "in [0, 1)", "0 switches it off"),
    "inner_weight_decay": (lambda value: 0 <= value < math.inf, "finite and >= 0", "the paper uses 5e-4"),
    "outer_weight_decay": (lambda value: 0 <= value < math.inf, "finite and >= 0", "0 switches it off"),
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "order": (1, 2),
    "noise_scale": tuple(NOISE_FACTORS),
    "outer_step": OUTER_STEPS,
}
FLAGS = (
    *("eta_inner_decays", "inner_nesterov", "zero_inner_buffer", "outer_nesterov"),
    *("seed_outer_buffer", "discard_first"),
)
# One loop runs through all parameter groups, so these cannot differ between them.
SHARED = ("inner_steps", "discard_first")


def resolved(preset: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every switch: as given where it is not None, else as the preset has it.

    Raises: ValueError for an unknown preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset = {preset!r}; known presets: {', '.join(PRESETS)}")
    return {name: PRESETS[preset][name] if given[name] is None else given[name] for name in SWITCHES}


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same with numpy's numbers and truth values as Python's own. What is none stays, for `check` to refuse."""
    kinds = dict.fromkeys(RANGES, real) | dict.fromkeys(FLAGS, flag) | {"inner_steps": whole, "order": whole}
    # A tensor stays one, and is refused: what is written into it later would not arrive.
    found = {
        name: kind(settings.get(name))
        for name, kind in kinds.items()
        if type(settings.get(name)) not in (int, float, bool)
        and not hasattr(settings.get(name), "requires_grad")
    }
    return {**settings, **{name: value for name, value in found.items() if value is not None}}


def check(settings: Mapping[str, Any], asked: Container[str]) -> None:
    """Every setting of a parameter group is admissible, and none that was asked for would be without effect.

    settings: all of them, by name, as `plain` has them. asked: the names of those that no preset decided.
    Raises: ValueError naming the setting, its value, what is required and what to do.
    """
    for name, (holds, required, advice) in RANGES.items():
        value = settings[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not holds(real(value) or 0.0):
            raise ValueError(f"{name} = {value!r}; it must be a number, {required}: {advice}")
    for name, known in CHOICES.items():
        if isinstance(settings[name], bool) or settings[name] not in known:
            raise ValueError(f"{name} = {settings[name]!r}; it must be one of {', '.join(map(repr, known))}")
    for name in FLAGS:
        if not isinstance(settings[name], bool):
            raise ValueError(f"{name} = {settings[name]!r}; it must be True or False")
    steps = settings["inner_steps"]
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise ValueError(f"inner_steps = {steps!r}; it must be an integer >= 1: the paper uses 20 or 30")
    _check_together(settings, asked)


def _check_together(settings: Mapping[str, Any], asked: Container[str]) -> None:
    for name, momentum in NEEDS_MOMENTUM.items():
        if name in asked and settings[name] and settings[momentum] == 0:
            raise ValueError(
                f"{name} = True needs {momentum} > 0, which is 0: set the momentum or leave {name} out"
            )
    if settings["outer_step"] == "paper-eq11" and settings["order"] == 2:
        raise ValueError(
            "outer_step = 'paper-eq11' is a first-order step, order = 2: pass order=1 or leave it out"
        )
    if settings["eta_inner_decays"] and not settings["lr"] > 0:
        raise ValueError(
            f"eta_inner_decays = True scales eta_inner by lr over its first value, lr = {settings['lr']!r}: pass lr > 0"
        )
