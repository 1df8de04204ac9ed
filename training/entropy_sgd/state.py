"""What an EntropySGD keeps of each parameter and of the running loop, and what of a saved state may be loaded.

A parameter has "anchor" (theta), "mean_deviation" (mean - theta), where switched on "variance", "inner_buffer" and
"outer_buffer", and "passes": how many it made in the running loop, -1 before its first gradient. All of it is there
from the start, as torch's checkpointing tools fill what they find. The loop is the same for all parameters; those tools
keep the entries of parameter groups and drop others, so each group of a `state_dict` holds it, as plain values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from training.entropy_sgd.presets import SHARED, check

STATE_VERSION = 2
MEASURED = ("distance", "h_min", "h_max", "force_ratio")
NOTHING_MEASURED: dict[str, float | Tensor | None] = dict.fromkeys(MEASURED)

State = dict[str, Any]
Group = Mapping[str, Any]


@torch.inference_mode(False)
def add_missing(state: State, weight: Tensor, group: Group) -> None:
    """Has in the state of a parameter whatever the settings of its group need, zero where it is new."""
    if "anchor" not in state:
        state["anchor"] = weight.detach().clone()
        state["mean_deviation"] = torch.zeros_like(weight, requires_grad=False)
        state["passes"] = -1
    for name, needed in (
        ("variance", group["order"] == 2),
        ("inner_buffer", group["inner_momentum"]),
        ("outer_buffer", group["outer_momentum"]),
    ):
        if needed and name not in state:
            state[name] = torch.zeros_like(weight, requires_grad=False)


def follow(state: State, weight: Tensor) -> None:
    """Brings tensors of a state to where and what the parameter is now: a model may be moved after construction."""
    for name, value in state.items():
        if isinstance(value, Tensor) and (value.device, value.dtype) != (weight.device, weight.dtype):
            moved = torch.zeros_like(weight, requires_grad=False)
            state[name] = moved if value.is_meta else moved.copy_(value)


def loadable(state_dict: Mapping[str, Any], groups: Sequence[Group]) -> Mapping[str, Any]:
    """The loop of a `state_dict`, in its groups or, as version 1 had it, beside them, where all of it can be loaded.

    Raises: ValueError naming what is wrong: no EntropySGD's, settings or a loop none has, parameters of other shapes.
    """
    saved = state_dict["param_groups"]
    loop = state_dict.get("loop") or (saved[0].get("loop") if saved else None)
    if not isinstance(loop, Mapping) or loop.get("version") not in (1, STATE_VERSION):
        raise ValueError(
            f"state_dict has the keys {', '.join(map(repr, state_dict))}; it must be that of an EntropySGD, with "
            f"'loop' of version {STATE_VERSION} in its groups: load it into the optimizer it was taken from, or start "
            "a new one"
        )
    _check_groups(saved, set(groups[0]) - {"params", "loop"})
    _check_loop(loop, saved[0]["inner_steps"] + saved[0]["discard_first"] - 1)
    indices = [index for group in saved for index in group["params"]]
    weights = [weight for group in groups for weight in group["params"]]
    for index, weight in zip(indices, weights, strict=False):
        state = state_dict["state"].get(index, {})
        if not isinstance(state.get("passes", 0), int):
            raise ValueError(
                f"state_dict has passes = {state['passes']!r} of a parameter; it must be a whole number"
            )
        for value in state.values():
            if isinstance(value, Tensor) and value.shape != weight.shape:
                raise ValueError(
                    f"state_dict was taken with a parameter of shape {tuple(value.shape)} where this optimizer has "
                    f"{tuple(weight.shape)}: build it from the same model, with its parameters in the same order"
                )
    return loop


def _check_groups(saved: Sequence[Group], names: set[str]) -> None:
    for group in saved:
        lacking = sorted(names - set(group))
        if lacking:
            raise ValueError(
                f"state_dict has a parameter group without {', '.join(lacking)}: load that of an EntropySGD"
            )
        # A scheduler may have left lr where it cannot begin, at 0.
        check({**group, "lr": group.get("first_lr", group["lr"])}, ())
        for name in SHARED:
            if group[name] != saved[0][name]:
                raise ValueError(
                    f"state_dict has groups of different {name}; one loop runs through all of them"
                )


def _check_loop(loop: Mapping[str, Any], last: int) -> None:
    for name, most in (("position", last), ("outer_steps", 2**63), ("seed", 2**32 - 1)):
        value = loop.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise ValueError(
                f"state_dict has {name} = {value!r} in its loop; it must be a whole number from 0 to {most}: the file "
                "is damaged or was edited, load another one"
            )
    if not isinstance(loop.get("measured"), Mapping) or not _are_generators(loop.get("noise")):
        raise ValueError(
            "state_dict has no readable noise generators or measurements in its loop: the file is damaged or was "
            "edited, load another one"
        )


def _are_generators(saved: Any) -> bool:
    """Whether it is what `Noise.state` returns; of a CPU also whether a generator takes it."""
    try:
        for kind, state in saved:
            words = (
                state.cpu()
                if isinstance(state, Tensor)
                else torch.tensor([*bytes.fromhex(state)], dtype=torch.uint8)
            )
            if kind == "cpu":
                torch.Generator().set_state(words)
    except (ValueError, TypeError, RuntimeError, AttributeError):
        return False
    return True
