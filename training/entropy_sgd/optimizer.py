"""`EntropySGD`, Algorithm 1 behind the interface of a torch optimizer: one `step()` a minibatch.

Where Algorithm 1 is wrong as printed, what it means is done; results/theory.md has the proofs. Line 10 has the loss
gradient's sign reversed (`alg1.line10`), line 15 ends at d for m (`alg1.line15`), line 16 cancels in float32
(`alg1.line16-cancellation`). Line 11 is kept: it samples at inverse temperature 2/epsilon_E^2, not at the 1 of
Eq. (12) (`alg1.line11`, `alg1.temperature`), but that is what was run.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from training.entropy_sgd.noise import Noise
from training.entropy_sgd.presets import SHARED, check, plain, resolved
from training.entropy_sgd.state import (
    MEASURED,
    NOTHING_MEASURED,
    STATE_VERSION,
    add_missing,
    follow,
    loadable,
)
from training.entropy_sgd.steps import force_and_gradient, inner_pass, norm, outer_step, together
from training.scalars import whole


@dataclass(frozen=True)
class Diagnostics:
    """What was measured in one outer step (counted from 1), over all parameters.

    distance    : ||theta - mean||
    h_min, h_max: the range of h in the step theta <- theta - lr gamma h (theta - mean): 1/(gamma - gamma^2 variance) at
                  order 2, 1/gamma at order 1, 1 for `paper-eq11`. Where h < 0 the -F of Eq. (10) curves downwards
                  and the step of Eq. (77) climbs
    force_ratio : gamma ||theta - theta'|| / ||grad L(theta')|| in the last pass; inf or nan where the gradient is 0
    """

    outer_step: int
    distance: float
    h_min: float
    h_max: float
    force_ratio: float


def _eagerly(method: Callable) -> Callable:
    """`torch.compile` leaves the method as it is: what it sets on the optimizer would be lost.

    Marked at the first call and not at import, where it would load torch's compiler.
    """

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        marked = vars(method).get("marked")
        if marked is None:
            marked = method.marked = torch.compiler.disable(method)  # type: ignore[attr-defined]
        return marked(*args, **kwargs)

    return call


class EntropySGD(torch.optim.Optimizer):
    """Descent on -F(theta) = -log int exp(-L(theta') - gamma/2 ||theta - theta'||^2) dtheta', Eq. (10).

    The weights in place are theta', which start a loop at the anchor theta. Each `step()` is one pass of lines 10-13
    with the gradients found there:

        theta' <- theta' - eta_inner (grad L(theta') + gamma (theta' - theta)) + sqrt(eta_inner) noise N(0, I)
        mean   <- (1 - alpha) mean + alpha theta'

    Every L-th (L = inner_steps, L + 1 with `discard_first`) goes on to the outer step, after which theta' = theta:

        theta <- theta - lr gamma h (theta - mean),    h = 1/(gamma - gamma^2 variance), variance 0 at order 1.

    A model is judged at theta: `evaluation_weights`. A parameter whose gradient is None sits the pass out, and the
    outer step too where it made no pass of the loop or was frozen since (requires_grad False). A call in which none has
    a gradient does not advance the loop; neither does one that a gradient scaler skips. Gradients are read, never
    changed: unscale them before.

    Parameters that something else has written to inside a loop, `model.load_state_dict(best)` say, are theta from there
    on: averages start anew, the count goes on, and a warning says so. To change theta' alone, as a projection does
    after every step, write to `weight.data`, which is not noticed.

    params, lr: as in torch. lr >= 0 is eta, read at the outer step only: a scheduler's drop inside a loop acts on all
        of that loop. Every setting but seed, preset, inner_steps and discard_first may differ between groups.
    inner_steps: L >= 1. gamma > 0: the scope. noise >= 0: epsilon_E (1 with "sqrt-2-eta" is Langevin dynamics for
        p_theta of Eq. (12)). order: 1 or 2.
    eta_inner, eta_inner_decays: eta' > 0, constant unless it decays: then a pass uses eta_inner lr / (first lr). The
        paper does not say which; the code it builds on keeps eta'.
    alpha: the weight of the new iterate in the averages, in (0, 1].
    preset: "paper", "paper-eq11" or "code": the values of all switches that are None (`presets.SWITCHES`).
    seed: of the noise, 0 <= seed < 2^32, the same on every rank; the weights then stay the same too.
    noise_scale: "sqrt-eta" (line 11) or "sqrt-2-eta". outer_step: at order 1, "paper", lr (theta - mean), or
        "paper-eq11", lr gamma (theta - mean), shorter by the factor gamma.
    inner_momentum, inner_nesterov, inner_weight_decay: on the loss gradient, before gamma (theta' - theta) is added.
        zero_inner_buffer: every loop starts without momentum.
    outer_momentum, outer_nesterov, outer_weight_decay: in the outer step. seed_outer_buffer: its momentum starts as
        the first gradient ever met. discard_first: the gradient of a loop's first minibatch is not used.
    Raises: ValueError naming the argument.

    Numbers may be numpy's. The noise is the optimizer's own (`Noise`), drawn on the device. `state_dict` holds it and
    the position in the loop: with the model's, taken outside `evaluation_weights`, a run resumes to the bit.
    `torch.distributed.checkpoint` finds all of it where it looks. `torch.compile` leaves `step` as it is.
    """

    _evaluating: bool
    _position: int
    _outer_steps: int
    _measured: dict[str, float | Tensor | None]
    _left: dict[Tensor, tuple[int, Tensor]]

    def __init__(
        self,
        params: Any,
        lr: float,
        *,
        inner_steps: int,
        gamma: float = 0.03,
        eta_inner: float = 0.1,
        eta_inner_decays: bool = False,
        noise: float = 1e-4,
        alpha: float | None = None,
        order: int = 1,
        preset: str = "paper",
        seed: int = 0,
        noise_scale: str | None = None,
        outer_step: str | None = None,
        inner_momentum: float | None = None,
        inner_nesterov: bool | None = None,
        inner_weight_decay: float | None = None,
        zero_inner_buffer: bool | None = None,
        outer_momentum: float | None = None,
        outer_nesterov: bool | None = None,
        outer_weight_decay: float | None = None,
        seed_outer_buffer: bool | None = None,
        discard_first: bool | None = None,
    ) -> None:
        given = plain({name: value for name, value in locals().items() if name != "self"})
        number = whole(seed)
        if number is None or not 0 <= number < 2**32:
            raise ValueError(
                f"seed = {seed!r}; it must be an integer, 0 <= seed < 2^32: the same on every rank"
            )
        always = ("lr", "inner_steps", "gamma", "eta_inner", "eta_inner_decays", "noise", "order")
        self._set_loop({"seed": number, "position": 0, "outer_steps": 0, "noise": [], "measured": {}})
        defaults = {name: given[name] for name in always} | resolved(preset, given)
        check(defaults, {name for name, value in given.items() if value is not None})
        super().__init__(params, defaults)

    @property
    def position(self) -> int:
        """How many minibatches the running loop has used; 0 where theta' = theta."""
        return self._position

    @property
    def outer_steps(self) -> int:
        """How many outer steps were taken."""
        return self._outer_steps

    @property
    def diagnostics(self) -> Diagnostics:
        """Of the last outer step. Taking them does not wait for the device, reading them does.

        Raises: RuntimeError before the first outer step, where `outer_steps` is 0.
        """
        if not self._outer_steps:
            raise RuntimeError(
                "diagnostics are taken in outer steps, and none was made: read them once outer_steps > 0"
            )
        return Diagnostics(self._outer_steps, **self._loop()["measured"])

    @_eagerly
    @torch.inference_mode(False)
    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One pass of the inner loop with the gradients in place and, at the loop's end, the outer step.

        closure: evaluated once, before, at theta'. Returns: its value, or None without one.
        Raises: RuntimeError inside `evaluation_weights`; ValueError for a gradient that is not dense.
        """
        self._refuse_while_evaluating("step()")
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        moving = [(group, weights) for group in self.param_groups if (weights := _with_gradient(group))]
        if not moving:
            return loss
        if self._position:
            self._take_written()
        for group, weights in moving:
            self._meet(group, weights)
        if self._position == 0:
            self._begin()
        discards = int(self.param_groups[0]["discard_first"])
        self._position += 1
        if self._position > discards:
            ends = self._position >= self.param_groups[0]["inner_steps"] + discards
            norms = [self._pass(group, weights, ends) for group, weights in moving]
            if ends:
                self._end(norms)
        self._remember()
        return loss

    @contextmanager
    def evaluation_weights(self) -> Iterator[None]:
        """Inside the block the parameters are theta; afterwards theta' again, to the bit, exceptions included.

        What is written to the parameters inside is lost, and `step()` is refused. Blocks may be nested.
        """
        weights = [weight for group in self.param_groups for weight in group["params"]]
        saved, before = [weight.detach().clone() for weight in weights], self._evaluating
        try:
            if not self._evaluating:
                self._take_written()
            self._evaluating = True
            self._put_anchors()
            # Autocast keeps its casts of the weights while a block of it lasts, and does not see them change.
            torch.clear_autocast_cache()
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(weights, saved)
            torch.clear_autocast_cache()
            self._left = {weight: (weight._version, left) for weight, (_, left) in self._left.items()}
            self._evaluating = before

    def discard_inner_loop(self) -> None:
        """Drop an unfinished loop: the parameters become theta, every momentum 0. For a switch to or from SGD.

        Momentum is then not seeded a second time, and the noise generators go on.
        Raises: RuntimeError inside `evaluation_weights`.
        """
        self._refuse_while_evaluating("discard_inner_loop()")
        self._take_written()
        self._put_anchors()
        self._position = 0
        self._left = {}
        for state in self.state.values():
            for name in state.keys() & {"inner_buffer", "outer_buffer"}:
                state[name].zero_()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As in torch. The group joins a running loop at its first gradient, its weights there being its anchor.

        Raises: ValueError for inadmissible settings or parameters; the optimizer is then as it was.
        """
        param_group.update(plain(param_group))
        settings = {**self.defaults, **param_group}
        check(settings, param_group)
        for name in SHARED if self.param_groups else ():
            if settings[name] != self.param_groups[0][name]:
                raise ValueError(
                    f"{name} = {settings[name]!r} in one parameter group, {self.param_groups[0][name]!r} in another; "
                    "one loop runs through all of them: set it for the optimizer"
                )
        super().add_param_group(param_group)
        for weight in param_group["params"]:
            if not weight.is_floating_point():
                self.param_groups.pop()
                raise ValueError(
                    f"params holds a tensor of type {weight.dtype}; it must be real floating-point: leave it out"
                )
        param_group.setdefault("first_lr", param_group["lr"])
        param_group["loop"] = {}  # filled in a `state_dict`
        self._noise.at(_devices(self.param_groups))
        for weight in param_group["params"]:
            if weight.requires_grad:
                add_missing(self.state[weight], weight, param_group)

    def state_dict(self) -> dict[str, Any]:
        """As in torch, and in each group "loop": position, number of outer steps, noise generators, diagnostics."""
        found = super().state_dict()
        for group in found["param_groups"]:
            group["loop"] = self._loop()
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken, as in torch with the settings saved in it. Tensors are copied.

        Where the parameters are on other kinds of device than they were, the noise starts anew, with a warning.
        Raises: ValueError for the state of another optimizer or of parameters of other shapes; RuntimeError inside
        `evaluation_weights`.
        """
        self._refuse_while_evaluating("load_state_dict()")
        loop = loadable(state_dict, self.param_groups)
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "loop"})
        for group in self.param_groups:
            group["loop"] = {}
            for weight in group["params"]:
                state = self.state.get(weight, {})
                state.update(
                    {name: value.clone() for name, value in state.items() if isinstance(value, Tensor)}
                )
                if state:
                    state.setdefault("passes", int(loop["position"] > group["discard_first"]))  # version 1
                if weight.requires_grad:
                    add_missing(self.state[weight], weight, group)
        self._set_loop(loop)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "loop": self._loop()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({name: value for name, value in state.items() if name != "loop"})
        if "loop" in state:
            self._set_loop(state["loop"])

    def _meet(self, group: Mapping[str, Any], weights: list[Tensor]) -> None:
        """Parameters that have a gradient for the first time join the loop where they are."""
        for weight in weights:
            state = self.state[weight]
            add_missing(state, weight, group)
            if state["passes"] < 0:
                follow(state, weight)
                state["anchor"].copy_(weight)
                state["passes"] = 0
                if group["outer_momentum"] and group["seed_outer_buffer"]:
                    state["outer_buffer"].copy_(weight.grad)

    def _begin(self) -> None:
        """Lines 2 and 3: theta is where the weights are now, and the averages start there."""
        self._noise.at(_devices(self.param_groups))
        for group in self.param_groups:
            for weight in self._met(group):
                state = self.state[weight]
                follow(state, weight)
                state["anchor"].copy_(weight)
                state["passes"] = 0
                zeroed = {"mean_deviation", "variance"} | (
                    {"inner_buffer"} if group["zero_inner_buffer"] else set()
                )
                for name in state.keys() & zeroed:
                    state[name].zero_()

    def _pass(self, group: dict[str, Any], weights: list[Tensor], measure: bool) -> tuple[Tensor, ...]:
        """One pass for those of a group that have a gradient; where asked, the norms of its force and gradient."""
        states = [self.state[weight] for weight in weights]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        norms = force_and_gradient(weights, gradients, states, group) if measure else ()
        inner_pass(weights, gradients, states, group, self._noise.like)
        for state in states:
            state["passes"] += 1
        return norms

    def _end(self, norms: Sequence[tuple[Tensor, ...]]) -> None:
        """The outer step of every group, and its diagnostics."""
        means, h_range = [], []
        for group in self.param_groups:
            weights = [
                weight for weight in self._met(group, 1) if weight.requires_grad or weight.grad is not None
            ]
            if weights:
                states = [self.state[weight] for weight in weights]
                h_range += outer_step(weights, states, group)
                means += [state["mean_deviation"] for state in states]
        h = together(h_range)
        force, gradient = (norm(column) for column in zip(*norms, strict=True))
        values = (norm(means), h.amin(), h.amax(), force / gradient)
        self._measured = dict(zip(MEASURED, values, strict=True))
        self._position = 0
        self._outer_steps += 1

    def _met(self, group: Mapping[str, Any], passes: int = 0) -> list[Tensor]:
        """The parameters of a group that have had a gradient and made that many passes of the running loop."""
        return [one for one in group["params"] if one in self.state and self.state[one]["passes"] >= passes]

    @torch.no_grad()
    def _put_anchors(self) -> None:
        """Between loops nothing is put: the weights are theta, the anchors perhaps an old one."""
        for group in self.param_groups if self._position else ():
            for weight in self._met(group, 1):
                weight.copy_(self.state[weight]["anchor"])

    def _remember(self) -> None:
        """Inside a loop, theta' as the pass left it: what is found changed later, something else has written."""
        if not self._position:
            self._left = {}
            return
        known = [weight for group in self.param_groups for weight in self._met(group)]
        self._left = {
            weight: (
                weight._version,
                self._left[weight][1] if weight in self._left else torch.empty_like(weight),
            )
            for weight in known
        }
        torch._foreach_copy_([left for _, left in self._left.values()], known)

    @torch.no_grad()
    def _take_written(self) -> None:
        """Parameters that something else has written to since the last pass are theta from here on.

        A version that moved is the sign; only then are values compared, as AWP moves and restores them.
        """
        signs = {weight: left for weight, (version, left) in self._left.items() if weight._version != version}
        if not signs:
            return
        changed = together([_differs(weight, left) for weight, left in signs.items()]).tolist()
        written = [weight for weight, differs in zip(signs, changed, strict=True) if differs]
        for weight in written:
            state = self.state[weight]
            state["anchor"].copy_(weight)
            for name in state.keys() & {"mean_deviation", "variance"}:
                state[name].zero_()
        for weight, left in signs.items():
            left.copy_(weight)
            self._left[weight] = (weight._version, left)
        if written:
            warnings.warn(
                f"{len(written)} of {len(self._left)} parameters were written to after pass {self._position} of the "
                "loop: they are its theta from here on. To change theta' alone, write to weight.data",
                stacklevel=3,
            )

    def _refuse_while_evaluating(self, what: str) -> None:
        if self._evaluating:
            raise RuntimeError(
                f"{what} inside evaluation_weights(): call it after the block, where the weights are theta'"
            )

    def _loop(self) -> dict[str, Any]:
        return {
            "version": STATE_VERSION,
            "seed": self._noise.seed,
            "noise": self._noise.state(),
            "position": self._position,
            "outer_steps": self._outer_steps,
            "measured": {
                name: None if value is None else float(value) for name, value in self._measured.items()
            },
        }

    def _set_loop(self, loop: Mapping[str, Any]) -> None:
        self._evaluating = False
        self._position, self._outer_steps = loop["position"], loop["outer_steps"]
        self._left = {}
        self._measured = NOTHING_MEASURED | loop["measured"]
        self._noise = Noise(loop["seed"])
        if loop["noise"]:
            self._noise.restore(loop["noise"], _devices(self.param_groups))


def _with_gradient(group: Mapping[str, Any]) -> list[Tensor]:
    weights = [weight for weight in group["params"] if weight.grad is not None]
    for weight in weights:
        if weight.grad.layout is not torch.strided:
            raise ValueError(
                f"the gradient of a parameter of shape {tuple(weight.shape)} is {weight.grad.layout}; it must be "
                "dense: pass sparse=False to the layer that makes it"
            )
    return weights


def _devices(groups: Sequence[Mapping[str, Any]]) -> list[torch.device]:
    return list(dict.fromkeys(weight.device for group in groups for weight in group["params"]))


def _differs(weight: Tensor, left: Tensor) -> Tensor:
    """Whether any number of the two is another one, a scalar; nan is nan."""
    return ((weight != left) & ~(weight.isnan() & left.isnan())).any()
