from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np

from cilsim.data.digest import dataset_digest

X = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)
Y = np.array([0, 1], dtype=np.int64)


def test_the_digest_is_sha256_over_names_types_shapes_and_bytes() -> None:
    expected = sha256(
        b"x_train |u1 (2, 3, 2, 2)\n"
        + bytes(range(24))
        + b"y_train <i8 (2,)\n"
        + bytes(8)
        + b"\x01"
        + bytes(7)
        + b"x_test |u1 (1, 3, 2, 2)\n"
        + bytes(range(12))
        + b"y_test <i8 (1,)\n"
        + bytes(8)
    ).hexdigest()
    assert dataset_digest(X, Y, X[:1], Y[:1]) == expected


def test_one_changed_pixel_or_class_id_changes_the_digest() -> None:
    x, y = X.copy(), Y.copy()
    x[1, 2, 1, 1] += 1
    y[1] = 2
    digests = {
        dataset_digest(*parts)
        for parts in ((X, Y, X, Y), (x, Y, X, Y), (X, y, X, Y), (X, Y, x, Y), (X, Y, X, y))
    }
    assert len(digests) == 5


def test_a_memory_mapped_strided_or_big_endian_array_has_the_same_digest(tmp_path: Path) -> None:
    many = np.random.default_rng(0).integers(0, 256, (3000, 3, 32, 32), dtype=np.uint8)
    ids = np.arange(3000, dtype=np.int64)
    np.save(tmp_path / "x.npy", many)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    strided = np.asfortranarray(many)
    plain = dataset_digest(many, ids, many, ids)
    assert dataset_digest(mapped, ids, mapped, ids) == plain
    assert dataset_digest(strided, ids.astype(">i8"), many, ids) == plain
