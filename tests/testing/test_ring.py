from __future__ import annotations

from pathlib import Path

import numpy as np

from cilsim.testing import ring, ring_domains, write_ring


def test_classes_lie_on_a_circle_of_radius_three() -> None:
    arrays = ring(4, train_per_class=2000)
    centres = arrays["x_train"].reshape(4, 2000, 2).mean(axis=1)
    np.testing.assert_allclose(centres, [[3, 0], [0, 3], [-3, 0], [0, -3]], atol=0.03)


def test_the_spread_is_a_quarter() -> None:
    x_train = ring(2, train_per_class=2000)["x_train"].reshape(2, 2000, 2)
    np.testing.assert_allclose(x_train.std(axis=1), np.full((2, 2), 0.25), atol=0.02)


def test_shapes_and_types() -> None:
    arrays = ring(3, train_per_class=5, test_per_class=2)
    shapes = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    assert shapes == {
        "x_train": ((15, 2), "float32"),
        "y_train": ((15,), "int64"),
        "x_test": ((6, 2), "float32"),
        "y_test": ((6,), "int64"),
    }


def test_equal_seeds_give_equal_rings() -> None:
    first, again, other = ring(seed=1), ring(seed=1), ring(seed=2)
    np.testing.assert_array_equal(first["x_train"], again["x_train"])
    assert not np.array_equal(first["x_train"], other["x_train"])


def test_train_and_test_samples_differ() -> None:
    arrays = ring(2, train_per_class=30, test_per_class=30)
    assert not np.isin(arrays["x_test"], arrays["x_train"]).any()


def test_the_file_holds_the_arrays(tmp_path: Path) -> None:
    with np.load(write_ring(tmp_path / "ring.npz", 3), allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["x_train"], ring(3)["x_train"])
        assert sorted(stored.files) == ["x_test", "x_train", "y_test", "y_train"]


def test_domains_are_thirds_of_each_class_by_distance_from_the_middle() -> None:
    arrays = ring(2, train_per_class=9, test_per_class=3)
    domains = ring_domains(arrays)
    assert domains["domain_names"].tolist() == ["inner", "middle", "outer"]
    for part, third in (("train", 3), ("test", 1)):
        distance = np.linalg.norm(arrays[f"x_{part}"], axis=1)
        for class_id in (0, 1):
            mine = arrays[f"y_{part}"] == class_id
            nearest_first = domains[f"domain_{part}"][mine][distance[mine].argsort()]
            assert nearest_first.tolist() == [0] * third + [1] * third + [2] * third


def test_the_file_holds_domains_if_they_are_asked_for(tmp_path: Path) -> None:
    with np.load(write_ring(tmp_path / "ring.npz", 3, domains=True), allow_pickle=False) as stored:
        assert {"domain_train", "domain_test", "domain_names"} < set(stored.files)
