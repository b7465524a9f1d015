from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from cilsim.data.aircraft import (
    CLASS_LISTS,
    PUBLICATION,
    PUBLISHED,
    AircraftOptions,
    facts_aircraft,
    load_aircraft,
)
from cilsim.data.image_listing import Counts
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]
Files = dict[str, bytes]

SMALL = replace(PUBLISHED, counts=Counts(None, 4, 2))
VARIANTS = ("737-700", "A340 200", "737-800")
FAMILIES = ("A340", "Boeing 737")
FAMILY_OF = {"737-700": "Boeing 737", "A340 200": "A340", "737-800": "Boeing 737"}


@pytest.fixture
def files(photograph: Photograph) -> Files:
    """Three variants of two families; the image of number n has grey 10 n."""
    train = {"0000007": 0, "0000003": 1, "0000004": 2, "0000001": 0}
    test = {"0000002": 2, "0000005": 1}
    texts = {"variants.txt": list(VARIANTS), "families.txt": list(FAMILIES)}
    texts["manufacturers.txt"] = ["Airbus", "Boeing"]
    for part, images in (("trainval", train), ("test", test)):
        variants = {name: VARIANTS[number] for name, number in images.items()}
        texts[f"images_variant_{part}.txt"] = [f"{n} {variant}" for n, variant in variants.items()]
        texts[f"images_family_{part}.txt"] = [f"{n} {FAMILY_OF[v]}" for n, v in variants.items()]
        texts[f"images_manufacturer_{part}.txt"] = [f"{n} Boeing" for n in variants]
    found = {name: "\n".join([*lines, ""]).encode() for name, lines in texts.items()}
    for name in (*train, *test):
        found[f"images/{name}.jpg"] = photograph(10 * int(name), (40, 30))
    return {f"fgvc-aircraft-2013b/data/{name}": content for name, content in found.items()}


def options(root: Path, **changes: Any) -> AircraftOptions:
    return AircraftOptions(**{"root": root, "size": 16, "verify": False, **changes})


def archived(folder: Path, files: Files) -> Path:
    """Write the archive, compressed as the published one is."""
    import io
    import tarfile

    folder.mkdir(exist_ok=True)
    path = folder / "fgvc-aircraft-2013b.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def refusal(root: Path, published: Any = SMALL, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_aircraft(options(root, **changes), published)
    return str(caught.value)


def test_images_are_in_the_order_of_the_lists(tmp_path: Path, files: Files, pack: Pack) -> None:
    pack(tmp_path / "folder", files)
    dataset = load_aircraft(options(tmp_path / "folder"), SMALL)
    facts = dataset.facts
    assert facts.class_names == VARIANTS
    assert facts.y_train.tolist() == [0, 1, 2, 0]
    assert facts.y_test.tolist() == [2, 1]
    assert dataset.x_train[:, 1, 8, 8].tolist() == [70, 30, 40, 10]
    assert dataset.x_test[:, 1, 8, 8].tolist() == [20, 50]
    assert (dataset.name, dataset.crop, facts.sample_shape) == ("aircraft", 14, (3, 14, 14))


