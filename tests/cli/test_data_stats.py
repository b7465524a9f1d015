"""`cilsim data stats`: what can be said of a data set before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a cache of its own."""
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pets() -> None:
    """Three training cats, one training dog, one of each for testing; one dog is in both parts."""
    pictures = {
        "train/cat/a.png": ((20, 10), 0),
        "train/cat/b.png": ((20, 10), 0),  # as a
        "train/cat/c.png": ((16, 16), 90),
        "train/dog/d.png": ((20, 10), 200),
        "test/cat/e.png": ((20, 10), 60),
        "test/dog/f.png": ((20, 10), 200),  # as d
    }
    for name, (size, grey) in pictures.items():
        path = Path("pets") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L" if grey == 90 else "RGB", size, grey if grey == 90 else (grey,) * 3).save(
            path
        )


def test_a_folder_of_images_on_a_terminal(cli: Command, pets: None) -> None:
    outcome = cli("data", "stats", "pets", "-q", "--set", "image_size=8")

    assert (outcome.code, outcome.err) == (0, "")
    files = sum(path.stat().st_size for path in Path("pets").rglob("*.png"))
    assert outcome.out.splitlines() == [
        "pets: 2 classes, 4 training and 2 test samples",
        "image files  20 x 10 (5), 16 x 16 (1); shorter sides 10 to 16 pixels",
        "channels     RGB (5), L (1)",
        "read as      3 x 8 x 8",
        "mean         0.284 0.284 0.284",
        "deviation    0.323 0.323 0.323",
        "per class    1 to 3 training samples, imbalance 3.0",
        "duplicates   1 in training, 0 in test, 1 across",
        f"bytes        {files} B of files, 1.2 kB of samples",
        "warning: 1 test samples are training samples too, so accuracies would be too high: "
        "test/dog/f.png = train/dog/d.png",
        "",
        "class  train  test",
        "cat        3     1",
        "dog        1     1",
    ]


def test_the_json_of_a_folder(cli: Command, pets: None) -> None:
    document = cli("data", "stats", "pets", "--json", "--set", "image_size=8").document()

    reds = np.array([0, 0, 90, 200]) / 255
    assert document.pop("mean") == pytest.approx([reds.mean()] * 3)
    assert document.pop("std") == pytest.approx([reds.std()] * 3)
    assert len(document.pop("digest")) == 64
    assert document.pop("file_bytes") > 0
    assert document == {
        "dataset": "image_folder",
        "train": 4,
        "test": 2,
        "classes": [
            {"id": 0, "name": "cat", "train": 3, "test": 1},
            {"id": 1, "name": "dog", "train": 1, "test": 1},
        ],
        "imbalance": 3.0,
        "domains": [],
        "sample_shape": [3, 8, 8],
        "constant_features": 0,
        "duplicates": {
            "train": 1,
            "test": 0,
            "across": 1,
            "conflicting": 0,
            "pairs": [{"test": 1, "train": 3, "files": ["test/dog/f.png", "train/dog/d.png"]}],
        },
        "skipped": [],
        "bytes": 6 * 3 * 8 * 8,
        "image_sizes": [
            {"width": 20, "height": 10, "images": 5},
            {"width": 16, "height": 16, "images": 1},
        ],
        "image_modes": {"RGB": 5, "L": 1},
        "unreadable": 0,
        "turned": 0,
    }


