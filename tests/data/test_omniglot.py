from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cilsim.data.moments import channel_moments
from cilsim.data.omniglot import PUBLISHED, OmniglotOptions, facts_omniglot, load_omniglot
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]
Files = dict[str, bytes]

SMALL = {"background": 3, "evaluation": 1, "all": 4}
CHARACTERS = {
    "images_background": ("Korean/character02", "Greek/character01", "Korean/character01"),
    "images_evaluation": ("Old_Church_Slavonic_(Cyrillic)/character01",),
}


def drawing(black: int) -> bytes:
    """Return a PNG of one bit per pixel and 105 x 105 pixels, the first rows black."""
    pixels = np.ones((105, 105), dtype=bool)
    pixels[:black] = False
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, Files]:
    """Four characters of three alphabets by 20 drawers; drawer n leaves n rows black."""
    drawings = {drawer: drawing(drawer) for drawer in range(1, 21)}
    return {
        part: {
            f"{part}/{place}/{number:04d}_{drawer:02d}.png": content
            for number, place in enumerate(places, 1)
            for drawer, content in drawings.items()
        }
        for part, places in CHARACTERS.items()
    }


@pytest.fixture
def archives(tmp_path: Path, files: dict[str, Files], pack: Pack) -> Path:
    for part, content in files.items():
        pack(tmp_path / "archives" / f"{part}.zip", content)
    return tmp_path / "archives"


def options(root: Path, **changes: Any) -> OmniglotOptions:
    return OmniglotOptions(**{"root": root, "size": 105, "verify": False, **changes})


def load(root: Path, **changes: Any) -> Any:
    return load_omniglot(options(root, **changes), characters=SMALL)


def refusal(root: Path, characters: Any = SMALL, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_omniglot(options(root, **changes), characters=characters)
    return str(caught.value)


def test_characters_are_classes_and_the_last_drawers_are_for_testing(archives: Path) -> None:
    dataset = load(archives)
    assert dataset.facts.class_names == (
        "Greek character01",
        "Korean character01",
        "Korean character02",
        "Old Church Slavonic (Cyrillic) character01",
    )
    assert dataset.facts.y_train.tolist() == [k for k in range(4) for _ in range(15)]
    assert dataset.facts.y_test.tolist() == [k for k in range(4) for _ in range(5)]
    black = (dataset.x_train[:, 0, :, 0] == 0).sum(1)
    assert black.tolist() == [*range(1, 16)] * 4
    assert (dataset.x_test[:, 2, :, 50] == 0).sum(1).tolist() == [*range(16, 21)] * 4
    assert dataset.facts.sample_shape == (3, 105, 105)
    assert (dataset.mean, dataset.std) == channel_moments(np.array(dataset.x_train))


def test_parts_and_drawers_can_be_chosen(archives: Path) -> None:
    facts = facts_omniglot(options(archives, part="evaluation", test_drawers=2), characters=SMALL)
    assert (len(facts.y_train), len(facts.y_test)) == (18, 2)
    assert facts.class_names == ("Old Church Slavonic (Cyrillic) character01",)
    background = facts_omniglot(options(archives, part="background"), characters=SMALL)
    assert len(background.class_names) == 3


def test_folders_and_a_mixture_give_what_the_archives_give(
    archives: Path, tmp_path: Path, files: dict[str, Files], pack: Pack
) -> None:
    expected = load(archives).digest
    for content in files.values():
        pack(tmp_path / "omniglot-py", content)
    assert load(tmp_path).digest == expected
    pack(archives, files["images_background"])
    (archives / "images_background.zip").unlink()
    assert load(archives).digest == expected


def test_characters_and_images_are_those_of_torchvision(
    tmp_path: Path, files: dict[str, Files], pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import Omniglot

    monkeypatch.setattr(Omniglot, "_check_integrity", lambda self: True)
    for content in files.values():
        pack(tmp_path / "omniglot-py", content)
    theirs = Omniglot(tmp_path)
    ours = load(tmp_path, part="background", test_drawers=1)
    for (image, label), (name, _) in zip(theirs, theirs._flat_character_images, strict=True):
        readable = theirs._characters[label].replace("/", " ")
        row, drawer = ours.facts.class_names.index(readable), int(name[5:7])
        pixels = ours.x_test[row] if drawer == 20 else ours.x_train[19 * row + drawer - 1]
        assert np.array_equal(pixels[0], np.array(image))
    assert len(theirs) == len(ours.x_train) + len(ours.x_test)
    assert {file.name.removesuffix(".zip"): file.md5 for file in PUBLISHED.parts} == (
        Omniglot.zips_md5
    )
    for file in PUBLISHED.parts:
        assert file.addresses == (f"{Omniglot.download_url_prefix}/{file.name}",)


def test_each_archive_is_compared_with_its_checksum(archives: Path) -> None:
    path = archives / "images_background.zip"
    found = md5(path.read_bytes()).hexdigest()
    assert refusal(archives, verify=True) == (
        f"data set 'omniglot': '{path}' has md5 {found} - published is "
        "68d2efa1b9178cc56df9314c21c6e718 - fetch it from "
        "https://github.com/brendenlake/omniglot again, or set 'verify: false' if it was changed "
        "on purpose"
    )
    parts = tuple(
        replace(part, md5=md5((archives / part.name).read_bytes()).hexdigest())
        for part in PUBLISHED.parts
    )
    published = replace(PUBLISHED, parts=parts)
    dataset = load_omniglot(options(archives, verify=True), published, SMALL)
    assert len(dataset.x_train) == 60


def test_a_missing_archive_is_named_with_command_and_place(archives: Path) -> None:
    (archives / "images_evaluation.zip").unlink()
    assert refusal(archives) == (
        "data set 'omniglot': neither 'images_evaluation.zip' (md5 "
        "6b91aef0f799c5bb55b94e3f2daec811) nor the unpacked folder 'images_evaluation' is in "
        f"'{archives}' - fetch it with 'cilsim data fetch omniglot --root {archives}' or from "
        "https://github.com/brendenlake/omniglot into that folder; the data set 'glyphs100' needs "
        "no download"
    )


def test_a_truncated_archive_is_refused(archives: Path) -> None:
    path = archives / "images_evaluation.zip"
    path.write_bytes(path.read_bytes()[:-100])
    assert refusal(archives) == (
        f"data set 'omniglot': '{path}' cannot be read: invalid header - fetch it again if it is "
        "damaged"
    )


def test_missing_drawings_are_counted(archives: Path, files: dict[str, Files], pack: Pack) -> None:
    fewer = dict(list(files["images_evaluation"].items())[1:])
    pack(archives / "images_evaluation.zip", fewer)
    assert refusal(archives) == (
        f"data set 'omniglot': '{archives}' has 59 training images - expected 60; "
        "fetch and unpack it again"
    )


def test_another_layout_is_refused(archives: Path, files: dict[str, Files], pack: Pack) -> None:
    place = "images_evaluation/Greek/character01"
    pack(archives / "images_evaluation.zip", {f"{place}/a.png": b""})
    assert refusal(archives) == (
        f"data set 'omniglot': '{archives}' has '{place}/a.png' - expected drawings such as "
        "'0001_01.png' to '0001_20.png'; fetch and unpack it again"
    )


def test_the_published_numbers_are_those_of_the_authors(archives: Path) -> None:
    from cilsim.data.omniglot import CHARACTERS as PUBLISHED_CHARACTERS

    assert refusal(archives, PUBLISHED_CHARACTERS) == (
        f"data set 'omniglot': '{archives}' has 4 classes - expected 1623; "
        "fetch and unpack it again"
    )
