"""The augmentations of FIDELITY's data table (training/data/augmentation.py) against one image at a time.

Second sources: numpy's pad and slices, Pillow's `rotate`, and the uniform distribution over crops and flips.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.autograd.profiler import profile

from training.data.augmentation import AUGMENTATIONS, augment

CHANGING = AUGMENTATIONS[1:]
SHAPES = ((40, 3, 32, 32), (40, 1, 9, 14), (40, 3, 13, 6))
# Chi-square has a mean of 161, its degrees of freedom, and a deviation of 18: a uniform draw stays below.
CHI_SQUARE_MOST = 240


# What has to look at values before it can go on, or give a result its shape.
WAITING = {
    "aten::_local_scalar_dense",
    "aten::nonzero",
    "aten::masked_select",
    "aten::equal",
    "aten::_unique2",
}


def operations(work: Callable[[], object]) -> set[str]:
    """The names of all operations that some work runs."""
    with profile() as seen:
        work()
    return {event.name for event in seen.function_events}


def images_of(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    """Levels 1 to 255, so that a zero in a result is one filled in."""
    return torch.from_numpy(np.random.default_rng(seed).integers(1, 256, shape, dtype=np.uint8))


def one_at_a_time(
    name: str,
    images: torch.Tensor,
    seed: int,
    *,
    pad_mode: str = "reflect",
    turn: float = 1.0,
    flip_first: bool = False,
    shift: int = 0,
) -> np.ndarray:
    """The same images by numpy and Pillow; the keywords make the mistakes that have to show."""
    generator = torch.Generator().manual_seed(seed)
    number, _, height, width = images.shape
    rows, columns = torch.randint(0, 9, (2, number), generator=generator).tolist()
    flips = (torch.rand(number, generator=generator) < 0.5).tolist()
    angles = (torch.rand(number, generator=generator, dtype=torch.float64) * 30 - 15).tolist()
    results = []
    for image, row, column, flip, angle in zip(images.numpy(), rows, columns, flips, angles, strict=True):
        if flip_first and flip:
            image = image[:, :, ::-1]
        mode: Any = pad_mode if name.startswith("reflect") else "constant"
        padded = np.pad(image, ((0, 0), (4, 4), (4, 4)), mode=mode)
        image = padded[:, row + shift :, column:][:, :height, :width]
        if not flip_first and flip:
            image = image[:, :, ::-1]
        if name.endswith("rotate"):
            turned = [np.asarray(Image.fromarray(plane.copy()).rotate(turn * angle)) for plane in image]
            image = np.stack(turned)
        results.append(image)
    return np.stack([np.resize(image, images.shape[1:]) if shift else image for image in results])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CHANGING)
def test_a_batch_is_what_numpy_and_pillow_make_of_each_image(name, shape):
    images = images_of(shape)
    for seed in range(3):
        found = augment(name, images, torch.Generator().manual_seed(seed))
        assert found.dtype == torch.uint8
        np.testing.assert_array_equal(found.numpy(), one_at_a_time(name, images, seed))


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        ("reflect-crop-flip", {"pad_mode": "symmetric"}),
        ("reflect-crop-flip", {"pad_mode": "constant"}),
        ("zero-crop-flip", {"flip_first": True}),
        ("zero-crop-flip", {"shift": 1}),
        ("zero-crop-flip-rotate", {"turn": -1.0}),
        ("zero-crop-flip-rotate", {"turn": 1.01}),
    ],
    ids=str,
)
def test_a_mistake_in_the_reference_shows(name, mistake):
    images = images_of(SHAPES[0])
    found = augment(name, images, torch.Generator().manual_seed(1))
    assert (found.numpy() != one_at_a_time(name, images, 1, **mistake)).any()


@pytest.mark.parametrize("name", CHANGING)
def test_floating_pixels_move_as_levels_do(name):
    images = images_of((16, 3, 11, 8))
    levels = augment(name, images, torch.Generator().manual_seed(5))
    pixels = augment(name, images.float() / 255, torch.Generator().manual_seed(5))
    assert torch.equal(pixels, levels.float() / 255)


@pytest.mark.parametrize("name", CHANGING)
def test_channels_last_and_a_slice_of_a_batch_give_the_same(name):
    images = images_of((12, 3, 10, 7))
    plain = augment(name, images, torch.Generator().manual_seed(2))
    for other in (images.contiguous(memory_format=torch.channels_last), torch.cat([images, images])[12:]):
        assert torch.equal(augment(name, other, torch.Generator().manual_seed(2)), plain)


def test_crops_and_flips_are_uniform():
    number = 16_200  # 100 of each of 9 x 9 crops and 2 flips
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(9.0), indexing="ij")
    images = (1 + 9 * rows + columns).expand(number, 1, 9, 9)
    found = augment("zero-crop-flip", images, torch.Generator().manual_seed(0)).long()
    centre, right = found[:, 0, 4, 4] - 1, found[:, 0, 4, 5]
    flipped = (right == centre) | ((right == 0) & (centre % 9 == 0))
    counts = torch.bincount(2 * centre + flipped, minlength=162).double()
    assert counts.numel() == 162
    assert (counts - 100).square().sum() / 100 < CHI_SQUARE_MOST


def test_a_crop_that_favours_one_place_fails_the_test_of_uniformity():
    skewed = torch.full((162,), 100.0)
    skewed[0], skewed[1:] = 260.0, 100 - 160 / 161
    assert (skewed - 100).square().sum() / 100 > CHI_SQUARE_MOST


def test_angles_reach_fifteen_degrees_and_no_further():
    # A bright middle row is turned with the image: the angle can be read off 20 columns to either side.
    images = torch.zeros(400, 1, 61, 61, dtype=torch.uint8)
    images[:, :, 30, :] = 255
    found = augment("zero-crop-flip-rotate", images, torch.Generator().manual_seed(3))[:, 0].int()
    heights = found[:, :, [10, 50]].argmax(1).double()
    angles = torch.rad2deg(torch.atan((heights[:, 0] - heights[:, 1]) / 40))
    reading = 2.2  # degrees: 1.5 pixels in 40
    assert angles.abs().max() < 15 + reading
    assert angles.max() > 15 - reading
    assert angles.min() < -15 + reading
    assert angles.mean().abs() < 4 * 30 / 12**0.5 / 400**0.5


@pytest.mark.parametrize("name", CHANGING)
def test_a_seed_gives_one_result_and_the_next_batch_another(name):
    images = images_of((8, 3, 8, 8))
    generator = torch.Generator().manual_seed(7)
    first, second = augment(name, images, generator), augment(name, images, generator)
    assert torch.equal(first, augment(name, images, torch.Generator().manual_seed(7)))
    assert not torch.equal(first, second)


def test_no_augmentation_returns_the_images_and_draws_nothing():
    images = images_of((4, 1, 3, 3))
    generator = torch.Generator().manual_seed(7)
    before = generator.get_state()
    assert augment("none", images, generator) is images
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("name", CHANGING)
def test_nothing_waits_for_the_device(name):
    images = images_of((6, 3, 12, 9))
    names = operations(lambda: augment(name, images, torch.Generator()))
    assert "aten::gather" in names
    assert not names & WAITING


def test_what_waits_for_the_device_is_seen():
    images = images_of((6, 3, 12, 9))
    names = operations(lambda: (images.sum(dim=(1, 2, 3)) > 0).nonzero().max().item())
    assert names >= {"aten::_local_scalar_dense", "aten::nonzero"}


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"'flip'.*none, reflect-crop-flip, zero-crop-flip, zero-crop-flip-rotate"
    ):
        augment("flip", images_of((2, 3, 8, 8)), torch.Generator())


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 3, 4, 8), (2, 3, 8, 4)], ids=str)
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"images of shape .*\(N, C, H, W\).*at least 5"):
        augment("reflect-crop-flip", images_of(shape), torch.Generator())


def test_a_generator_on_another_device_is_refused():
    with pytest.raises(ValueError, match=r"generator on cpu, images on meta.*torch\.Generator\('meta'\)"):
        augment("zero-crop-flip", torch.empty(2, 3, 8, 8, device="meta"), torch.Generator())
