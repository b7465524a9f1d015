from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cilsim.data.core50 import PUBLISHED, Core50Options, facts_core50, load_core50
from cilsim.data.image_listing import Counts
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]
Files = dict[str, bytes]

SMALL = replace(PUBLISHED, counts=Counts(None, 16, 6))


@pytest.fixture
def files(photograph: Photograph) -> Files:
    """One image of the objects 1 and 7 in each of the 11 sessions."""
    return {
        f"s{session}/o{thing}/C_{session:02d}_{thing:02d}_000.png": photograph(20 * session + thing)
        for session in range(11, 0, -1)
        for thing in (7, 1)
    }


def options(root: Path, **changes: Any) -> Core50Options:
    return Core50Options(**{"root": root, "size": 16, "verify": False, **changes})


def test_sessions_are_domains_and_three_of_them_are_for_testing(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    pack(tmp_path / "core50_128x128", files)
    dataset = load_core50(options(tmp_path), SMALL)
    facts = dataset.facts
    train, test = [1, 2, 4, 5, 6, 8, 9, 11], [3, 7, 10]
    assert facts.domain_names == tuple(f"s{session}" for session in range(1, 12))
    assert facts.domain_train is not None
    assert facts.domain_test is not None
    assert facts.domain_train.tolist() == [session - 1 for session in train for _ in range(2)]
    assert facts.domain_test.tolist() == [session - 1 for session in test for _ in range(2)]
    assert facts.y_train.tolist() == [0, 6] * 8
    assert facts.y_test.tolist() == [0, 6] * 3
    greys = [20 * session + thing for session in train for thing in (1, 7)]
    assert dataset.x_train[:, 0, 0, 0].tolist() == greys
    assert (dataset.name, dataset.crop, facts.sample_shape) == ("core50", None, (3, 16, 16))


def test_facts_know_classes_and_domains_too(tmp_path: Path, files: Files, pack: Pack) -> None:
    pack(tmp_path / "core50_128x128", files)
    facts = facts_core50(Core50Options(root=tmp_path), SMALL)
    assert len(facts.class_names) == 50
    assert (facts.class_names[0], facts.class_names[6]) == ("plug adapter 1", "mobile phone 2")
    assert facts.domain_test is not None
    assert facts.domain_test.tolist() == [2, 2, 6, 6, 9, 9]
    assert facts.sample_shape == (3, 128, 128)


def test_classes_may_be_the_categories_of_five_objects_each(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    pack(tmp_path / "core50_128x128", files)
    facts = facts_core50(options(tmp_path, classes="categories"), SMALL)
    assert facts.class_names[:2] == ("plug adapter", "mobile phone")
    assert len(facts.class_names) == 10
    assert facts.y_test.tolist() == [0, 1] * 3


def test_the_archive_gives_what_the_folder_gives(tmp_path: Path, files: Files, pack: Pack) -> None:
    pack(tmp_path / "a" / "core50_128x128", files)
    inside = {f"core50_128x128/{name}": content for name, content in files.items()}
    pack(tmp_path / "b" / "core50_128x128.zip", inside)
    one, two = (load_core50(options(tmp_path / name), SMALL) for name in ("a", "b"))
    assert one.digest == two.digest


def test_missing_files_are_named_with_checksum_page_and_place(places: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_core50(Core50Options())
    assert str(caught.value) == (
        "data set 'core50': neither 'core50_128x128.zip' (md5 745f3373fed08d69343f1058ee559e13) "
        f"nor the unpacked folder 'core50_128x128' is in '{places}/data/core50' - fetch it with "
        "'cilsim data fetch core50' or from https://vlomonaco.github.io/core50/ into that "
        "folder; the data set 'glyphs100' needs no download"
    )


def test_the_published_numbers_are_those_of_the_authors(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    folder = pack(tmp_path / "core50_128x128", files)
    with pytest.raises(DataError) as caught:
        facts_core50(options(tmp_path))
    assert str(caught.value) == (
        f"data set 'core50': '{folder}' has 16 training images - expected 119894; "
        "fetch and unpack it again"
    )
    assert PUBLISHED.counts.test == 44_972
