from __future__ import annotations

import io
import logging
import os
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cilsim.data.cub200 import PUBLISHED, Cub200Options, facts_cub200, load_cub200
from cilsim.data.image_listing import Counts
from cilsim.data.normalise import centre_crop
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError
from cilsim.scenario.stream_options import FewShotOptions
from cilsim.streams.few_shot import few_shot_class_incremental

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]
Files = dict[str, bytes]

SMALL = replace(PUBLISHED, counts=Counts(3, 6, 3))
NAMES = ("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross")
AGAIN = "fetch and unpack it again"


@pytest.fixture
def birds(photograph: Photograph) -> Files:
    """Three classes of two training and one test image; image n has grey 10 n."""
    rows = [(n, NAMES[(n - 1) // 3], (n - 1) // 3 + 1, int(n % 3 != 2)) for n in range(1, 10)]
    files = {f"images/{folder}/{n}.jpg": photograph(10 * n) for n, folder, _, _ in rows}
    texts = {
        "images.txt": [f"{n} {folder}/{n}.jpg" for n, folder, _, _ in rows],
        "image_class_labels.txt": [f"{n} {label}" for n, _, label, _ in rows[::-1]],
        "train_test_split.txt": [f"{n} {train}" for n, _, _, train in rows],
    }
    return {**files, **{name: "\n".join([*lines, ""]).encode() for name, lines in texts.items()}}


@pytest.fixture
def unpacked(tmp_path: Path, birds: Files, pack: Pack) -> Path:
    pack(tmp_path / "CUB_200_2011", birds)
    return tmp_path


def options(root: Path, **changes: Any) -> Cub200Options:
    return Cub200Options(**{"root": root, "size": 16, "verify": False, **changes})


def refusal(root: Path, published: Any = SMALL, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_cub200(options(root, **changes), published)
    return str(caught.value)


def archived(birds: Files) -> Files:
    return {f"CUB_200_2011/{name}": content for name, content in birds.items()}


def test_images_are_in_order_of_their_numbers_with_the_published_split(unpacked: Path) -> None:
    dataset = load_cub200(options(unpacked), SMALL)
    facts = dataset.facts
    assert facts.class_ids == (0, 1, 2)
    assert facts.class_names == ("Black footed Albatross", "Laysan Albatross", "Sooty Albatross")
    assert facts.y_train.tolist() == [0, 0, 1, 1, 2, 2]
    assert facts.y_test.tolist() == [0, 1, 2]
    assert dataset.x_train[:, 0, 0, 0].tolist() == [10, 30, 40, 60, 70, 90]
    assert dataset.x_test[:, 2, 15, 15].tolist() == [20, 50, 80]
    assert dataset.x_train.shape == (6, 3, 16, 16)
    assert (dataset.name, dataset.crop, facts.sample_shape) == ("cub200", 14, (3, 14, 14))
    assert (dataset.mean, dataset.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_the_published_size_is_256_with_a_crop_of_224(unpacked: Path) -> None:
    facts = facts_cub200(Cub200Options(root=unpacked), SMALL)
    assert facts.sample_shape == (3, 224, 224)
    assert load_cub200(options(unpacked, size=256), SMALL).crop == 224


@pytest.mark.parametrize("size", [(500, 375), (375, 501), (333, 500), (259, 257)])
def test_the_crop_of_a_stored_square_is_the_published_test_transform(
    size: tuple[int, int], tmp_path: Path, birds: Files, pack: Pack
) -> None:
    """Resize to 256, centre crop of 224, to the pixel."""
    from torchvision import transforms

    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    birds[f"images/{NAMES[0]}/1.jpg"] = content.getvalue()
    pack(tmp_path / "CUB_200_2011", birds)
    dataset = load_cub200(options(tmp_path, size=256), SMALL)
    cropped = centre_crop(torch.from_numpy(dataset.x_train[:1].copy()), dataset.crop)
    published = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    expected = np.asarray(published(Image.fromarray(pixels))).transpose(2, 0, 1)
    assert np.array_equal(cropped[0].numpy(), expected)


def test_the_folder_may_be_the_root_itself(unpacked: Path) -> None:
    inside = load_cub200(options(unpacked / "CUB_200_2011"), SMALL)
    assert inside.digest == load_cub200(options(unpacked), SMALL).digest


def test_the_archive_gives_what_the_folder_gives_and_nothing_is_unpacked(
    tmp_path: Path, unpacked: Path, birds: Files, pack: Pack
) -> None:
    pack(tmp_path / "b" / "CUB_200_2011.tgz", {"attributes.txt": b"", **archived(birds)})
    one, two = load_cub200(options(unpacked), SMALL), load_cub200(options(tmp_path / "b"), SMALL)
    facts = facts_cub200(options(tmp_path / "b"), SMALL)
    assert one.digest == two.digest
    assert np.array_equal(one.x_train, two.x_train)
    assert facts.y_train.tolist() == two.facts.y_train.tolist()
    assert facts.class_names == two.facts.class_names
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["CUB_200_2011.tgz"]


def test_photographs_are_decoded_and_archives_listed_once(
    tmp_path: Path, birds: Files, pack: Pack, caplog: pytest.LogCaptureFixture
) -> None:
    path = pack(tmp_path / "b" / "CUB_200_2011.tgz", archived(birds))
    with caplog.at_level(logging.INFO):
        first = load_cub200(options(tmp_path / "b"), SMALL)
        second = load_cub200(options(tmp_path / "b"), SMALL)
    assert caplog.messages == [
        f"data set 'cub200': listing the files of '{path}' (once)",
        "data set 'cub200': decoding 9 images (once), 0.0 GB",
    ]
    assert second.digest == first.digest
    assert isinstance(second.x_train, np.memmap)


def test_a_changed_photograph_is_decoded_anew(unpacked: Path, photograph: Photograph) -> None:
    before = load_cub200(options(unpacked), SMALL)
    changed = unpacked / "CUB_200_2011" / "images" / NAMES[0] / "1.jpg"
    changed.write_bytes(photograph(200))
    os.utime(changed, ns=(0, 1))
    after = load_cub200(options(unpacked), SMALL)
    assert after.x_train[0, 0, 0, 0] == 200
    assert after.digest != before.digest


@pytest.mark.parametrize("use", [load_cub200, facts_cub200])
def test_missing_files_are_named_with_size_checksum_page_and_place(use: Any, places: Path) -> None:
    with pytest.raises(DataError) as caught:
        use(Cub200Options())
    assert str(caught.value) == (
        "data set 'cub200': neither 'CUB_200_2011.tgz' (1150585339 bytes, "
        "md5 97eceeb196236b17998738112f37df78) nor the unpacked folder 'CUB_200_2011' is in "
        f"'{places}/data/cub200' - fetch it with 'cilsim data fetch cub200' or from "
        "https://www.vision.caltech.edu/datasets/cub_200_2011/ into that folder; the data "
        "set 'glyphs100' needs no download"
    )


def test_an_archive_that_differs_from_the_published_one_is_refused(
    tmp_path: Path, birds: Files, pack: Pack
) -> None:
    path = pack(tmp_path / "b" / "CUB_200_2011.tgz", archived(birds))
    found = re.sub("[0-9a-f]{32}", "...", refusal(tmp_path / "b", verify=True))
    assert found == (
        f"data set 'cub200': '{path}' has md5 ... - published is ... - fetch it from "
        "https://www.vision.caltech.edu/datasets/cub_200_2011/ again, or set 'verify: false' if "
        "it was changed on purpose"
    )


def test_an_archive_with_the_published_checksum_is_taken(
    tmp_path: Path, birds: Files, pack: Pack
) -> None:
    from hashlib import md5

    path = pack(tmp_path / "b" / "CUB_200_2011.tgz", archived(birds))
    checksum = md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    published = replace(SMALL, archive=PublishedFile(path.name, checksum))
    assert len(load_cub200(options(tmp_path / "b", verify=True), published).x_train) == 6


def test_wrong_numbers_of_images_are_refused(unpacked: Path) -> None:
    folder = unpacked / "CUB_200_2011"
    assert refusal(unpacked, PUBLISHED) == (
        f"data set 'cub200': '{folder}' has 3 classes - expected 200; {AGAIN}"
    )
    assert refusal(unpacked, replace(SMALL, counts=Counts(3, 5, 3))) == (
        f"data set 'cub200': '{folder}' has 6 training images - expected 5; {AGAIN}"
    )
    assert refusal(unpacked, replace(SMALL, counts=Counts(3, 6, 4))) == (
        f"data set 'cub200': '{folder}' has 3 test images - expected 4; {AGAIN}"
    )


def test_the_published_numbers_are_those_of_the_authors() -> None:
    assert PUBLISHED.counts == Counts(classes=200, train=5994, test=5794)


def test_broken_photographs_are_named(unpacked: Path) -> None:
    folder = unpacked / "CUB_200_2011"
    (folder / "images" / NAMES[1] / "5.jpg").write_bytes(b"no image")
    assert refusal(unpacked) == (
        f"data set 'cub200': 1 file is no readable image in '{folder}': "
        f"'images/{NAMES[1]}/5.jpg' - {AGAIN}"
    )
    for number in (1, 2, 3):
        (folder / "images" / NAMES[0] / f"{number}.jpg").write_bytes(b"")
    assert refusal(unpacked) == (
        f"data set 'cub200': 4 files are no readable images in '{folder}': "
        f"'images/{NAMES[0]}/1.jpg', 'images/{NAMES[0]}/3.jpg', 'images/{NAMES[0]}/2.jpg' "
        f"and 1 more - {AGAIN}"
    )


@pytest.mark.parametrize("archive", [False, True], ids=["folder", "archive"])
def test_a_photograph_that_is_not_there_is_named(
    archive: bool, tmp_path: Path, birds: Files, pack: Pack
) -> None:
    del birds[f"images/{NAMES[2]}/7.jpg"]
    name = "CUB_200_2011.tgz" if archive else "CUB_200_2011"
    pack(tmp_path / name, archived(birds) if archive else birds)
    assert refusal(tmp_path) == (
        f"data set 'cub200': '{tmp_path / name}' has no file 'images/{NAMES[2]}/7.jpg' - {AGAIN}"
    )


def test_a_link_out_of_the_archive_is_refused(tmp_path: Path, birds: Files) -> None:
    del birds[f"images/{NAMES[2]}/7.jpg"]
    with tarfile.open(tmp_path / "CUB_200_2011.tgz", "w:gz") as archive:
        for name, content in birds.items():
            member = tarfile.TarInfo(f"CUB_200_2011/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo(f"CUB_200_2011/images/{NAMES[2]}/7.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert refusal(tmp_path) == (
        f"data set 'cub200': '{tmp_path}/CUB_200_2011.tgz' is refused: "
        f"'CUB_200_2011/images/{NAMES[2]}/7.jpg' is a link that leads outside, to '/etc/passwd' - "
        "fetch it again from where it is published"
    )


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        (
            "images.txt",
            b"7\n",
            "'images.txt' line 1: found '7' - expected '<image number> <value>'",
        ),
        ("images.txt", b"\xff\xfe", f"'images.txt' is no UTF-8 text - {AGAIN}"),
        (
            "images.txt",
            b"x 001.A/x.jpg\n",
            "'images.txt' has 'x' - expected a whole number from 1",
        ),
        (
            "image_class_labels.txt",
            b"1 1\n",
            "'images.txt' and 'image_class_labels.txt' differ in image 2 - "
            f"expected the same images in both; {AGAIN}",
        ),
        (
            "image_class_labels.txt",
            b"".join(b"%d 7\n" % n for n in range(1, 10)),
            f"'image_class_labels.txt' has classes that are not numbered from 1 to 1 - {AGAIN}",
        ),
    ],
    ids=["column", "text", "number", "images", "classes"],
)
def test_lists_that_make_no_sense_are_refused(
    name: str, written: bytes, message: str, unpacked: Path
) -> None:
    (unpacked / "CUB_200_2011" / name).write_bytes(written)
    assert refusal(unpacked) == f"data set 'cub200': {message}"


@pytest.mark.parametrize("bad", ["../../x.jpg", "/etc/x.jpg", "a//x.jpg", "..\\x.jpg", "c:/x.jpg"])
def test_a_name_that_leads_outside_is_refused(bad: str, unpacked: Path) -> None:
    path = unpacked / "CUB_200_2011" / "images.txt"
    path.write_text(path.read_text().replace(f"{NAMES[0]}/1.jpg", bad))
    assert refusal(unpacked) == (
        f"data set 'cub200': the lists in '{path.parent}' name 'images/{bad}', which leads "
        "outside - expected each image once, below the data set's folder"
    )


def test_an_image_that_is_named_twice_is_refused(unpacked: Path) -> None:
    path = unpacked / "CUB_200_2011" / "images.txt"
    path.write_text(path.read_text().replace("/1.jpg", "/2.jpg"))
    assert refusal(unpacked) == (
        f"data set 'cub200': the lists in '{path.parent}' name 'images/{NAMES[0]}/2.jpg', twice - "
        "expected each image once, below the data set's folder"
    )


def test_a_text_file_that_is_missing_is_named(unpacked: Path) -> None:
    (unpacked / "CUB_200_2011" / "train_test_split.txt").unlink()
    assert refusal(unpacked) == (
        f"data set 'cub200': '{unpacked}/CUB_200_2011' has no file 'train_test_split.txt' - {AGAIN}"
    )


def test_the_few_shot_stream_takes_the_published_photographs(golden: Path, tmp_path: Path) -> None:
    """All 500 shots and all test sets, on lists of the published form and numbers."""
    with np.load(golden / "teen_protocol_lists.npz", allow_pickle=False) as stored:
        lists = dict(stored)
    names, labels, split = published_form(lists)
    folder = tmp_path / "CUB_200_2011"
    folder.mkdir()
    for name, column in (
        ("images.txt", names),
        ("image_class_labels.txt", labels),
        ("train_test_split.txt", split),
    ):
        text = "".join(f"{number} {value}\n" for number, value in enumerate(column, 1))
        (folder / name).write_text(text)
    facts = facts_cub200(Cub200Options(root=tmp_path))
    chosen = FewShotOptions(base_classes=100, way=10, shot=5)
    plan = few_shot_class_incremental(chosen, facts, facts.class_ids, 0)
    train = [name for name, flag in zip(names, split, strict=True) if flag]
    shots = [[train[row] for row in experience.labelled] for experience in plan.experiences[1:]]
    assert shots == lists["cub200_shot_path"].tolist()
    tests = np.cumsum([len(experience.test) for experience in plan.experiences])
    assert tests.tolist() == lists["cub200_test_size"].tolist()
    assert len(plan.experiences[0].labelled) == 3000


def published_form(lists: dict[str, Any]) -> tuple[list[str], list[int], list[int]]:
    """Return path, class and split of every image, the published shots at the published ranks."""
    shots = lists["cub200_shot_path"].reshape(100, 5)
    names, labels, split = [], [], []
    for class_id, tests in enumerate(lists["cub200_test_images_per_class"].tolist()):
        count = 29 if class_id + 1 in (107, 126, 135, 141, 190, 196) else 30
        train = [f"{class_id + 1:03d}.Bird/train_{rank}.jpg" for rank in range(count)]
        if class_id >= 100:
            ranks = lists[f"within_class_rank_{count}"][:5]
            for rank, name in zip(ranks, shots[class_id - 100], strict=True):
                train[rank] = str(name)
        test = [f"{class_id + 1:03d}.Bird/test_{rank}.jpg" for rank in range(tests)]
        mixed = [*((name, 0) for name in test[:5]), *((name, 1) for name in train)]
        for name, flag in [*mixed, *((name, 0) for name in test[5:])]:
            names.append(name)
            labels.append(class_id + 1)
            split.append(flag)
    return names, labels, split
