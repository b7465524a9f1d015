from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.arrays import ArraysOptions, arrays_dataset, facts_arrays, load_arrays
from cilsim.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 5, 4), dtype=np.uint8)
IDS = np.array([4, 4, 7, 7, 4, 7])


def save(path: Path, **changes: Any) -> ArraysOptions:
    arrays = {"x_train": IMAGES, "y_train": IDS, "x_test": IMAGES[1:3], "y_test": IDS[1:3]}
    arrays |= changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return ArraysOptions(path=path)


def refusal(options: ArraysOptions) -> str:
    """Return the message of `load`, after the name of the file, if `facts` gives the same."""
    messages = []
    for use in (load_arrays, facts_arrays):
        with pytest.raises(DataError) as caught:
            use(options)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    head = f"arrays '{options.path}': "
    assert messages[0].startswith(head)
    return messages[0].removeprefix(head)


def test_an_npz_file_of_images_is_loaded_with_its_facts(tmp_path: Path) -> None:
    options = save(tmp_path / "a.npz")
    dataset, facts = load_arrays(options), facts_arrays(options)
    assert dataset.name == "arrays"
    assert dataset.x_train.tolist() == IMAGES.tolist()
    assert dataset.x_test.tolist() == IMAGES[1:3].tolist()
    for found in (dataset.facts, facts):
        assert (found.class_ids, found.class_names) == ((4, 7), ("4", "7"))
        assert (found.y_train.tolist(), found.y_test.tolist()) == (IDS.tolist(), [4, 7])
        assert found.y_train.dtype == np.int64
        assert (found.sample_shape, found.features) == ((3, 5, 4), False)
    assert dataset.mean == pytest.approx((IMAGES.mean((0, 2, 3)) / 255).tolist())
    assert dataset.std == pytest.approx((IMAGES.std((0, 2, 3)) / 255).tolist())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (IMAGES, IMAGES),
        (IMAGES.transpose(0, 2, 3, 1), IMAGES),
        (IMAGES[:, 0], IMAGES[:, :1].repeat(3, 1)),
        (IMAGES[:, :1], IMAGES[:, :1].repeat(3, 1)),
        (IMAGES[:, :1].transpose(0, 2, 3, 1), IMAGES[:, :1].repeat(3, 1)),
    ],
    ids=["NCHW", "NHWC", "NHW", "N1HW", "NHW1"],
)
def test_images_of_every_layout_become_three_channels_first(
    given: np.ndarray, expected: np.ndarray, tmp_path: Path
) -> None:
    options = save(tmp_path / "a.npz", x_train=given, x_test=given[1:3])
    dataset = load_arrays(options)
    assert dataset.x_train.tolist() == expected.tolist()
    assert dataset.x_train.flags.c_contiguous
    assert facts_arrays(options).sample_shape == (3, 5, 4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_features_are_kept_as_float32_and_not_normalised(dtype: type, tmp_path: Path) -> None:
    features = np.arange(12, dtype=dtype).reshape(6, 2) / 4
    dataset = load_arrays(save(tmp_path / "a.npz", x_train=features, x_test=features[1:3]))
    assert dataset.x_train.dtype == np.float32
    assert dataset.x_train.tolist() == features.tolist()
    assert (dataset.facts.sample_shape, dataset.facts.features) == ((2,), True)
    assert (dataset.mean, dataset.std) == ((), ())


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_a_feature_that_is_not_finite_is_named_by_its_row(bad: float, tmp_path: Path) -> None:
    features = np.zeros((5000, 2))
    features[4321, 1] = features[4500, 0] = bad
    ids = np.zeros(5000, dtype=np.int64)
    options = save(
        tmp_path / "a.npz", x_train=features, y_train=ids, x_test=features[:2], y_test=ids[:2]
    )
    with pytest.raises(DataError) as caught:
        load_arrays(options)
    assert str(caught.value) == (
        f"arrays '{options.path}': x_train has a value that is not finite, first in row 4321 - "
        "expected finite float32 features"
    )


EXPECTED = (
    "uint8 images (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3, or float features (N, D)"
)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (IMAGES.astype(np.float32), "shape (6, 3, 5, 4) and type float32"),
        (IMAGES.reshape(6, 60), "shape (6, 60) and type uint8"),
        (IMAGES.reshape(6, 5, 4, 3)[:, :, :, :2], "shape (6, 5, 4, 2) and type uint8"),
        (IMAGES.ravel(), "shape (360,) and type uint8"),
        (IMAGES.astype(np.int16), "shape (6, 3, 5, 4) and type int16"),
        (
            IMAGES[:, :, :, :3],
            "shape (6, 3, 5, 3) and type uint8 - the channels may be axis 1 or axis 3",
        ),
        (IMAGES[:0], "shape (0, 3, 5, 4) and type uint8 - it is empty"),
    ],
    ids=["float images", "flat", "two channels", "one axis", "int16", "ambiguous", "empty"],
)
def test_samples_of_another_form_are_refused(
    given: np.ndarray, complaint: str, tmp_path: Path
) -> None:
    options = save(tmp_path / "a.npz", x_train=given)
    assert refusal(options) == f"x_train has {complaint} - expected {EXPECTED}"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"x_test": IMAGES[1:3, :, :4]},
            "a sample of x_train has shape (3, 5, 4), one of x_test (3, 4, 4) - expected the same",
        ),
        (
            {"y_train": IDS.astype(np.float64)},
            "y_train has shape (6,) and type float64 - "
            "expected one integer class id per sample, shape (N,)",
        ),
        (
            {"y_test": IDS[1:3, None]},
            "y_test has shape (2, 1) and type int64 - "
            "expected one integer class id per sample, shape (N,)",
        ),
        ({"y_train": IDS[:5]}, "y_train has 5 class ids - expected 6, one per sample"),
        (
            {"y_train": np.array([4, 4, 7, -1, 4, 7])},
            "y_train has the class id -1 in row 3 - "
            "expected ids from 0; leave samples without a class out",
        ),
        (
            {"y_train": np.array([4, 4, 7, 8, 9, 7])},
            "class ids only in y_train: 8, 9; only in y_test: none - "
            "expected the same classes in both",
        ),
        (
            {"y_test": np.array([4, 5])},
            "class ids only in y_train: 7; only in y_test: 5 - expected the same classes in both",
        ),
        (
            {"class_names": np.array(["a", "b", "c"])},
            "class_names has shape (3,) and type <U1 - expected 2 texts, one per class",
        ),
        (
            {"class_names": np.array([1, 2])},
            "class_names has shape (2,) and type int64 - expected 2 texts, one per class",
        ),
        (
            {"x_test": None, "X_Test": IMAGES},
            "there is no array 'x_test' - present: X_Test, x_train, y_test, y_train; "
            "did you mean 'X_Test'?",
        ),
        (
            {"y_train": np.array([4, 4, 7, 7, None, 7], dtype=object)},
            "y_train holds Python objects, which are never loaded - "
            "expected numbers or, for class_names, texts",
        ),
    ],
    ids=[
        "unequal samples", "float ids", "column of ids", "too few ids", "negative id",
        "only in train", "only in either", "too many names", "names are numbers",
        "missing array", "Python objects",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    changes: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    assert refusal(save(tmp_path / "a.npz", **changes)) == complaint


def test_many_class_ids_are_not_all_listed() -> None:
    with pytest.raises(DataError) as caught:
        arrays_dataset(np.zeros((12, 2)), np.arange(12), np.zeros((1, 2)), [0], name="mine")
    assert str(caught.value) == (
        "data set 'mine': class ids only in y_train: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 1 more; "
        "only in y_test: none - expected the same classes in both"
    )


def test_names_of_classes_follow_the_ascending_class_ids(tmp_path: Path) -> None:
    options = save(tmp_path / "a.npz", class_names=np.array(["cat", "dog"]))
    assert facts_arrays(options).class_names == ("cat", "dog")
    assert load_arrays(options).facts.class_names == ("cat", "dog")


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    options = ArraysOptions(path=tmp_path / "none.npz")
    assert refusal(options) == "there is no such file - expected an .npz file"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(pickle.dumps({"x_train": 1}))
    assert refusal(ArraysOptions(path=tmp_path / "a.npz")) == (
        "it is not an .npz file (File is not a zip file) - expected what numpy.savez writes"
    )


def test_a_damaged_array_is_named(tmp_path: Path) -> None:
    options = save(tmp_path / "a.npz")
    content = bytearray(options.path.read_bytes())
    content[content.index(IDS.tobytes())] ^= 255
    options.path.write_bytes(content)
    assert refusal(options) == "y_train is damaged (BadZipFile) - write it again"


def test_a_member_that_is_no_array_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x_train.npy", b"\x80\x04N.")
    assert refusal(ArraysOptions(path=tmp_path / "a.npz")) == (
        "x_train is damaged (ValueError) - write it again"
    )


def test_arrays_from_python_keep_name_names_and_normalisation() -> None:
    dataset = arrays_dataset(
        IMAGES.tolist() and IMAGES, IDS.tolist(), IMAGES[1:3], [4, 7],
        name="mine", class_names=["cat", "dog"], mean=[0.5, 0.4, 0.3], std=(0.2, 0.2, 0.1),
    )  # fmt: skip
    assert (dataset.name, dataset.facts.class_names) == ("mine", ("cat", "dog"))
    assert (dataset.mean, dataset.std) == ((0.5, 0.4, 0.3), (0.2, 0.2, 0.1))


def test_the_digest_is_that_of_the_content_whatever_the_layout() -> None:
    first = arrays_dataset(IMAGES, IDS, IMAGES, IDS)
    last = arrays_dataset(IMAGES.transpose(0, 2, 3, 1), IDS, IMAGES, IDS.astype(np.uint8))
    other = arrays_dataset(IMAGES, IDS[::-1], IMAGES, IDS)
    assert first.digest == last.digest
    assert first.digest != other.digest


def with_domains(**changes: object) -> dict[str, object]:
    arrays: dict[str, object] = {
        "x_train": np.zeros((4, 2)),
        "y_train": np.array([0, 1, 0, 1]),
        "x_test": np.zeros((2, 2)),
        "y_test": np.array([0, 1]),
        "domain_train": np.array([7, 2, 2, 7]),
        "domain_test": np.array([9, 2]),
        **changes,
    }
    return {name: array for name, array in arrays.items() if array is not None}


def test_domains_are_positions_in_their_names() -> None:
    facts = arrays_dataset(**with_domains()).facts  # type: ignore[arg-type]
    assert facts.domain_names == ("2", "7", "9")
    assert facts.domain_train is not None
    assert facts.domain_train.tolist() == [1, 0, 0, 1]
    assert facts.domain_test is not None
    assert facts.domain_test.tolist() == [2, 0]


def test_domains_may_have_names_in_ascending_order_of_their_numbers() -> None:
    named = with_domains(domain_names=["indoors", "garden", "street"])
    facts = arrays_dataset(**named).facts  # type: ignore[arg-type]
    assert facts.domain_names == ("indoors", "garden", "street")


def test_domains_are_read_from_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **with_domains())  # type: ignore[arg-type]
    options = ArraysOptions(path=tmp_path / "mine.npz")
    for facts in (facts_arrays(options), load_arrays(options).facts):
        assert facts.domain_names == ("2", "7", "9")
        assert facts.domain_train is not None
        assert facts.domain_train.tolist() == [1, 0, 0, 1]


