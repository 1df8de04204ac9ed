"""Small images in class folders and archives, and what a data set read from them must hold."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PETS = ("cat", "dog", "ant")
Picture = tuple[str, np.ndarray]  # name in the folder, (H, W, 3) or (H, W)


def pictures(
    classes: tuple[str, ...] = PETS,
    train: int = 4,
    test: int = 2,
    shape: tuple[int, ...] = (6, 5, 3),
    suffix: str = ".png",
) -> list[Picture]:
    random = np.random.default_rng(len(classes))
    return [
        (f"{split}/{name}/{number:04d}{suffix}", random.integers(0, 256, shape, dtype=np.uint8))
        for split, count in (("train", train), ("test", test))
        for name in classes
        for number in range(count)
    ]


def encoded(name: str, pixels: np.ndarray, **options: Any) -> bytes:
    kind = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".ppm": "PPM"}[
        Path(name).suffix.lower()
    ]
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, format=kind, **options)
    return packed.getvalue()


def files_of(chosen: list[Picture]) -> dict[str, bytes]:
    return {name: encoded(name, pixels) for name, pixels in chosen}


def put(place: Path, files: dict[str, bytes]) -> Path:
    """As a folder, a .zip or a .tar.*, by the name of the place."""
    if place.suffix == ".zip":
        with zipfile.ZipFile(place, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    elif ".tar" in place.suffixes:
        mode: Any = f"w:{place.suffix[1:].removeprefix('tar')}"
        with tarfile.open(place, mode) as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    else:
        for name, content in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return place


def by_label(images: Any, labels: Any) -> set[tuple[int, bytes]]:
    return {
        (int(label), image.tobytes()) for image, label in zip(images.numpy(), labels.numpy(), strict=True)
    }


def assert_holds(data: Any, chosen: list[Picture], classes: tuple[str, ...]) -> None:
    """The pictures, as (C, H, W), under the labels of their folders, each once."""
    assert data.classes == classes
    for split, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        mine = [(name.split("/")[1], pixels) for name, pixels in chosen if name.startswith(split)]
        expected = {
            (classes.index(name), pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1).tobytes())
            for name, pixels in mine
        }
        assert by_label(images, labels) == expected
        assert len(images) == len(mine)
