from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cilsim.data.image_listing import Counts
from cilsim.data.mini_imagenet import (
    PUBLISHED,
    MiniImageNetOptions,
    facts_mini_imagenet,
    load_mini_imagenet,
)
from cilsim.errors import DataError
from cilsim.scenario.stream_options import FewShotOptions
from cilsim.streams.few_shot import few_shot_class_incremental

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]
Files = dict[str, bytes]

SMALL = replace(PUBLISHED, counts=Counts(2, 4, 2))
FIRST, SECOND = "n01532829", "n01558993"


def lists(train: list[tuple[str, str]], test: list[tuple[str, str]]) -> Files:
    return {
        f"split/{part}.csv": "".join(
            f"{name},{synset}\n" for name, synset in [("filename", "label"), *rows]
        ).encode()
        for part, rows in (("train", train), ("test", test))
    }


@pytest.fixture
def files(photograph: Photograph) -> Files:
    """Two classes of two training images and one test image, in an order that is not sorted."""
    train = [("c.jpg", SECOND), ("a.jpg", FIRST), ("b.jpg", FIRST), ("d.jpg", SECOND)]
    test = [("f.jpg", SECOND), ("e.jpg", FIRST)]
    images = {f"images/{name}.jpg": photograph(grey) for grey, name in enumerate("abcdef")}
    return {**lists(train, test), **images}


def options(root: Path) -> MiniImageNetOptions:
    return MiniImageNetOptions(root=root, size=16)


def refusal(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_mini_imagenet(options(root), SMALL)
    return str(caught.value)


def test_images_are_in_the_order_of_the_lists_and_classes_in_that_of_their_synsets(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    pack(tmp_path / "miniimagenet", files)
    dataset = load_mini_imagenet(options(tmp_path), SMALL)
    assert dataset.facts.class_names == (FIRST, SECOND)
    assert dataset.facts.y_train.tolist() == [1, 0, 0, 1]
    assert dataset.facts.y_test.tolist() == [1, 0]
    assert dataset.x_train[:, 0, 0, 0].tolist() == [2, 0, 1, 3]
    assert dataset.x_test[:, 0, 0, 0].tolist() == [5, 4]
    assert (dataset.name, dataset.crop, dataset.facts.sample_shape) == (
        "mini_imagenet",
        14,
        (3, 14, 14),
    )


def test_the_archive_gives_what_the_folder_gives(tmp_path: Path, files: Files, pack: Pack) -> None:
    pack(tmp_path / "a" / "miniimagenet", files)
    inside = {f"miniimagenet/{name}": content for name, content in files.items()}
    pack(tmp_path / "b" / "miniimagenet.tar", inside)
    one = load_mini_imagenet(options(tmp_path / "a"), SMALL)
    two = load_mini_imagenet(options(tmp_path / "b"), SMALL)
    assert one.digest == two.digest


def test_the_published_size_is_92_with_a_crop_of_84(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    pack(tmp_path / "miniimagenet", files)
    dataset = load_mini_imagenet(MiniImageNetOptions(root=tmp_path), SMALL)
    assert (dataset.x_train.shape, dataset.crop) == ((4, 3, 92, 92), 84)
    assert (dataset.mean, dataset.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_both_sides_are_resized_so_that_nothing_is_cut_off(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 50, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    pack(tmp_path / "miniimagenet", {**files, "images/c.jpg": content.getvalue()})
    dataset = load_mini_imagenet(options(tmp_path), SMALL)
    expected = Image.fromarray(pixels).resize((16, 16), Image.Resampling.BILINEAR)
    assert dataset.x_train[0].tolist() == np.asarray(expected).transpose(2, 0, 1).tolist()


@pytest.mark.parametrize("use", [load_mini_imagenet, facts_mini_imagenet])
def test_missing_files_are_named_with_page_and_place(use: Any, places: Path) -> None:
    with pytest.raises(DataError) as caught:
        use(MiniImageNetOptions())
    assert str(caught.value) == (
        "data set 'mini_imagenet': neither 'miniimagenet.tar' nor the unpacked folder "
        f"'miniimagenet' is in '{places}/data/mini_imagenet' - fetch it from "
        "https://github.com/icoz69/CEC-CVPR2021 (section 'Datasets') into that folder; "
        "the data set 'glyphs100' needs no download"
    )


def test_the_published_numbers_are_those_of_the_lists() -> None:
    assert PUBLISHED.counts == Counts(classes=100, train=50_000, test=10_000)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (
            [("a.jpg", "bird")],
            [],
            "'split/train.csv' has 'bird' - expected synset ids such as 'n01440764'",
        ),
        (
            [("a.jpg", FIRST)],
            [("e.jpg", SECOND)],
            f"'split/test.csv' has the class '{SECOND}' - expected only those of 'split/train.csv'",
        ),
        (
            [("a.jpg", "")],
            [],
            "'split/train.csv' line 2: found 'a.jpg,' - expected '<image>,<synset id>'",
        ),
    ],
    ids=["synset", "class", "column"],
)
def test_lists_that_make_no_sense_are_refused(
    train: list[tuple[str, str]],
    test: list[tuple[str, str]],
    message: str,
    tmp_path: Path,
    files: Files,
    pack: Pack,
) -> None:
    pack(tmp_path / "miniimagenet", {**files, **lists(train, test)})
    assert refusal(tmp_path) == f"data set 'mini_imagenet': {message}"


def test_a_list_that_lost_a_line_is_refused(tmp_path: Path, files: Files, pack: Pack) -> None:
    folder = pack(tmp_path / "miniimagenet", files)
    lines = (folder / "split" / "train.csv").read_text().splitlines()
    (folder / "split" / "train.csv").write_text("\n".join(lines[:-1]))
    assert refusal(tmp_path) == (
        f"data set 'mini_imagenet': '{folder}' has 3 training images - expected 4; "
        "fetch and unpack it again"
    )


def test_the_few_shot_stream_takes_the_published_images(golden: Path, tmp_path: Path) -> None:
    """All 200 shots, on lists of the published form and numbers."""
    with np.load(golden / "teen_protocol_lists.npz", allow_pickle=False) as stored:
        published = dict(stored)
    shots = published["mini_imagenet_shot_file"].reshape(40, 5)
    train, test = [], []
    for class_id, synset in enumerate(published["mini_imagenet_class_wnid"].tolist()):
        names = [f"{synset}{rank}.jpg" for rank in range(500)]
        if class_id >= 60:
            ranks = published["within_class_rank_500"][:5]
            for rank, name in zip(ranks, shots[class_id - 60], strict=True):
                names[rank] = str(name)
        train += [(name, synset) for name in names]
        test += [(f"{synset}t{rank}.jpg", synset) for rank in range(100)]
    (tmp_path / "miniimagenet" / "split").mkdir(parents=True)
    for name, content in lists(train, test).items():
        (tmp_path / "miniimagenet" / name).write_bytes(content)
    facts = facts_mini_imagenet(MiniImageNetOptions(root=tmp_path))
    assert facts.class_names == tuple(published["mini_imagenet_class_wnid"].tolist())
    chosen = FewShotOptions(base_classes=60, way=5, shot=5)
    plan = few_shot_class_incremental(chosen, facts, facts.class_ids, 0)
    taken = [[train[row][0] for row in experience.labelled] for experience in plan.experiences[1:]]
    assert taken == published["mini_imagenet_shot_file"].tolist()
