"""Files become samples of a model, or one line says which files it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cilsim.data.row_encoder import RowEncoder
from cilsim.data.tabular_columns import NumberColumn
from cilsim.deploy.read_samples import Place
from cilsim.deploy.sample_files import samples_in, samples_to_learn
from cilsim.deploy.stored_model import InputFacts
from cilsim.errors import DataError

GREY = InputFacts((1, 4, 4), (0.5,), (0.25,), None)
COLOUR = InputFacts((3, 4, 4), (0.5,) * 3, (0.25,) * 3, None)
VECTORS = InputFacts((2,), (), (), None)
ENCODER = RowEncoder((NumberColumn("a", 1.0, 2.0, False),), "b", (), ("",))
ROWS = InputFacts((1,), (), (), None, ENCODER)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(name: str, x: Any) -> Path:
    np.savez(name, x=x, y=np.zeros(len(x)))
    return Path(name)


def refusal(given: InputFacts, *paths: str | Path, learnt: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        samples_in([Path(path) for path in paths], given, learnt)
    return str(caught.value)


def test_an_array_gives_features_numbered_from_0() -> None:
    [block] = samples_in([save("x.npz", np.array([[1.0, 2.0], [3.0, 4.0]]))], VECTORS)

    assert block.places == (Place(Path("x.npz"), 0), Place(Path("x.npz"), 1))
    assert (block.x.dtype, block.x.tolist()) == (np.float32, [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize("given", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 3, 1, 2)], ids=["NHWC", "NCHW"])
def test_arrays_of_images_are_what_image_files_would_be(
    given: InputFacts, axes: tuple[int, ...]
) -> None:
    pixels_NHWC = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    for number, image in enumerate(pixels_NHWC):
        Image.fromarray(image).save(f"{number}.png")
    [from_files] = samples_in([Path("0.png"), Path("1.png")], given)
    [from_array] = samples_in([save("x.npz", pixels_NHWC.transpose(axes))], given)

    np.testing.assert_array_equal(from_array.x, from_files.x)


def test_a_table_gives_features_numbered_from_1() -> None:
    Path("a.csv").write_text("a\n1\n\n3\n")
    [block] = samples_in([Path("a.csv")], ROWS)

    assert block.places == (Place(Path("a.csv"), 1), Place(Path("a.csv"), 2))
    assert block.x.tolist() == [[0.0], [1.0]]


def test_files_keep_their_order_whatever_they_hold() -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save("a.png")
    array = save("x.npz", np.zeros((1, 4, 4), np.uint8))
    blocks = samples_in([Path("a.png"), array, Path("a.png")], GREY)

    places = [[(str(place.file), place.row) for place in block.places] for block in blocks]
    assert places == [[("a.png", None)], [("x.npz", 0)], [("a.png", None)]]


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        (VECTORS, "a.png", "vectors of 2 features - expected .npz files with x"),
        (VECTORS, "a.csv", "vectors of 2 features - expected .npz files with x"),
        (COLOUR, "a.csv", "images - expected image files, folders of them or .npz files"),
        (ROWS, "a.npz", "rows of a table - expected .csv, .tsv or .parquet files"),
        (ROWS, ".", "rows of a table - expected .csv, .tsv or .parquet files"),
    ],
)
def test_files_for_another_model_are_refused(given: InputFacts, path: str, message: str) -> None:
    assert refusal(given, path) == f"{path}: the model takes {message}"


@pytest.mark.parametrize(
    ("given", "x", "message"),
    [
        (
            VECTORS,
            np.zeros((2, 3)),
            "a sample of x has shape (3,) - expected (2,), as in training",
        ),
        (
            GREY,
            np.zeros((2, 4, 5), np.uint8),
            "a sample of x has shape (3, 4, 5) - expected (3, 4, 4), as in training",
        ),
        (
            VECTORS,
            np.zeros((2, 2), np.int64),
            "x has shape (2, 2) and type int64 - expected uint8 images (N, H, W), (N, H, W, C) or "
            "(N, C, H, W) with C 1 or 3, or float features (N, D)",
        ),
        (
            VECTORS,
            np.zeros((0, 2)),
            "x has shape (0, 2) and type float64 - it is empty - expected uint8 images (N, H, W), "
            "(N, H, W, C) or (N, C, H, W) with C 1 or 3, or float features (N, D)",
        ),
        (
            VECTORS,
            np.array([[0.0, 1.0], [np.nan, 1.0]]),
            "x has a value that is not finite, first in row 1 - expected finite float32 features",
        ),
    ],
    ids=["features", "pixels", "type", "empty", "not finite"],
)
def test_arrays_that_do_not_fit_are_refused(given: InputFacts, x: Any, message: str) -> None:
    assert refusal(given, save("x.npz", x)) == f"arrays 'x.npz': {message}"


def test_an_array_needs_its_name() -> None:
    np.savez("data.npz", x_test=np.zeros((2, 2)), y_test=np.zeros(2))

    assert refusal(VECTORS, "data.npz") == (
        "arrays 'data.npz': there is no array 'x' - present: x_test, y_test"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": it is empty - expected a header with the names of the columns"),
        ("a\n", ": there is no row below the header"),
        ("a\n1\n2,3\n", " line 3: 2 cells were found - expected 1, as many as the header has"),
    ],
    ids=["empty", "no rows", "ragged"],
)
def test_tables_without_rows_are_refused(content: str, message: str) -> None:
    Path("a.csv").write_text(content)
    assert refusal(ROWS, "a.csv") == f"table 'a.csv'{message}"


def test_rows_to_learn_are_of_the_class_that_is_named() -> None:
    Path("a.csv").write_text("a,b\n1,heron\n2,\n3,stork\n")

    assert refusal(ROWS, "a.csv", learnt="heron") == (
        "table 'a.csv' line 4: b 'stork' - expected 'heron', the name after --class"
    )


def test_samples_of_several_files_are_learnt_together() -> None:
    Path("a.csv").write_text("a,b\n1,heron\n")
    Path("b.csv").write_text("a\n3\n5\n")

    x_ND = samples_to_learn([Path("a.csv"), Path("b.csv")], ROWS, "heron")
    assert x_ND.tolist() == [[0.0], [1.0], [2.0]]
