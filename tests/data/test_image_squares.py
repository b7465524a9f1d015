from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cilsim.data.dataset import DataSet
from cilsim.data.image_listing import Counts, ImageListing, part_of
from cilsim.data.image_set import ImageSet, ImageSetOptions, find_source
from cilsim.data.image_squares import load_squares
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]

SET = ImageSet(
    name="set",
    page="a page",
    licence="",
    folder="set",
    archive=PublishedFile("set.zip"),
    marker="x",
    texts=(),
    counts=Counts(None, None, None),
)


@pytest.fixture
def load(tmp_path: Path, photograph: Photograph, pack: Pack) -> Callable[..., DataSet]:
    """Load two training images and one test image; options of the set and the size may change."""
    files = {f"x/{name}.jpg": photograph(grey) for name, grey in zip("abc", (1, 2, 3), strict=True)}
    pack(tmp_path / "set", files)
    listing = ImageListing(
        ("first", "second"),
        part_of([("x/a.jpg", 0), ("x/b.jpg", 1)]),
        part_of([("x/c.jpg", 0)]),
    )

    def load(size: int = 16, **changes: object) -> DataSet:
        published = replace(SET, **changes)  # type: ignore[arg-type]
        source = find_source(published, ImageSetOptions(root=tmp_path))
        return load_squares(published, source, listing, size)

    return load


def cached(places: Path) -> list[Path]:
    return sorted((places / "cache" / "data").glob("set-" + 16 * "[0-9a-f]"))


def test_each_size_has_a_place_of_its_own_in_the_cache(
    load: Callable[..., DataSet], places: Path
) -> None:
    assert load(16).x_test.shape == (1, 3, 16, 16)
    assert load(32).x_test.shape == (1, 3, 32, 32)
    assert load(16, stretch=True).x_test.shape == (1, 3, 16, 16)
    assert len(cached(places)) == 3


def test_images_are_memory_mapped_and_cannot_be_changed(load: Callable[..., DataSet]) -> None:
    dataset = load()
    assert isinstance(dataset.x_train, np.memmap)
    assert not dataset.x_train.flags.writeable
    assert (dataset.x_train[:, 0, 0, 0].tolist(), dataset.x_test[:, 0, 0, 0].tolist()) == (
        [1, 2],
        [3],
    )


def test_the_digest_is_that_of_images_and_classes(load: Callable[..., DataSet]) -> None:
    from cilsim.data.digest import dataset_digest

    dataset = load()
    facts = dataset.facts
    arrays = dataset.x_train, facts.y_train, dataset.x_test, facts.y_test
    assert dataset.digest == dataset_digest(*arrays)


def test_damaged_images_are_decoded_anew(
    load: Callable[..., DataSet], places: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = load().digest
    (folder,) = cached(places)
    with (folder / "images.npy").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x07")
    with caplog.at_level(logging.WARNING):
        after = load()
    assert (after.digest, after.x_test[0, 2, -1, -1]) == (before, 3)
    assert caplog.messages == [
        f"cache '{folder}' is damaged (images.npy does not match its checksum) and is made again"
    ]


def test_a_full_disk_is_one_clear_line_before_anything_is_decoded(
    load: Callable[..., DataSet], places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, begin: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError) as caught:
        load()
    (place,) = {path.name.partition(".")[0] for path in (places / "cache" / "data").iterdir()}
    assert str(caught.value) == (
        f"cache '{places}/cache/data/{place}' cannot be written: No space left on device - "
        "set CILSIM_CACHE to a folder that can be written and has space"
    )
    assert cached(places) == []


def test_a_killed_process_leaves_nothing_that_is_taken_for_whole(
    load: Callable[..., DataSet], places: Path
) -> None:
    """Killed while decoding, the next load begins anew and gives the same."""
    code = f"""
import time
from pathlib import Path
from cilsim.data import image_decoding, image_squares
from cilsim.data.image_listing import Counts, ImageListing, part_of
from cilsim.data.image_set import ImageSet, ImageSetOptions, find_source
from cilsim.data.publication import PublishedFile

def wait(*arguments, **options):
    print("decoding", flush=True)
    time.sleep(60)

image_decoding.decode = wait
published = ImageSet(
    "set", "a page", "", "set", PublishedFile("a"), "x", (), Counts(None, None, None)
)
listing = ImageListing(
    ("first", "second"), part_of([("x/a.jpg", 0), ("x/b.jpg", 1)]), part_of([("x/c.jpg", 0)])
)
source = find_source(published, ImageSetOptions(root=Path({str(places)!r})))
image_squares.load_squares(published, source, listing, 16)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"decoding")
        process.send_signal(signal.SIGKILL)
    assert cached(places) == []
    assert len(list((places / "cache" / "data").glob("*.unfinished"))) == 1
    assert load().x_train[:, 0, 0, 0].tolist() == [1, 2]
    assert len(cached(places)) == 1
    assert list((places / "cache" / "data").glob("*.unfinished")) == []
