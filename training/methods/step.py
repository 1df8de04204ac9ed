"""What a minibatch does to the weights under AT, AWP, TRADES or TRADES-AWP, for SGD and EntropySGD alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.cells.recipe import Recipe
from training.engine.machine import Replay, plainly
from training.methods.ascent import uniform_start
from training.methods.attacks import pgd, trades_attack, trades_loss, trades_start
from training.methods.awp import AdversarialWeights
from training.methods.batch_norm import batch_norm_policy, move_statistics, running_layers

# All that Python decides in `Method.gradients`: AWP perturbs, its v decays, the modes of layers with a running state.
Kind = tuple[bool, bool, tuple[bool, ...]]
# The batch norm of the attack under `code`, whose extra forwards are made besides.
CODE_ATTACK = {"at": "train", "trades": "eval"}


@dataclass(frozen=True)
class Outcome:
    """Of one minibatch, scalars on its device that nothing has waited for.

    loss         : that was descended, at the perturbed weights under AWP
    robust_right : examples of x + delta that the training forward got right
    clean_right  : the same for x, None where the method makes no clean forward
    """

    loss: Tensor
    robust_right: Tensor
    clean_right: Tensor | None


class Method:
    """The step of a recipe: its attack, its loss, AWP around it, and the optimizer's step.

    AT     : CE(model(x + delta), y), delta from PGD
    TRADES : CE(model(x), y) + beta KL(model(x) || model(x + delta)), delta from its own attack
    AWP    : the gradient of either at w + v (`training.methods.awp`); the optimizer steps at w

    Under the policy `code` the public codes' extra forwards move the running statistics: AT makes one on x + delta
    after the attack and one on x after the update, TRADES a second one on x beside the loss. With the preset `code`
    the weight decay of SGD acts on w + v. Every other forward that a step needs is made once: 1 + L attack steps.

    model : takes pixels in [0, 1]; its mode during the training forward is the caller's
    weight_gradients : the attack computes weight gradients and drops them, as the public codes do
    precise : the same weights and modules in float32 where `model` computes in bf16, for the one step of an attack
        that needs it, the first one of TRADES (`training.methods.attacks.trades_attack`)
    replay : calls `gradients` for `step`, perhaps from a recording (`training.engine`)
    """

    def __init__(
        self,
        recipe: Recipe,
        model: nn.Module,
        *,
        weight_gradients: bool = False,
        precise: nn.Module | None = None,
        replay: Replay = plainly,
    ) -> None:
        self.trades = recipe.beta is not None
        self.recipe = recipe
        self.model = model
        self.weight_gradients = weight_gradients
        self.precise = precise
        self.replay = replay
        self.code_forwards = recipe.bn_policy_attack == "code"
        self.bn_policy = (
            CODE_ATTACK["trades" if self.trades else "at"] if self.code_forwards else recipe.bn_policy_attack
        )
        self.awp = None
        if recipe.gamma_awp is not None:
            self.awp = AdversarialWeights(model, recipe.gamma_awp, policy=recipe.preset, check_values=False)
        self.forwards_clean = self.trades or self.code_forwards  # and so knows clean_right
        self._layers = running_layers(model)
        self._logits: list[Tensor] = []

    def step(
        self,
        optimizer: torch.optim.Optimizer,
        x: Tensor,
        y: Tensor,
        *,
        generator: torch.Generator,
        awp: bool = True,
    ) -> Outcome:
        """One update of the weights on x (N, C, H, W) in [0, 1], y (N,) int64.

        generator : of the attack's start, on the device of x
        awp       : False leaves the weights unperturbed, as in a warm-up; without effect in recipes without AWP
        """
        kind = self.kind(entropy=not isinstance(optimizer, torch.optim.SGD), awp=awp)
        # Random numbers are drawn before what may be a recording, the weights are moved after it.
        outcome, gradients = self.replayed(kind, x, y, self.start(x, generator))
        for weight, gradient in gradients:
            weight.grad = gradient
        optimizer.step()
        clean_right = outcome.clean_right
        if self.code_forwards and not self.trades:
            clean_right = (self.forward_after(x).argmax(dim=1) == y).sum()
        elif clean_right is not None:
            clean_right = clean_right.clone()
        # A replay writes into the same memory again; what the caller keeps is his.
        return Outcome(outcome.loss.clone(), outcome.robust_right.clone(), clean_right)

    def kind(self, *, entropy: bool, awp: bool) -> Kind:
        """Of a step whose optimizer is EntropySGD (`entropy`) or SGD, with the batch norm as it is now."""
        perturbs = self.awp is not None and awp
        # SGD decays w + v as the public code does; EntropySGD steps at theta' free of v (Algorithm 1, lines 10-12).
        decays = perturbs and self.recipe.preset == "code" and not entropy
        return perturbs, decays, tuple(layer.training for layer in self._layers)

    def replayed(
        self, kind: Kind, x: Tensor, y: Tensor, start: Tensor
    ) -> tuple[Outcome, list[tuple[Tensor, Tensor | None]]]:
        """`gradients`, perhaps from a recording of this kind."""
        perturbs, decays, _ = kind
        return self.replay(
            kind,
            lambda x, y, start: self.gradients(x, y, start, perturbs=perturbs, decays=decays),
            (x, y, start),
        )

    def start(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """The first delta of the training attack, not projected yet, shape of x."""
        if self.trades:
            return trades_start(x, generator)
        return uniform_start(x, self.recipe.epsilon, self.recipe.norm, generator)

    def gradients(
        self, x: Tensor, y: Tensor, start: Tensor, *, perturbs: bool, decays: bool
    ) -> tuple[Outcome, list[tuple[Tensor, Tensor | None]]]:
        """Attack, loss and backward: what they found, and each weight with its gradient, of which AWP may be a part.

        Static shapes, no random number and nothing that waits for the device: it can be captured as a graph.
        """
        delta = self.attack(x, y, start)
        if self.code_forwards and not self.trades:
            move_statistics(self.model, [x + delta])
        loss = self._trades_loss(x, delta, y) if self.trades else self._adversarial_loss(x + delta, y)
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        with self.awp.perturbed(loss) if self.awp is not None and perturbs else nullcontext():
            for weight in weights:
                weight.grad = None
            value = loss()
            value.backward()
            if self.code_forwards and self.trades:
                move_statistics(self.model, [x])
        if self.awp is not None and decays:
            self.awp.add_decay(self.recipe.weight_decay)
        right = [(logits.argmax(dim=1) == y).sum() for logits in self._logits]
        outcome = Outcome(value.detach(), right[0], right[1] if len(right) > 1 else None)
        return outcome, [(weight, weight.grad) for weight in weights]

    def attack(self, x: Tensor, y: Tensor, start: Tensor) -> Tensor:
        """delta of the training attack from a `start`, detached, shape of x."""
        recipe = self.recipe
        budget: dict[str, Any] = {
            "epsilon": recipe.epsilon,
            "step_size": recipe.step_size_train,
            "steps": recipe.steps_train,
            "norm": recipe.norm,
        }
        how: dict[str, Any] = {
            "bn_policy": self.bn_policy,
            "weight_gradients": self.weight_gradients,
            "check_values": False,  # pixels are in [0, 1], and a loss that is no number is the trainer's to report
        }
        if self.trades:
            return trades_attack(self.model, x, start=start, first_model=self.precise, **budget, **how)
        return pgd(self.model, x, y, start=start, **budget, **how)

    def _adversarial_loss(self, adversarial: Tensor, y: Tensor) -> Callable[[], Tensor]:
        def loss() -> Tensor:
            with self._noting():
                return F.cross_entropy(self.model(adversarial), y)

        return loss

    def _trades_loss(self, x: Tensor, delta: Tensor, y: Tensor) -> Callable[[], Tensor]:
        beta = self.recipe.beta
        assert beta is not None  # the recipe's own check

        def loss() -> Tensor:
            with self._noting():
                return trades_loss(self.model, x, delta, y, beta=beta)

        return loss

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Keeps the logits of the forwards inside, those of x + delta first, for the accuracies of `Outcome`."""
        self._logits = []
        hook = self.model.register_forward_hook(
            lambda module, inputs, logits: self._logits.append(logits.detach())
        )
        try:
            yield
        finally:
            hook.remove()

    def forward_after(self, x: Tensor) -> Tensor:
        """The logits of the public AT code's forward on x after the update, which moves the running statistics."""
        with batch_norm_policy(self.model, "train"), torch.no_grad():
            return self.model(x)