def test_without_domains_the_facts_have_none() -> None:
    none = with_domains(domain_train=None, domain_test=None)
    facts = arrays_dataset(**none).facts  # type: ignore[arg-type]
    assert (facts.domain_train, facts.domain_test, facts.domain_names) == (None, None, ())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"domain_test": None},
            "there is no array 'domain_test' - expected beside domain_train",
        ),
        (
            {"domain_test": None, "domain_train": None, "domain_names": ["a"]},
            "there is no array 'domain_train' - expected beside domain_names",
        ),
        (
            {"domain_train": np.array([0, 1])},
            "domain_train has shape (2,) and type int64 - expected one integer per sample, "
            "shape (4,)",
        ),
        (
            {"domain_test": np.array([0.0, 1.0])},
            "domain_test has shape (2,) and type float64 - expected one integer per sample, "
            "shape (2,)",
        ),
        (
            {"domain_test": np.array([0, -1])},
            "domain_test has the domain -1 in row 1 - expected integers from 0",
        ),
        (
            {"domain_names": ["a", "b"]},
            "domain_names has shape (2,) and type <U1 - expected 3 different texts, one per domain "
            "of domain_train and domain_test",
        ),
        (
            {"domain_names": ["a", "b", "a"]},
            "domain_names has shape (3,) and type <U1 - expected 3 different texts, one per domain "
            "of domain_train and domain_test",
        ),
    ],
    ids=["one part", "names alone", "length", "type", "negative", "too few names", "equal names"],
)
def test_domains_that_are_not_as_described_are_refused(
    changes: dict[str, object], problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        arrays_dataset(**with_domains(**changes))  # type: ignore[arg-type]
    assert str(caught.value) == f"data set 'arrays': {problem}"