def test_photographs_that_are_to_be_turned_are_told(cli: Command, pets: None) -> None:
    for name, orientation in (("dog/turned", 6), ("dog/upright", 1), ("cat/turned", 3)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.new("RGB", (20, 10)).save(f"pets/train/{name}.jpg", exif=exif)
    outcome = cli("data", "stats", "pets", "-q")

    assert (
        "warning: 2 photographs are to be turned by their cameras' notes, which is not done: turn "
        "their pixels before"
    ) in outcome.out.splitlines()


def test_skipped_files_are_counted_and_positions_have_no_names(cli: Command, pets: None) -> None:
    Path("pets/train/cat/c.png").write_bytes(b"no image")
    arguments = ("data", "stats", "pets", "--set", "on_bad_image=skip", "--json")
    document = cli(*arguments).document()

    assert document["skipped"] == ["train/cat/c.png (not BMP, JPEG, PNG or WEBP)"]
    assert document["unreadable"] == 1
    assert document["duplicates"]["pairs"] == [{"test": 1, "train": 2}]
    assert "warning: 1 files are skipped, being no readable images" in cli(*arguments[:-1]).out


def test_a_list_of_images_has_domains(cli: Command, pets: None) -> None:
    Path("pets/list.csv").write_text(
        "path,label,split,order\ntrain/cat/a.png,cat,train,0\ntest/cat/e.png,cat,test,0\n"
        "train/dog/d.png,dog,train,1\ntrain/cat/c.png,cat,train,1\ntest/dog/f.png,dog,test,1\n"
    )
    outcome = cli("data", "stats", "pets/list.csv", "-q")

    assert outcome.out.splitlines()[-3:] == [
        "domain  train  test",
        "0           1     1",
        "1           2     1",
    ]


def test_a_table_tells_what_is_missing(cli: Command) -> None:
    Path("table.csv").write_text(
        "age,city,height,ill\n1,a,1,yes\n2,,?,no\n3,b,NA,yes\n4,a,,no\n5,b,9,yes\n6,a,9,no\n"
    )
    outcome = cli("data", "stats", "table.csv", "-q", "--set", "label=ill")
    document = cli("data", "stats", "table.csv", "-q", "--set", "label=ill", "--json").document()

    assert outcome.out.splitlines()[5:7] == [
        "columns      2 of numbers, 1 of categories: city (3)",
        "missing      4 values: height (3), city (1)",
    ]
    assert document["columns"] == {
        "age": {"categories": None, "missing": 0},
        "city": {"categories": 3, "missing": 1},
        "height": {"categories": None, "missing": 3},
    }
    assert document["sample_shape"] == [len(document["features"])]


def test_equal_features_of_different_classes_are_told(cli: Command) -> None:
    x = np.array([[1, 2, 7], [3, 4, 7], [1, 2, 7]], dtype=np.float32)
    np.savez("a.npz", x_train=x, y_train=[0, 1, 1], x_test=x[1:], y_test=[1, 0])
    outcome = cli("data", "stats", "a.npz")

    assert outcome.out.splitlines()[1:9] == [
        "read as      3 features",
        "mean         3.778",
        "deviation    2.439",
        "per class    1 to 2 training samples, imbalance 2.0",
        "constant     1 features, in all training samples",
        "duplicates   1 in training, 0 in test, 2 across",
        "bytes        60 B of samples",
        "warning: 2 test samples are training samples too, so accuracies would be too high: "
        "test 0 = train 1, test 1 = train 0",
    ]
    assert "warning: 3 samples equal one of another class" in outcome.out.splitlines()


def test_a_scenario_and_a_name_lead_to_the_same_data_set(cli: Command) -> None:
    Path("few.yaml").write_text(
        "stream: {kind: class_incremental, dataset: digits, experiences: 5}\nstrategy: nmc\n"
    )
    by_scenario = cli("data", "stats", "few.yaml", "--json").document()
    by_name = cli("data", "stats", "digits", "--json").document()

    assert by_scenario == by_name
    assert (by_name["train"], by_name["test"], len(by_name["classes"])) == (1258, 539, 10)


def test_options_of_a_data_set_can_be_set(cli: Command) -> None:
    document = cli("data", "stats", "digits", "--json", "--set", "test_fraction=0.5").document()

    assert (document["train"], document["test"]) == (896, 901)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("digts",),
            "'digts': there is no such file, folder or data set; did you mean 'digits'?",
        ),
        (
            ("notess.txt",),
            "'notess.txt': there is no such file, folder or data set; did you mean 'notes.txt'?",
        ),
        (
            ("notes.txt",),
            "'notes.txt': what is in it cannot be told - expected the name of a data set, a "
            "scenario file, a folder of images, or a .csv, .parquet or .npz file",
        ),
        (
            ("table.csv",),
            "'table.csv': data set 'tabular' needs 'label': Column that holds the class - "
            "give it by --set label=...",
        ),
        (
            ("table.csv", "--set", "label=b", "--set", "ignor=[a]"),
            "--set stream.dataset.ignor=[a]: stream.dataset.ignor: unknown key; "
            "did you mean 'ignore'?",
        ),
        (
            ("table.csv", "--set", "label=c"),
            "table 'table.csv': there is no column 'c'; known: a, b",
        ),
    ],
)
def test_what_cannot_be_looked_at_is_told(
    cli: Command, folder: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    Path("notes.txt").write_text("none\n")
    Path("table.csv").write_text("a,b\n1,2\n1,2\n")
    outcome = cli("data", "stats", *arguments, "-q")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.replace(f"{folder}/", "") == f"error: {complaint}\n"
