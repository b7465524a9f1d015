from __future__ import annotations

import numpy as np

from cilsim.testing import patterns


def test_shapes_and_types_are_those_of_an_arrays_data_set() -> None:
    arrays = patterns(3, train_per_class=4, test_per_class=2)
    assert {name: (array.shape, str(array.dtype)) for name, array in arrays.items()} == {
        "x_train": ((12, 8, 8), "uint8"),
        "y_train": ((12,), "int64"),
        "x_test": ((6, 8, 8), "uint8"),
        "y_test": ((6,), "int64"),
    }


def test_a_seed_gives_the_same_images_and_another_does_not() -> None:
    first = patterns(seed=1)
    assert all(np.array_equal(first[name], array) for name, array in patterns(seed=1).items())
    assert not np.array_equal(first["x_train"], patterns(seed=2)["x_train"])


def test_the_nearest_class_mean_knows_every_test_image_even_among_rotations() -> None:
    arrays = patterns()
    x, y = arrays["x_train"].astype(np.float64), arrays["y_train"]
    means = np.stack([np.rot90(x[y == label].mean(0), r) for label in range(10) for r in range(4)])
    test = arrays["x_test"].astype(np.float64)
    distances = ((test[:, None] - means) ** 2).sum((2, 3))
    assert (distances.argmin(1) == 4 * arrays["y_test"]).all()
