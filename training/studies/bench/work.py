"""Counts the floating-point operations and bytes of a training step and measures the rates a device reaches; their
quotients are the floor below any engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from training.cells.recipe import Recipe
from training.engine.device import Computing, TrainingForward
from training.methods.step import Method
from training.models import MODELS, build

COUNTED = (2, 3)  # batch sizes counted; a step's work is a constant and a share an image
BYTE_MODEL = (
    "every convolution, matrix product and batch norm reads its tensors and writes its results once, a batch norm with "
    "batch statistics (and its backward) reads twice; what is elementwise between them, and the update, costs nothing"
)
PRODUCTS = ("convolution", "mm", "addmm", "bmm", "baddbmm")
PRECISIONS = {"bf16": torch.bfloat16, "tf32": torch.float32, "float32": torch.float32}
# Side of the square matrices and bytes copied: enough to fill the device, little enough for a CPU.
SIDE = {"cuda": 8192, "cpu": 1024}
COPIED = {"cuda": 2**30, "cpu": 2**27}
REPEATS = 10


@dataclass(frozen=True)
class Work:
    """flops: 2 a multiply-add, of convolutions and matrix products; bytes: by BYTE_MODEL."""

    flops: float
    bytes: float


def step_work(
    recipe: Recipe, classes: int, channels: int, computing: Computing, *, weight_gradients: bool
) -> Work:
    """Of one training step of the recipe on a whole batch, AWP being on, in the precision of `computing`.

    It is counted on eager steps of a few images and scaled: the counts are linear in the batch size.

    weight_gradients : whether the attack computes those of the weights too
    """
    device = torch.device(computing.device)
    few, more = (
        _counted(recipe, classes, channels, computing, device, size, weight_gradients) for size in COUNTED
    )
    share = (recipe.batch - COUNTED[0]) / (COUNTED[1] - COUNTED[0])
    return Work(few.flops + share * (more.flops - few.flops), few.bytes + share * (more.bytes - few.bytes))


def counted(step: Callable[[], object]) -> Work:
    """What step() does."""
    flops, traffic = FlopCounterMode(display=False), _Traffic()
    with flops, traffic:
        step()
    return Work(float(flops.get_total_flops()), float(traffic.bytes))


def product_rate(device: torch.device, precision: str) -> float:
    """FLOP/s of the fastest of a few square matrix products on random data, in one of PRECISIONS."""
    side = SIDE[device.type]
    a, b = (torch.randn(side, side, device=device, dtype=PRECISIONS[precision]) for _ in range(2))
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        return 2 * side**3 / _fastest(lambda: a @ b, device)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def copy_rate(device: torch.device) -> float:
    """Bytes a second, read and written, of the fastest of a few copies within the device's memory."""
    source = torch.randint(0, 256, (COPIED[device.type],), device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    return 2 * source.numel() / _fastest(lambda: target.copy_(source), device)


def precision_of(computing: Computing) -> str:
    """The one of PRECISIONS in which the training forwards make their products."""
    if computing.amp == "bf16":
        return "bf16"
    return "tf32" if computing.tf32 and computing.kind == "cuda" else "float32"


def clock(device: torch.device) -> Callable[[], float]:
    """Of a process that computes with one thread, its processor time, which others on the machine do not lengthen;
    else the wall's."""
    alone = device.type != "cuda" and torch.get_num_threads() == 1
    return time.process_time if alone else time.perf_counter


def synchronise(device: torch.device) -> None:
    """Waits until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _counted(
    recipe: Recipe,
    classes: int,
    channels: int,
    computing: Computing,
    device: torch.device,
    size: int,
    weight_gradients: bool,
) -> Work:
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        net = computing.place(build(recipe.model, classes, channels, *(recipe.normalisation or ())), device)
    net.train()
    method = Method(recipe, TrainingForward(net, computing, device), weight_gradients=weight_gradients)
    generator = torch.Generator(device).manual_seed(0)
    # uniform pixels: what the counts depend on is shapes alone
    shape = (channels, MODELS[recipe.model][1], MODELS[recipe.model][1])
    x = computing.inputs(torch.rand(size, *shape, generator=generator, device=device))
    y = torch.arange(size, device=device) % classes
    still = torch.optim.SGD(net.parameters(), lr=0.0)
    return counted(lambda: method.step(still, x, y, generator=generator))


class _Traffic(TorchDispatchMode):
    """Sums the bytes of BYTE_MODEL over the operations inside."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.bytes += _moved(func.overloadpacket.__name__, args, result)
        return result


def _moved(name: str, args: tuple[Any, ...], result: Any) -> int:
    if name == "convolution_backward":
        gradient, image, weight = args[:3]
        for_input, for_weight = args[-1][:2]
        read = [gradient, weight] * for_input + [gradient, image] * for_weight
        return _size(read) + _size(result)
    if "batch_norm" in name and "backward" in name:
        # The sums over the batch come before the gradient that needs them.
        passes = 1 + _by_batch(name, args)
        return passes * _size(args[:2]) + _size(result[0])
    if "batch_norm" in name:
        return (1 + _by_batch(name, args)) * _size(args[0]) + _size(result[0])
    return _size(args) + _size(result) if name in PRODUCTS else 0


def _by_batch(name: str, args: tuple[Any, ...]) -> bool:
    """Whether a batch norm takes its statistics from the batch: its one flag says so, or its name."""
    flags = [one for one in args if isinstance(one, bool)]
    return flags[0] if flags else "no_update" not in name


def _size(found: Any) -> int:
    """Bytes of a tensor or of those in a sequence."""
    if isinstance(found, Tensor):
        return found.numel() * found.element_size()
    return sum(map(_size, found)) if isinstance(found, list | tuple) else 0


def _fastest(call: Callable[[], object], device: torch.device) -> float:
    """Seconds, after warming up."""
    now, taken = clock(device), []
    for number in range(REPEATS + 3):
        synchronise(device)
        began = now()
        call()
        synchronise(device)
        if number >= 3:
            taken.append(now() - began)
    return min(taken)
