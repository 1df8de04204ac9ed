"""Random crops, flips and rotations, for a whole batch on its device at once.

Every one of them moves pixels and fills with zeros, so a uint8 image stays uint8 and none is interpolated.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

AUGMENTATIONS = ("none", "reflect-crop-flip", "zero-crop-flip", "zero-crop-flip-rotate")
PAD = 4
DEGREES = 15.0
FIXED_POINT = 16  # bits behind the point of Pillow's coordinates, which are 32-bit as well


def augment(name: str, images: Tensor, generator: torch.Generator) -> Tensor:
    """Images like the given ones, each with its own random change; a new tensor, save for "none".

    "none"                  : the images themselves (SVHN)
    "reflect-crop-flip"     : pad by 4 with reflections that leave out the edge, crop to size at a uniform place, flip
                              left-right with probability 1/2 (CIFAR-10)
    "zero-crop-flip"        : the same with zeros around (TRADES)
    "zero-crop-flip-rotate" : then rotate about the centre by a uniform angle in [-15, 15) degrees, to the nearest
                              pixel, with zeros outside (CIFAR-100); pixel by pixel what Pillow's `Image.rotate` does

    `images`: (N, C, H, W), uint8 or floating, H and W at least 5. `generator`: on the device of the images. It gives,
    in this order, N rows and N columns of crops, N flips, N angles; nothing else is drawn. Shapes are static and
    nothing waits for the device.

    Raises: ValueError for an unknown name, images of another shape, a generator on another device.
    """
    if name not in AUGMENTATIONS:
        raise ValueError(f"name={name!r}: no such augmentation, known are {', '.join(AUGMENTATIONS)}")
    if name == "none":
        return images
    _check(images, generator)
    height, width = images.shape[2:]
    rows, columns = _coordinates(images)
    crop, flip, angle = _draw(len(images), rotate=name.endswith("rotate"), generator=generator)
    inside = torch.ones((), dtype=torch.bool, device=images.device)
    if angle is not None:
        rows, columns = _rotated(rows, columns, angle, height, width)
        inside = _within(rows, height) & _within(columns, width)
    columns = torch.where(flip, width - 1 - columns, columns)
    rows, columns = rows + crop[0] - PAD, columns + crop[1] - PAD
    if name.startswith("reflect"):
        rows, columns = _reflected(rows, height), _reflected(columns, width)
    else:
        inside = inside & _within(rows, height) & _within(columns, width)
    return _taken(images, rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1), inside)


def _check(images: Tensor, generator: torch.Generator) -> None:
    if images.ndim != 4 or min(images.shape[2:]) <= PAD:
        raise ValueError(
            f"images of shape {tuple(images.shape)}: (N, C, H, W) is needed, with H and W of at least {PAD + 1};"
            " add the missing dimension, or use no augmentation"
        )
    if generator.device.type != images.device.type:
        raise ValueError(
            f"generator on {generator.device}, images on {images.device}: make it with"
            f" torch.Generator({images.device.type!r})"
        )


def _coordinates(images: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of every pixel, as (1, H, 1) and (1, 1, W)."""
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device, dtype=torch.int32).view(1, height, 1)
    return rows, torch.arange(width, device=images.device, dtype=torch.int32).view(1, 1, width)


def _draw(number: int, *, rotate: bool, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor | None]:
    """Crops (2, N, 1, 1) in 0..8, flips (N, 1, 1), angles (N, 1, 1) in degrees or None."""
    device = generator.device
    crop = torch.randint(0, 2 * PAD + 1, (2, number, 1, 1), generator=generator, device=device)
    flip = torch.rand((number, 1, 1), generator=generator, device=device) < 0.5
    if not rotate:
        return crop, flip, None
    unit = torch.rand((number, 1, 1), generator=generator, device=device, dtype=torch.float64)
    return crop, flip, (2 * unit - 1) * DEGREES


def _rotated(rows: Tensor, columns: Tensor, angle: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Where each pixel of an image turned by `angle` degrees, counter-clockwise, comes from; it may lie outside.

    The centre of pixel (row, column) goes to the centre of the image plus a rotation of its offset, and the pixel
    that holds the result is taken, in Pillow's fixed-point numbers.
    """
    turn = -angle * (math.pi / 180)
    cos, sin = turn.cos(), turn.sin()
    column_start = width / 2 * (1 - cos) - height / 2 * sin + (cos + sin) / 2
    row_start = height / 2 * (1 - cos) + width / 2 * sin + (cos - sin) / 2
    columns_from = _fixed(cos) * columns + _fixed(sin) * rows + _fixed(column_start)
    rows_from = _fixed(cos) * rows + _fixed(-sin) * columns + _fixed(row_start)
    return rows_from >> FIXED_POINT, columns_from >> FIXED_POINT


def _fixed(value: Tensor) -> Tensor:
    return (value * 2**FIXED_POINT + 0.5).floor().to(torch.int32)


def _reflected(index: Tensor, size: int) -> Tensor:
    """-1 -> 1, size -> size - 2."""
    return (size - 1) - ((size - 1) - index.abs()).abs()


def _within(index: Tensor, size: int) -> Tensor:
    return (index >= 0) & (index < size)


def _taken(images: Tensor, index: Tensor, inside: Tensor) -> Tensor:
    """The pixels at flat places `index` (N, H, W), zero where not `inside`."""
    channels = images.shape[1]
    flat = index.to(torch.int64).flatten(1).unsqueeze(1).expand(-1, channels, -1)
    moved = images.flatten(2).gather(2, flat).view(images.shape)
    return moved.masked_fill(~inside.unsqueeze(1) if inside.ndim else ~inside, 0)
