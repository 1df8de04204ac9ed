"""Images in class folders (training/data/class_folders.py, decoding.py, cache.py), and when they are called CIFAR-10.

Second sources: the pixels that were written, Pillow on one file at a time. The JPEG copy of CIFAR-10 is read where
SMOOTHNESS_AT_CIFAR10 names the folder (or the archive) that holds it.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from training.data import DataError, class_folders, load
from training.data.cache import cache_folder
from training.data.catalogue import CATALOGUE, CIFAR10_CLASSES

REAL = os.environ.get("SMOOTHNESS_AT_CIFAR10")
PETS = ("cat", "dog", "ant")
Picture = tuple[str, np.ndarray]  # name in the folder, (H, W, 3) or (H, W)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SMOOTHNESS_AT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


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


@pytest.mark.parametrize("place", ["pets", "pets.zip", "pets.tar", "pets.tar.gz", "pets.tar.xz"])
@pytest.mark.parametrize("above", ["", "pets/"])
def test_images_are_read_from_a_folder_or_an_archive(tmp_path, place, above):
    chosen = pictures()
    extra = {f"{above}README.md": b"pets", f"{above}train/.hidden": b"", "__MACOSX/train/ant/._0000.png": b""}
    path = put(
        tmp_path / place, {f"{above}{name}": content for name, content in (files_of(chosen) | extra).items()}
    )
    if path.is_dir() and above:
        path /= above
    data = load("images", path)
    assert_holds(data, chosen, ("ant", "cat", "dog"))
    assert data.label == f"{path.name} (class folders)"
    assert "18 images in 3 class folders, numbered alphabetically" in data.source


@pytest.mark.parametrize(
    ("suffix", "shape"), [(".bmp", (4, 7, 3)), (".ppm", (4, 7, 3)), (".PNG", (7, 4)), (".png", (7, 4))]
)
def test_formats_without_loss_give_the_pixels_written(tmp_path, suffix, shape):
    chosen = pictures(shape=shape, suffix=suffix)
    data = load("images", put(tmp_path / "pets", files_of(chosen)))
    assert_holds(data, chosen, ("ant", "cat", "dog"))
    assert data.train_images.shape[1:] == (1 if len(shape) == 2 else 3, *shape[:2])


def test_a_jpeg_gives_the_pixels_pillow_gives(tmp_path):
    chosen = pictures(suffix=".jpg", shape=(9, 8, 3))
    files = files_of(chosen)
    decoded = [(name, np.asarray(Image.open(io.BytesIO(files[name])))) for name, _ in chosen]
    data = load("images", put(tmp_path / "pets", files))
    assert_holds(data, decoded, ("ant", "cat", "dog"))
    with pytest.raises(AssertionError):
        assert_holds(data, chosen, ("ant", "cat", "dog"))  # JPEG is not the original


def test_the_first_images_are_of_all_classes_and_in_one_order(tmp_path):
    names = tuple("abcdefgh")
    chosen = pictures(names, train=10, test=10, shape=(2, 2, 3))
    folder = load("images", put(tmp_path / "letters", files_of(chosen)))
    reversed_ = dict(reversed(files_of(chosen).items()))
    archive = load("images", put(tmp_path / "letters.tar.gz", reversed_))
    for field in ("train_images", "train_labels", "test_images", "test_labels"):
        assert (getattr(folder, field) == getattr(archive, field)).all()
    assert len(set(folder.test_labels[:24].tolist())) >= 6
    assert folder.test_labels.tolist() != sorted(folder.test_labels.tolist())


def test_progress_is_told(tmp_path):
    calls: list[tuple[str, int, int]] = []
    load(
        "images", put(tmp_path / "pets.zip", files_of(pictures())), progress=lambda *call: calls.append(call)
    )
    assert calls == [("decoding train images", 12, 12), ("decoding test images", 6, 6)]


def test_the_only_archive_of_a_folder_is_found_and_of_two_one_has_to_be_named(tmp_path):
    put(tmp_path / "pets.zip", files_of(pictures()))
    assert load("images", tmp_path).label == "pets.zip (class folders)"
    put(tmp_path / "more.tar.gz", files_of(pictures()))
    with pytest.raises(DataError, match=r"holds more.tar.gz, pets.zip; give the path of the one"):
        load("images", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no images in .*empty: give a folder with train/<class>/\*.jpg"):
        load("images", tmp_path / "empty")


def changed(**files: bytes | None) -> dict[str, bytes]:
    """The pets, with some files put in and, where None, taken out; `__` in a name stands for `/`, `_` for `.`."""
    found = files_of(pictures())
    for name, content in files.items():
        path = name.replace("__", "/").replace("_", ".")
        if content is None:
            found = {key: value for key, value in found.items() if not key.startswith(path)}
        else:
            found[path] = content
    return found


GOOD = encoded("x.png", np.zeros((6, 5, 3), np.uint8))
NOISE = files_of(pictures())["train/cat/0000.png"]
BOMB = encoded("x.png", np.zeros((2000, 2000, 3), np.uint8))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            changed(test__cat__9_png=encoded("x.png", np.zeros((5, 6, 3), np.uint8))),
            r"9.png' is RGB of 6x5, not RGB of 5x6",
        ),
        (
            changed(train__cat__9_png=encoded("x.png", np.zeros((6, 5), np.uint8))),
            r"9.png' is L of 5x6, not RGB of 5x6",
        ),
        (
            changed(train__cat__9_png=encoded("x.png", np.zeros((6, 5, 4), np.uint8))),
            r"9.png' is RGBA of 5x6, not RGB",
        ),
        (changed(train__cat__9_png=BOMB), r"9.png' is RGB of 2000x2000, not RGB of 5x6"),
        (changed(train__cat__9_jpg=b"no image"), r"9.jpg' cannot be decoded \(cannot identify"),
        (changed(train__cat__9_png=NOISE[:-60]), r"9.png' cannot be decoded"),
        (changed(train__cat__9_png=b""), r"9.png' cannot be decoded"),
        (
            changed(train__cat__notes_txt=b"x"),
            r"'train/cat/notes.txt' is none of .jpg, .jpeg, .png, .bmp, .ppm",
        ),
        (changed(train__cat__more__9_png=GOOD), r"more"),
        (changed(train__9_png=GOOD), r"9.png"),
        (changed(test__cat=None), r"only one of train and test has images of 'cat'"),
        (changed(test__bird__9_png=GOOD), r"only one of train and test has images of 'bird'"),
        (changed(test=None), r"no images in test/<class>/"),
        (
            changed(train__cat=None, test__cat=None, train__dog=None, test__dog=None),
            r"the only class is 'ant'",
        ),
    ],
    ids=[
        *(
            "other size",
            "grey",
            "alpha",
            "bomb",
            "no image",
            "cut",
            "empty",
            "text",
            "nested",
            "no class folder",
        ),
        *("class in train only", "class in test only", "no test images", "one class"),
    ],
)
def test_images_that_do_not_fit_are_refused_by_name(tmp_path, files, message):
    with pytest.raises(DataError, match=rf"pets.zip: .*{message}.*; ") as caught:
        load("images", put(tmp_path / "pets.zip", files))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("stray", "message"),
    [
        ("train/9.png", r"'train/9.png' is not in train/<class>/"),
        ("test/cat/more/9.png", r"cat/more: a folder inside a class folder"),
    ],
)
def test_an_image_at_the_wrong_depth_of_a_folder_is_refused(tmp_path, stray, message):
    with pytest.raises(DataError, match=message):
        load("images", put(tmp_path / "pets", files_of(pictures()) | {stray: GOOD}))


@pytest.mark.parametrize("mode", ["RGBA", "CMYK", "I;16"])
def test_a_set_of_images_that_are_not_8_bit_grey_or_rgb_is_refused(tmp_path, mode):
    packed = io.BytesIO()
    Image.new(mode, (4, 4)).save(packed, format="JPEG" if mode == "CMYK" else "PNG")
    files = {f"{split}/{name}/0.png": packed.getvalue() for split in ("train", "test") for name in PETS}
    with pytest.raises(DataError, match=rf"is {mode} of 4x4, not L \(grey\) or RGB"):
        load("images", put(tmp_path / "pets", files))


def test_train_and_test_images_of_two_sizes_are_refused(tmp_path):
    small = [one for one in pictures(shape=(4, 4, 3)) if one[0].startswith("test")]
    files = files_of([one for one in pictures() if one[0].startswith("train")] + small)
    with pytest.raises(DataError, match=r"training images of .* \(3, 6, 5\), test images of \(3, 4, 4\)"):
        load("images", put(tmp_path / "pets", files))


def forbid_decoding(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(class_folders, "decoded", refuse)


def test_an_archive_is_decoded_once(monkeypatch, tmp_path, cache):
    chosen = pictures()
    path = put(tmp_path / "pets.zip", files_of(chosen))
    first = load("images", path)
    assert [file.suffix for file in cache.iterdir()] == [".npz"]
    forbid_decoding(monkeypatch)
    again = load("images", path)
    assert_holds(again, chosen, ("ant", "cat", "dog"))
    assert (again.label, again.source) == (first.label, first.source)
    put(path, files_of(pictures(train=3)))
    with pytest.raises(AssertionError, match="decoded"):
        load("images", path)


def test_a_folder_is_decoded_every_time(monkeypatch, tmp_path, cache):
    path = put(tmp_path / "pets", files_of(pictures()))
    load("images", path)
    assert not cache.exists()
    forbid_decoding(monkeypatch)
    with pytest.raises(AssertionError, match="decoded"):
        load("images", path)


@pytest.mark.parametrize("damage", ["cut", "a byte", "foreign", "empty"])
def test_a_damaged_cache_is_written_anew_with_a_warning(monkeypatch, tmp_path, cache, damage):
    chosen = pictures()
    path = put(tmp_path / "pets.zip", files_of(chosen))
    load("images", path)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    other = bytearray(whole)
    other[whole.index(b"train_images.npy") + 200] ^= 1
    file.write_bytes(
        {"cut": whole[:-100], "a byte": bytes(other), "foreign": b"not an archive", "empty": b""}[damage]
    )
    with pytest.warns(UserWarning, match=r"images-.*npz: damaged .* again"):
        assert_holds(load("images", path), chosen, ("ant", "cat", "dog"))
    assert file.read_bytes()[:100] == whole[:100]
    forbid_decoding(monkeypatch)
    assert_holds(load("images", path), chosen, ("ant", "cat", "dog"))


def test_a_cache_of_another_archive_is_not_taken(tmp_path, cache):
    mine, other = (
        put(tmp_path / "a.zip", files_of(pictures())),
        put(tmp_path / "b.zip", files_of(pictures(train=3))),
    )
    load("images", other)
    (foreign,) = cache.iterdir()
    load("images", mine)
    (file,) = set(cache.iterdir()) - {foreign}
    shutil.copy(foreign, file)
    with pytest.warns(UserWarning, match="it belongs to another archive"):
        assert len(load("images", mine).train_labels) == 12


def test_a_cache_that_cannot_be_written_costs_a_warning(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("SMOOTHNESS_AT_CACHE", str(tmp_path / "file"))
    chosen = pictures()
    with pytest.warns(UserWarning, match=r"not kept .*; set SMOOTHNESS_AT_CACHE"):
        assert_holds(
            load("images", put(tmp_path / "pets.zip", files_of(chosen))), chosen, ("ant", "cat", "dog")
        )


def test_the_cache_is_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("SMOOTHNESS_AT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "smoothness-at"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "smoothness-at"


def small_cifar10(monkeypatch, suffix: str = ".jpg", **changes: Any) -> list[Picture]:
    """Two training images and one test image a class, called the published ones by count, mean and deviation."""
    chosen = pictures(CIFAR10_CLASSES, train=2, test=1, shape=(32, 32, 3), suffix=suffix)
    files = files_of(chosen)
    pixels = np.stack(
        [np.asarray(Image.open(io.BytesIO(files[name]))) for name, _ in chosen if "train" in name]
    )
    known: dict[str, Any] = {
        "train": 20,
        "test": 10,
        "mean": tuple(pixels.mean((0, 1, 2)) / 255 + 0.004),
        "std": tuple(pixels.std((0, 1, 2)) / 255 - 0.004),
    }
    monkeypatch.setitem(CATALOGUE, "cifar10", replace(CATALOGUE["cifar10"], **(known | changes)))
    return chosen


@pytest.mark.parametrize(
    ("place", "suffix", "kind"),
    [("cifar10-small.tar.xz", ".jpg", "JPEG"), ("CIFAR-10.zip", ".png", "PNG"), ("cifar10", ".bmp", "BMP")],
)
def test_class_folders_that_pass_for_cifar10_are_called_a_copy(monkeypatch, tmp_path, place, suffix, kind):
    chosen = small_cifar10(monkeypatch, suffix)
    path = put(tmp_path / place, files_of(chosen))
    for name, where in (("cifar10", tmp_path), ("cifar10", path), ("images", path)):
        data = load(name, where)
        assert data.label == f"CIFAR-10 ({kind} copy)"
        assert data.classes == CIFAR10_CLASSES
        assert data.test_labels.bincount().tolist() == [1] * 10


def test_the_kind_of_copy_is_what_the_files_are_and_not_how_they_are_called(monkeypatch, tmp_path):
    chosen = small_cifar10(monkeypatch, ".png")
    files = {name.replace(".png", ".jpg"): content for name, content in files_of(chosen).items()}
    assert load("cifar10", put(tmp_path / "cifar10.zip", files)).label == "CIFAR-10 (PNG copy)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": 30}, r"20 training images with 20 labels, but CIFAR-10 has 30"),
        ({"test": 9}, r"10 test images with 10 labels, but CIFAR-10 has 9"),
        ({"mean": (0.49, 0.48, 0.44)}, r"mean and deviation of its pixels are"),
        ({"std": (0.24, 0.24, 0.26)}, r"mean and deviation of its pixels are"),
        ({"classes": (*CIFAR10_CLASSES[:9], "van")}, r"it has 10 classes, the first 'airplane'"),
        ({"shape": (3, 28, 28)}, r"\(3, 32, 32\), but CIFAR-10 has \(3, 28, 28\)"),
        ({"mean": ()}, r"copies of it are not recognised"),
    ],
    ids=["train", "test", "mean", "deviation", "classes", "size", "not known"],
)
def test_class_folders_that_differ_are_not_called_cifar10(monkeypatch, tmp_path, changes, message):
    path = put(tmp_path / "cifar10.zip", files_of(small_cifar10(monkeypatch, **changes)))
    with pytest.raises(DataError, match=rf"no copy of CIFAR-10: .*{message}.*; load it by the name 'images'"):
        load("cifar10", tmp_path)
    assert load("images", path).label == "cifar10.zip (class folders)"


def test_class_folders_of_uneven_sizes_are_not_called_cifar10(monkeypatch, tmp_path):
    files = files_of(small_cifar10(monkeypatch))
    files["train/truck/2.jpg"] = files.pop("train/airplane/0000.jpg")
    put(tmp_path / "cifar10.zip", files)
    with pytest.raises(DataError, match="its classes have different numbers of images"):
        load("cifar10", tmp_path)


def test_an_archive_named_otherwise_is_not_taken_for_cifar10(monkeypatch, tmp_path):
    files = files_of(small_cifar10(monkeypatch))
    put(tmp_path / "cifar100.zip", files)
    put(tmp_path / "pets.zip", files)
    with pytest.raises(DataError, match=r"no CIFAR-10 in .*cifar-10-python.tar.gz"):
        load("cifar10", tmp_path)


@pytest.mark.skipif(REAL is None, reason="SMOOTHNESS_AT_CIFAR10 names no copy of CIFAR-10")
def test_the_jpeg_copy_of_cifar10_is_recognised(monkeypatch):
    monkeypatch.undo()  # the user's own cache: decoding takes a quarter of a minute
    data = load("cifar10", str(REAL))
    assert data.label == "CIFAR-10 (JPEG copy)"
    assert data.train_images.shape == (50_000, 3, 32, 32)
    assert data.train_labels.bincount().tolist() == [5000] * 10
    assert data.test_labels.bincount().tolist() == [1000] * 10
    assert data.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=5e-4)
    assert data.std == pytest.approx((0.2471, 0.2435, 0.2616), abs=2.5e-3)


def test_nothing_warns_where_nothing_is_wrong(tmp_path):
    path = put(tmp_path / "pets.zip", files_of(pictures()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load("images", path)
        load("images", path, validation=3)
