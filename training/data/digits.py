"""The 1,797 real 8x8 digits that scikit-learn ships, with a split fixed once for all."""

from __future__ import annotations

import numpy as np
import sklearn
import sklearn.datasets

from training.data.dataset import Arrays, held_out
from training.data.integrity import DataError

COUNT = 1797
TEST = 200
LEVELS = 16
SPLIT_SEED = 0


def read_digits() -> Arrays:
    """1,597 training and 200 test images of shape (1, 8, 8), whole grey levels 0..16 (a pixel in [0, 1] is level / 16).

    A level counts the dark points in a 4x4 block of a 32x32 scan (Alpaydin and Kaynak, 1998). The test images are
    `held_out(labels, 200, seed=0)`, 19 to 21 a class, the same for every seed of a run. Both parts keep
    scikit-learn's order, in which the classes are mixed.

    Raises: DataError where this scikit-learn ships something else.
    """
    found = sklearn.datasets.load_digits()
    images, labels = np.asarray(found.images), np.asarray(found.target, dtype=np.int64)
    levels = images.astype(np.uint8)
    if (
        images.shape != (COUNT, 8, 8)
        or labels.shape != (COUNT,)
        or (levels != images).any()
        or levels.max() != LEVELS
    ):
        raise DataError(
            f"scikit-learn {sklearn.__version__} ships digits of shape {images.shape}, not {COUNT} images of 8x8 whole"
            " levels 0 to 16; install a version that does, such as 1.9"
        )
    test = held_out(labels, TEST, SPLIT_SEED)
    return Arrays(
        train_images=levels[~test, None],
        train_labels=labels[~test],
        test_images=levels[test, None],
        test_labels=labels[test],
        classes=tuple(str(name) for name in found.target_names),
        label="digits",
        source=f"load_digits of scikit-learn {sklearn.__version__}",
        levels=LEVELS,
    )
