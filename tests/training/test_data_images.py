"""Images in class folders (training/data/class_folders.py, decoding.py): read, and refused where they do not fit.

Second sources: the pixels that were written, Pillow on one file at a time.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from folder_pictures import PETS, assert_holds, encoded, files_of, pictures, put
from PIL import Image

from training.data import DataError, load

pytestmark = pytest.mark.usefixtures("cache")


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
        (changed(train__cat__9_jpg=b"no image"), r"9.jpg' cannot be decoded \(it is no JPEG"),
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


def test_nothing_warns_where_nothing_is_wrong(tmp_path):
    path = put(tmp_path / "pets.zip", files_of(pictures()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load("images", path)
        load("images", path, validation=3)
