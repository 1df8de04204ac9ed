"""Decodes the images in `train/<class>/*` and `test/<class>/*` in parallel into one array a split."""

from __future__ import annotations

import io
import math
import os
import struct
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from training.data.archives import files_in, is_hidden
from training.data.dataset import Arrays
from training.data.integrity import DataError, Progress, reason

SPLITS = ("train", "test")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".ppm")
FORMATS = ("JPEG", "PNG", "BMP", "PPM")
CHANNELS = {"L": 1, "RGB": 3}  # by Pillow's names for 8-bit grey and colour
MODES = {1: "L", 3: "RGB"}
MOST_PIXELS = 2**20  # of one image: enough for any net here, and no image is a bomb
MOST_BYTES = 2**24  # of one image, encoded: four times what its pixels take at most
CHUNK = 250  # images a thread decodes at a time
ORDER_SEED = 0  # of the fixed order the images are put into, so that the first n are a sample of all classes

Entry = tuple[str, str, str, bytes]  # split, class, name of the file, content


def decoded(place: Path, progress: Progress | None) -> Arrays:
    """The images of an archive or a folder, those of each split in a fixed random order.

    Classes are numbered in alphabetical order of their folders. All images have one size and are all grey or all RGB.
    Hidden files, and files outside `train` and `test`, are left out; a file in them that is no image is refused.

    Raises: DataError naming the file: none found, damaged, of another size, classes in only one of the splits.
    """
    entries = _entries(place, progress)
    classes = _classes(place, entries)
    images, labels, formats = {}, {}, set()
    for split in SPLITS:
        chosen = [entry for entry in entries if entry[0] == split]
        chosen = [chosen[index] for index in np.random.RandomState(ORDER_SEED).permutation(len(chosen))]
        labels[split] = np.array([classes.index(entry[1]) for entry in chosen], dtype=np.int64)
        images[split], found = _images(place, chosen, split, progress)
        formats |= found
    if images["train"].shape[1:] != images["test"].shape[1:]:
        raise DataError(
            f"{place}: training images of (channels, height, width) {images['train'].shape[1:]}, test images of"
            f" {images['test'].shape[1:]}; make them one size"
        )
    return Arrays(
        train_images=images["train"],
        train_labels=labels["train"],
        test_images=images["test"],
        test_labels=labels["test"],
        classes=classes,
        label="",
        source="",
        formats=tuple(sorted(formats)),
    )


def named(arrays: Arrays, place: Path) -> Arrays:
    """The images under the name of where they were read, which is no part of what they are."""
    images = len(arrays.train_images) + len(arrays.test_images)
    return replace(
        arrays,
        label=f"{place.name} (class folders)",
        source=f"{place.name}: {images} images in {len(arrays.classes)} class folders, numbered alphabetically",
    )


def _entries(place: Path, progress: Progress | None) -> list[Entry]:
    """Every image, still encoded, sorted by split, class and name."""
    entries: list[Entry] = []
    images = files_in(place, MOST_BYTES, lambda name: _split_and_class(place, name) is not None)
    for number, (name, content) in enumerate(images, start=1):
        split_and_class = _split_and_class(place, name)
        if split_and_class is not None:
            entries.append((*split_and_class, name, content))
        if progress and number % 1000 == 0:
            progress(f"reading {place.name}", number, 0)
    return sorted(entries, key=lambda entry: entry[:3])


def _split_and_class(place: Path, name: str) -> tuple[str, str] | None:
    """(split, class) of an image, None for a hidden file and for one outside `train` and `test`.

    One folder above the two is allowed, as archives often have it.
    """
    parts = name.split("/")
    split = next((index for index, part in enumerate(parts) if part in SPLITS), None)
    if split is None or is_hidden(name):
        return None
    if len(parts) != split + 3 or split > 1:
        raise DataError(f"{place}: {name!r} is not in train/<class>/ or test/<class>/; move or remove it")
    if not name.lower().endswith(SUFFIXES):
        raise DataError(f"{place}: {name!r} is none of {', '.join(SUFFIXES)}; convert or remove it")
    # One name has two spellings in Unicode where it has accents; macOS writes another one than the rest.
    return parts[split], unicodedata.normalize("NFC", parts[split + 1])


def _classes(place: Path, entries: list[Entry]) -> tuple[str, ...]:
    """The class names of the training images in alphabetical order; those of the test images are the same."""
    named = {split: {entry[1] for entry in entries if entry[0] == split} for split in SPLITS}
    for split, names in named.items():
        if not names:
            raise DataError(f"{place}: no images in {split}/<class>/; add some, or get the archive again")
    different = sorted(named["train"] ^ named["test"])
    if different:
        raise DataError(
            f"{place}: only one of train and test has images of {different[0]!r}; complete the other"
        )
    if len(named["train"]) < 2:
        raise DataError(f"{place}: the only class is {min(named['train'])!r}; a classifier needs two")
    return tuple(sorted(named["train"]))


def _images(
    place: Path, entries: list[Entry], split: str, progress: Progress | None
) -> tuple[np.ndarray, set[str]]:
    """uint8 (N, C, H, W), and the formats met. Pillow lets other threads run while it decodes."""
    first, _ = _pixels(place, entries[0], None)
    images = _room(place, (len(entries), *first.shape))

    def decode(start: int) -> set[str]:
        formats = set()
        for index in range(start, min(start + CHUNK, len(entries))):
            images[index], kind = _pixels(place, entries[index], first.shape)
            formats.add(kind)
        return formats

    formats: set[str] = set()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for done, found in enumerate(pool.map(decode, range(0, len(entries), CHUNK)), start=1):
                formats |= found
                if progress:
                    progress(f"decoding {split} images", min(done * CHUNK, len(entries)), len(entries))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return images, formats


def _room(place: Path, shape: tuple[int, ...]) -> np.ndarray:
    """An array of bytes. Raises: DataError where it is larger than the machine's memory."""
    needed = math.prod(shape)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise DataError(
            f"{place}: {shape[0]} images of (channels, height, width) {shape[1:]} need {needed} bytes of memory, this "
            f"machine has {there}; make them fewer or smaller"
        )
    return np.empty(shape, dtype=np.uint8)


def _pixels(place: Path, entry: Entry, shape: tuple[int, ...] | None) -> tuple[np.ndarray, str]:
    """((C, H, W), format) of one image. Size and mode are checked before a pixel is decoded."""
    name = entry[2]
    try:
        with Image.open(io.BytesIO(entry[3]), formats=FORMATS) as image:
            mode, size, kind = image.mode, image.size, str(image.format)
            pixels = np.asarray(image) if _fits(mode, size, shape) else None
    except PIL.UnidentifiedImageError as error:
        kinds = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise DataError(
            f"{place}: {name!r} cannot be decoded (it is no {kinds}); replace or remove it"
        ) from error
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
        raise DataError(
            f"{place}: {name!r} cannot be decoded ({reason(error)}); replace or remove it"
        ) from error
    if pixels is None:
        wanted = (
            f"L (grey) or RGB of at most {MOST_PIXELS} pixels"
            if shape is None
            else f"{MODES[shape[0]]} of {shape[2]}x{shape[1]} as the others"
        )
        raise DataError(
            f"{place}: {name!r} is {mode} of {size[0]}x{size[1]}, not {wanted}; convert or remove it"
        )
    return pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1), kind


def _fits(mode: str, size: tuple[int, int], shape: tuple[int, ...] | None) -> bool:
    if shape is None:
        return mode in CHANNELS and size[0] * size[1] <= MOST_PIXELS
    return (CHANNELS.get(mode), size[1], size[0]) == shape