def test_families_and_manufacturers_may_be_the_classes(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    pack(tmp_path / "folder", files)
    family = facts_aircraft(options(tmp_path / "folder", classes="family"), SMALL)
    assert (family.class_names, family.y_train.tolist()) == (FAMILIES, [1, 0, 1, 1])
    maker = facts_aircraft(options(tmp_path / "folder", classes="manufacturer"), SMALL)
    assert (maker.class_names, maker.y_test.tolist()) == (("Airbus", "Boeing"), [1, 1])


def test_the_archive_gives_what_the_folder_gives(tmp_path: Path, files: Files, pack: Pack) -> None:
    pack(tmp_path / "folder", files)
    archived(tmp_path / "archive", files)
    one, two = (load_aircraft(options(tmp_path / name), SMALL) for name in ("folder", "archive"))
    assert one.digest == two.digest


def test_the_layout_is_that_of_torchvision(tmp_path: Path, files: Files, pack: Pack) -> None:
    from torchvision.datasets import FGVCAircraft

    pack(tmp_path / "folder", files)
    for level in CLASS_LISTS:
        theirs = FGVCAircraft(tmp_path / "folder", "trainval", level)
        facts = facts_aircraft(options(tmp_path / "folder", classes=level), SMALL)
        assert tuple(theirs.classes) == facts.class_names
        assert [label for _, label in theirs] == facts.y_train.tolist()
    assert PUBLICATION.files[0].addresses == (FGVCAircraft._URL,)


def test_missing_files_are_named_with_command_and_place(places: Path) -> None:
    with pytest.raises(DataError) as caught:
        facts_aircraft(AircraftOptions())
    assert str(caught.value) == (
        "data set 'aircraft': neither 'fgvc-aircraft-2013b.tar.gz' (2753340328 bytes, md5 "
        "d4acdd33327262359767eeaa97a4f732) nor the unpacked folder 'fgvc-aircraft-2013b/data' is "
        f"in '{places}/data/aircraft' - fetch it with 'cilsim data fetch aircraft' or from "
        "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/ into that folder; the data set "
        "'glyphs100' needs no download"
    )


def test_another_archive_is_refused(tmp_path: Path, files: Files) -> None:
    path = archived(tmp_path / "archive", files)
    assert refusal(path.parent, verify=True) == (
        f"data set 'aircraft': '{path}' has md5 {md5(path.read_bytes()).hexdigest()} - published "
        "is d4acdd33327262359767eeaa97a4f732 - fetch it from "
        "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/ again, or set 'verify: false' if it "
        "was changed on purpose"
    )


def test_a_truncated_archive_is_refused(tmp_path: Path, files: Files) -> None:
    path = archived(tmp_path / "archive", files)
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path.parent) == (
        f"data set 'aircraft': '{path}' cannot be read: Compressed file ended before the "
        "end-of-stream marker was reached - fetch it again if it is damaged"
    )


def test_an_archive_without_its_lists_is_refused(tmp_path: Path, files: Files) -> None:
    kept = {name: content for name, content in files.items() if "images_variant_test" not in name}
    path = archived(tmp_path / "archive", kept)
    assert refusal(path.parent) == (
        f"data set 'aircraft': '{path}' has no file 'images_variant_test.txt' - "
        "fetch and unpack it again"
    )


def test_another_layout_is_refused(tmp_path: Path, files: Files) -> None:
    moved = {name.replace("fgvc-aircraft-2013b", "aircraft"): data for name, data in files.items()}
    path = archived(tmp_path / "archive", moved)
    assert refusal(path.parent) == (
        f"data set 'aircraft': '{path}' has no file 'variants.txt', 'images_variant_trainval.txt', "
        "'images_variant_test.txt' - fetch and unpack it again"
    )


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        (
            "images_variant_test.txt",
            b"0000002 Concorde\n",
            "'images_variant_test.txt' has the class 'Concorde' - expected one of the list of "
            "classes; fetch and unpack it again",
        ),
        ("variants.txt", b"a\na\n", "'variants.txt' has a class twice - expected each class once"),
        (
            "images_variant_trainval.txt",
            b"0000002\n",
            "'images_variant_trainval.txt' line 1: found '0000002' - expected '<image> <class>'",
        ),
    ],
    ids=["class", "twice", "column"],
)
def test_lists_that_make_no_sense_are_refused(
    name: str, written: bytes, message: str, tmp_path: Path, files: Files, pack: Pack
) -> None:
    pack(tmp_path / "folder", {**files, f"fgvc-aircraft-2013b/data/{name}": written})
    assert refusal(tmp_path / "folder") == f"data set 'aircraft': {message}"


def test_the_published_numbers_are_compared(tmp_path: Path, files: Files, pack: Pack) -> None:
    pack(tmp_path / "folder", files)
    found = refusal(tmp_path / "folder", PUBLISHED)
    assert re.sub("'/.*?'", "...", found) == (
        "data set 'aircraft': ... has 3 classes - expected 100; fetch and unpack it again"
    )
    family = refusal(tmp_path / "folder", PUBLISHED, classes="family")
    assert "has 2 classes - expected 70;" in family
