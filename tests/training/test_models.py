"""The nets of the recipes (training/models): their size, their formula, their cost, their start and bad input.

Second sources: the published parameter counts, forward passes written with functions alone, operation counts from
the shapes of the layers and those the two designs are known by, the variances of the two initialisations.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from training.methods.attacks import pgd
from training.methods.batch_norm import evaluating
from training.models import MODELS, Normalise, build

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)
FLOAT = 1e-4  # relative, of float32 sums over thousands of terms taken in another order


def on_meta(name: str, classes: int = 10, channels: int = 3) -> Any:
    with torch.device("meta"):
        return build(name, classes, channels)


def size(model: Any) -> int:
    return sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(
    ("name", "channels", "published", "width"),
    [
        ("preact-resnet18", 3, 11_172_170, 512),
        ("wide-resnet34-10", 3, 46_160_474, 640),
        ("small", 1, 24_842, 92),
        ("strided", 3, 2_122_794, 512),
    ],
)
def test_the_numbers_of_parameters_are_the_published_ones(name, channels, published, width):
    assert size(on_meta(name, channels=channels)) == published
    # Ninety classes more: that many rows of the linear layer and biases.
    assert size(on_meta(name, 100, channels)) == published + 90 * (width + 1)
    assert size(on_meta(name, channels=channels + 1)) != published


def test_the_shortcuts_convolve_where_the_shape_changes_and_only_there():
    for name, changing in (("preact-resnet18", [2, 4, 6]), ("wide-resnet34-10", [0, 5, 10])):
        blocks = on_meta(name).net.blocks
        assert [i for i, block in enumerate(blocks) if block.shortcut is not None] == changing
        assert sum(isinstance(module, nn.BatchNorm2d) for module in blocks.modules()) == 2 * len(blocks)
        assert [i for i, block in enumerate(blocks) if block.conv1.stride == (2, 2)] == [
            i for i in changing if i
        ]


def written_out(model: Any, x: Tensor) -> Tensor:
    """Both residual nets in eval mode, from their weights by name."""
    values = model.state_dict()
    name = {"stem": "net.stem.weight", "linear": "net.linear.weight", "bias": "net.linear.bias"}

    def active(x: Tensor, layer: str) -> Tensor:
        w = {
            key: values[f"{layer}.{key}"].view(1, -1, 1, 1)
            for key in ("running_mean", "running_var", "weight", "bias")
        }
        return ((x - w["running_mean"]) / (w["running_var"] + 1e-5).sqrt() * w["weight"] + w["bias"]).clamp(
            min=0
        )

    x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    x = F.conv2d(x, values[name["stem"]], padding=1)
    for index in range(len(model.net.blocks)):
        block = f"net.blocks.{index}"
        a = active(x, f"{block}.norm1")
        skip = values.get(f"{block}.shortcut.weight")
        # A stage halves its images in its first block, except the first stage.
        stride = 2 if skip is not None and index else 1
        b = active(F.conv2d(a, values[f"{block}.conv1.weight"], stride=stride, padding=1), f"{block}.norm2")
        b = F.conv2d(b, values[f"{block}.conv2.weight"], padding=1)
        x = b + (x if skip is None else F.conv2d(a, skip, stride=stride))
    x = active(x, "net.norm").mean(dim=(2, 3))
    return x @ values[name["linear"]].T + values[name["bias"]]


@pytest.mark.parametrize("name", ["preact-resnet18", "wide-resnet34-10"])
def test_the_real_nets_compute_their_formula_and_take_a_step_on_a_batch_of_two(name):
    torch.manual_seed(0)
    model = build(name, 10, 3, MEAN, STD)
    x, y = torch.rand(2, 3, 32, 32), torch.tensor([3, 7])
    randomise_statistics(model)
    with evaluating(model), torch.no_grad():
        found, expected = model(x[:1]), written_out(model, x[:1])
    scale = expected.abs().max()
    assert (found - expected).abs().max() < FLOAT * scale
    check_one_step(model, x, y)


def randomise_statistics(model: Any) -> None:
    """So that no batch norm is close to the identity."""
    batch_norms: list[Any] = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in batch_norms:
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.normal_(module.bias, std=0.3)
        module.running_mean.normal_(std=0.3)
        module.running_var.uniform_(0.5, 1.5)


def check_one_step(model: Any, x: Tensor, y: Tensor) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    delta = pgd(model, x, y, epsilon=8 / 255, step_size=2 / 255, steps=1, bn_policy="train")
    loss = F.cross_entropy(model(x + delta), y)
    loss.backward()
    before = model.net.linear.weight.detach().clone()
    gradients = [weight.grad for weight in model.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert all(gradient.abs().max() > 0 for gradient in gradients)
    optimizer.step()
    assert not torch.equal(before, model.net.linear.weight)
    assert int(model.net.norm.num_batches_tracked) == 2


@pytest.mark.parametrize(("name", "gflop"), [("preact-resnet18", 1.11), ("wide-resnet34-10", 13.3)])
def test_a_forward_costs_what_the_design_is_known_for_and_a_backward_to_the_input_as_much(name, gflop):
    model, x = on_meta(name), torch.empty(1, 3, 32, 32, device="meta", requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        logits = model(x)
    with FlopCounterMode(display=False) as to_input:
        torch.autograd.grad(logits.sum(), x, retain_graph=True)
    with FlopCounterMode(display=False) as full:
        logits.sum().backward()
    one = forward.get_total_flops()
    assert one == pytest.approx(gflop * 1e9, rel=0.01)
    assert (to_input.get_total_flops(), full.get_total_flops()) == (one, 2 * one)


def test_the_convolutions_start_as_the_public_codes_start_them():
    torch.manual_seed(0)
    for name in MODELS:
        model = build(name, 10)
        for module in model.modules():
            if isinstance(module, nn.Conv2d) and module.weight.numel() > 50_000:
                outs, ins, *window = module.weight.shape
                fan_in, fan_out = ins * math.prod(window), outs * math.prod(window)
                # torch's default is uniform with variance 1 / (3 fan_in).
                variance = 2 / fan_out if name == "wide-resnet34-10" else 1 / (3 * fan_in)
                assert module.weight.var().item() == pytest.approx(variance, rel=0.03)
        last: Any = model
        assert (not last.net.linear.bias.any()) == (name == "wide-resnet34-10")


def test_pixels_are_normalised_inside_channel_by_channel():
    torch.manual_seed(0)
    x = torch.rand(4, 3, 8, 8)
    model, plain = build("small", 10, 3, MEAN, STD).eval(), build("small", 10, 3).eval()
    plain.load_state_dict(
        {name: value for name, value in model.state_dict().items() if "normalise" not in name}
    )
    by_hand = torch.stack([(x[:, c] - MEAN[c]) / STD[c] for c in range(3)], dim=1)
    assert model(x).detach().numpy() == pytest.approx(plain(by_hand).detach().numpy(), abs=1e-5)
    assert (model(x) - plain(x)).abs().max() > 0.01
    assert not any("normalise" in name for name, _ in model.named_parameters())


def test_the_same_seed_builds_the_same_net():
    nets = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        nets.append(build("small", 10, 1).state_dict())
    assert all(torch.equal(value, nets[1][name]) for name, value in nets[0].items())
    assert not torch.equal(nets[0]["net.conv.weight"], nets[2]["net.conv.weight"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("resnet50", 10),
            r"model = 'resnet50' is unknown; the known ones are preact-resnet18, wide-resnet34-10, strided, small",
        ),
        (("small", 1), r"classes = 1; it must be a whole number >= 2"),
        (("small", 10.0), r"classes = 10.0"),
        (("small", 10, 0), r"channels = 0; it must be a whole number >= 1"),
        (("small", 10, 1, (0.5,)), r"mean = \(0.5,\) and std = None; pass both, or neither"),
        (("small", 10, 1, (0.5, 0.5), (0.5, 0.5)), r"mean = \[0.5, 0.5\] has 2 numbers; channels = 1"),
        (("small", 10, 1, (0.5,), (0.0,)), r"std = \[0.0\]; its numbers must be finite and > 0"),
        (("small", 10, 1, (math.nan,), (1.0,)), r"mean = \[nan\]; its numbers must be finite"),
        (("small", 10, 2, (0.5, 0.5), (1.0,)), r"they must hold one number for each channel"),
    ],
)
def test_bad_arguments_are_named_with_what_is_required(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(*arguments)


@pytest.mark.parametrize("shape", [(2, 3, 32, 33), (2, 1, 32, 32), (3, 32, 32), (2, 3, 64, 64), (2, 3, 8, 8)])
def test_images_of_another_size_are_refused(shape):
    model = on_meta("preact-resnet18")
    with pytest.raises(
        ValueError, match=r"images have shape .*; preact-resnet18 takes \(N, 3, 32, 32\): resize"
    ):
        model(torch.empty(shape, device="meta"))
    assert model(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, 10)


def test_normalise_refuses_an_empty_channel_list():
    with pytest.raises(ValueError, match="one number for each channel"):
        Normalise((), ())
