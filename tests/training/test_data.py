"""Data sets as a run sees them (training/data): the digits, held-out images, and what is said where one is missing.

Second sources: scikit-learn's arrays, hashlib, numpy.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import sklearn.datasets
import torch
from hypothesis import given
from hypothesis import strategies as st
from published_files import small_cifar

from training.data import NAMES, DataError, idx, load
from training.data.catalogue import CATALOGUE
from training.data.dataset import held_out

DIGEST_OF_TEST_DIGITS = "c9a8ef3dddcb"  # recorded with numpy 2.4 and scikit-learn 1.9


def test_the_digits_are_scikit_learns_in_two_parts():
    data = load("digits")
    found = sklearn.datasets.load_digits()
    assert data.train_images.shape == (1597, 1, 8, 8)
    assert data.test_images.shape == (200, 1, 8, 8)
    test = held_out(found.target, 200, 0)
    for images, labels, where in (
        (data.train_images, data.train_labels, ~test),
        (data.test_images, data.test_labels, test),
    ):
        np.testing.assert_array_equal(
            data.pixels(images)[:, 0].numpy(), (found.images[where] / 16).astype("f4")
        )
        np.testing.assert_array_equal(labels.numpy(), found.target[where])
    assert (data.levels, data.label) == (16, "digits")
    assert data.pixels(data.train_images).max() == 1
    assert set(data.test_labels.bincount().tolist()) <= {19, 20, 21}


def test_the_test_digits_never_change():
    plain, other = load("digits"), load("digits", validation=200, seed=2)
    assert torch.equal(plain.test_images, other.test_images)
    content = plain.test_images.numpy().tobytes() + plain.test_labels.numpy().astype("<i8").tobytes()
    assert hashlib.sha256(content).hexdigest()[:12] == DIGEST_OF_TEST_DIGITS


def test_what_is_held_out_and_what_is_trained_on_make_the_training_images():
    whole, parts = load("digits"), load("digits", validation=200, seed=5)
    assert parts.validation_images.shape == (200, 1, 8, 8)
    assert parts.train_images.shape == (1397, 1, 8, 8)
    mask = torch.from_numpy(held_out(whole.train_labels.numpy(), 200, 5))
    assert torch.equal(parts.validation_images, whole.train_images[mask])
    assert torch.equal(parts.validation_labels, whole.train_labels[mask])
    assert torch.equal(parts.train_images, whole.train_images[~mask])
    assert torch.equal(parts.train_labels, whole.train_labels[~mask])
    assert not torch.equal(load("digits", validation=200, seed=6).validation_labels, parts.validation_labels)


@given(
    labels=st.lists(st.integers(0, 5), min_size=2, max_size=60).map(np.array),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_split_has_the_asked_number_shared_out_by_class(labels, share, seed):
    number = min(int(share * len(labels)), len(labels) - 1)
    mask = held_out(labels, number, seed)
    assert mask.sum() == number
    for label in set(labels.tolist()):
        of_class = labels == label
        assert abs(mask[of_class].sum() - number * of_class.sum() / len(labels)) < 1
    np.testing.assert_array_equal(mask, held_out(labels, number, seed))


def test_of_classes_with_equal_remainders_the_first_give_one_more():
    mask = held_out(np.repeat(np.arange(100), 2), 50, seed=0)
    assert mask.reshape(100, 2).sum(axis=1).tolist() == [1] * 50 + [0] * 50


@pytest.mark.parametrize("number", [-1, 1597, 5000])
def test_a_split_that_leaves_nothing_to_train_on_is_refused(number):
    with pytest.raises(ValueError, match=rf"validation={number}: .* 1597 training images"):
        load("digits", validation=number)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match=rf"seed={seed}: .* between 0 and"):
        load("digits", validation=10, seed=seed)


def test_mean_and_deviation_are_those_of_the_training_pixels(monkeypatch, tmp_path):
    small_cifar(monkeypatch, tmp_path, "cifar10", "binary", packed=True)
    data = load("cifar10", tmp_path, validation=4)
    pixels = data.train_images.numpy() / np.float64(255)
    np.testing.assert_allclose(data.mean, pixels.mean(axis=(0, 2, 3)), rtol=1e-13)
    np.testing.assert_allclose(data.std, pixels.std(axis=(0, 2, 3)), rtol=1e-13)
    assert not np.allclose(data.std, pixels.std(axis=(0, 2, 3), ddof=1), rtol=1e-13)


def test_pixels_are_levels_divided_in_float32():
    data = replace(load("digits"), levels=255)
    levels = torch.arange(256, dtype=torch.uint8)
    expected = (np.arange(256) / np.float64(255)).astype(np.float32)
    np.testing.assert_array_equal(data.pixels(levels).numpy(), expected)
    assert levels.dtype == torch.uint8
    assert levels[255] == 255


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(
        ValueError, match=r"'cifar-10': .*" + ", ".join(NAMES) + r"; did you mean 'cifar10'\?"
    ):
        load("cifar-10")
    with pytest.raises(ValueError, match="'mnst'"):
        load("mnst")


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "svhn", "images"])
def test_a_folder_that_is_not_given_or_not_there_is_named(tmp_path, name):
    with pytest.raises(DataError, match=rf"folder=None: {name} is read from files"):
        load(name)
    with pytest.raises(DataError, match=rf"absent: there is no such file or folder.*files of {name}"):
        load(name, tmp_path / "absent")


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_empty_folder_is_answered_with_what_belongs_there(monkeypatch, tmp_path, name):
    monkeypatch.setattr(idx, "DEBIAN", tmp_path / "absent")
    published = CATALOGUE[name]
    with pytest.raises(DataError) as caught:
        load(name, tmp_path)
    for part in (
        str(tmp_path),
        published.site,
        *published.fetch,
        *(published.files[file] for file in published.fetch),
    ):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("device", ["cuda:99", "gpu"])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(ValueError, match=rf"device='{device}': not there") as caught:
        load("digits", device=device)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_is_complete(name):
    published = CATALOGUE[name]
    assert published.name == name
    assert set(published.fetch) <= set(published.files)
    assert len(set(published.files.values())) == len(published.files)
    assert all(len(digest) in (32, 40) and int(digest, 16) >= 0 for digest in published.files.values())
    assert published.site.endswith("/")
