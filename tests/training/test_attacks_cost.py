"""What PGD and TRADES cost (training/methods/attacks.py): operations and forwards of a step, nothing that waits.

Second source: operation counts from the shapes of the layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from attack_nets import BUDGET, small_batch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from training.methods.attacks import pgd, trades_attack, trades_loss
from training.methods.batch_norm import move_statistics
from training.models import SmallNet


def test_gradients_of_weights_change_the_cost_and_not_the_attack():
    model, x, y = small_batch()
    model.eval()
    deltas = [
        pgd(model, x, y, weight_gradients=asked, generator=torch.Generator().manual_seed(1), **BUDGET)
        for asked in (False, True)
    ]
    assert torch.equal(*deltas)
    assert not torch.equal(deltas[0], pgd(model, x, y, generator=torch.Generator().manual_seed(2), **BUDGET))


class Operations(TorchDispatchMode):
    """Counts every operation, and those that make the host wait for the device."""

    WAITING = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "unique")

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        shapes = [tuple(value.shape) for value in args if isinstance(value, Tensor)]
        self.seen[f"{function.overloadpacket.__name__} {shapes}"] += 1
        return function(*args, **(kwargs or {}))

    @property
    def waiting(self) -> list[str]:
        return [name for name in self.seen if name.split()[0] in self.WAITING]


def operations(attack: str, norm: str, steps: int, loss="ce") -> Operations:
    model, x, y = small_batch()
    options: dict[str, Any] = {
        "epsilon": 0.1,
        "step_size": 0.03,
        "steps": steps,
        "norm": norm,
        "bn_policy": "train",
    }
    with Operations() as counted:
        if attack == "pgd":
            pgd(model, x, y, loss=loss, **options)
        else:
            trades_attack(model, x, **options)
    return counted


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("attack", ["pgd", "trades"])
def test_every_step_is_the_same_operations_on_the_same_shapes_and_none_waits_for_the_device(attack, norm):
    one, two, three = (operations(attack, norm, steps) for steps in (1, 2, 3))
    assert two.seen - one.seen == three.seen - two.seen != Counter()
    assert three.waiting == []

    def waiting_loss(logits: Tensor, y: Tensor) -> Tensor:
        loss = F.cross_entropy(logits, y)
        return loss if loss.item() > 0 else 2 * loss

    assert operations("pgd", norm, 1, waiting_loss).waiting != []


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_attacks_run_where_no_value_exists_to_wait_for(norm):
    with torch.device("meta"):
        model, x = SmallNet(10, 1), torch.empty(5, 1, 8, 8)
        y = torch.empty(5, dtype=torch.int64)
    assert pgd(model, x, y, norm=norm, bn_policy="train", **BUDGET).shape == x.shape
    assert trades_attack(model, x, norm=norm, bn_policy="eval", **BUDGET).shape == x.shape
    with pytest.raises(RuntimeError, match="meta"):
        pgd(model, x, y, loss=lambda logits, y: logits.sum() * logits.sum().item(), **BUDGET)


def adversarial_step(model: nn.Module, x: Tensor, y: Tensor, policy: str, public: bool = False) -> None:
    """A step of AT with PGD-10; `public` as the public code: weight gradients in the attack, two forwards more."""
    delta = pgd(model, x, y, bn_policy=policy, weight_gradients=public, **BUDGET)
    if public:
        move_statistics(model, [x + delta])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    F.cross_entropy(model(x + delta), y).backward()
    optimizer.step()
    if public:
        move_statistics(model, [x])


def flops(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def test_a_step_of_pgd_10_costs_23_forwards_and_35_as_the_public_code_does_it():
    model, x, y = small_batch()
    # 2 FLOP a multiply-add: outputs x window x channels in, of both convolutions, and the linear layer.
    first = 6 * 2 * (4 * 4 * 16) * 9
    forward = first + 6 * 2 * (256 * 92 + 92 * 10)
    assert flops(lambda: model(x)) == forward
    # Where x needs no gradient, the first convolution passes none back: the training step saves one `first`.
    assert flops(lambda: adversarial_step(model, x, y, "train")) == 23 * forward - first
    assert flops(lambda: adversarial_step(model, x, y, "frozen")) == 23 * forward - first
    assert flops(lambda: adversarial_step(model, x, y, "train", public=True)) == 35 * forward - first
    attack = flops(lambda: pgd(model, x, y, **BUDGET))
    assert attack == 20 * forward
    assert flops(lambda: pgd(model, x, y, weight_gradients=True, **BUDGET)) == 30 * forward


def test_a_step_of_trades_costs_27_forwards():
    model, x, y = small_batch()
    forward = flops(lambda: model(x))
    first = flops(lambda: model.net.conv(x))

    def step() -> None:
        delta = trades_attack(model, x, bn_policy="eval", **BUDGET)
        trades_loss(model, x, delta, y).backward()

    assert flops(step) == 27 * forward - 2 * first
