"""The nets by name, with the normalisation inside, so that they take pixels in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from training.models.normalise import Normalise
from training.models.preact_resnet import PreActResNet18
from training.models.small import SmallNet, SmoothNet
from training.models.strided import StridedNet
from training.models.wide_resnet import WideResNet34x10

__all__ = [
    "MODELS",
    "ImageClassifier",
    "Normalise",
    "PreActResNet18",
    "SmallNet",
    "SmoothNet",
    "StridedNet",
    "WideResNet34x10",
    "build",
]

# Name -> the net and the height and width of its images.
MODELS: dict[str, tuple[Callable[[int, int], nn.Module], int]] = {
    "preact-resnet18": (PreActResNet18, 32),
    "wide-resnet34-10": (WideResNet34x10, 32),
    "strided": (StridedNet, 32),
    "small": (SmallNet, 8),
    "small-silu": (SmoothNet, 8),
}


def build(
    name: str,
    classes: int,
    channels: int = 3,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> ImageClassifier:
    """A new net from torch's global random generator, taking pixels as they are and normalising inside.

    `name`: one of `MODELS`. `classes` >= 2, `channels` >= 1. `mean`, `std`: one number a channel on the scale of
    the pixels, or both None for no normalisation (the TRADES runs).
    Raises: ValueError for an unknown name, and for numbers outside their range.
    """
    if name not in MODELS:
        raise ValueError(f"model = {name!r} is unknown; the known ones are {', '.join(MODELS)}")
    for argument, value, least in (("classes", classes, 2), ("channels", channels, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(
                f"{argument} = {value!r}; it must be a whole number >= {least}: pass that of the data"
            )
    if (mean is None) != (std is None):
        raise ValueError(f"mean = {mean} and std = {std}; pass both, or neither for no normalisation")
    if mean is not None and len(mean) != channels:
        raise ValueError(
            f"mean = {list(mean)} has {len(mean)} numbers; channels = {channels}: pass one for each channel"
        )
    make, size = MODELS[name]
    normalise = nn.Identity() if mean is None or std is None else Normalise(mean, std)
    return ImageClassifier(name, normalise, make(classes, channels), (channels, size, size))


class ImageClassifier(nn.Module):
    """net(normalise(x)) for images of one shape, which it checks: x (N, *image_shape) -> logits (N, classes)."""

    def __init__(
        self, name: str, normalise: nn.Module, net: nn.Module, image_shape: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.name = name
        self.image_shape = image_shape
        self.normalise = normalise
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or tuple(x.shape[1:]) != self.image_shape:
            channels, height, width = self.image_shape
            raise ValueError(
                f"images have shape {tuple(x.shape)}; {self.name} takes (N, {channels}, {height}, {width}): resize "
                "them, or choose a model for their size"
            )
        return self.net(self.normalise(x))
