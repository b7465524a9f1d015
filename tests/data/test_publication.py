from __future__ import annotations

import re
import runpy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cilsim.data import core50, cub200, tiny_imagenet
from cilsim.data.builtin import DATASETS, DataSetDeclaration
from cilsim.data.holdings import holdings_of, state_of
from cilsim.data.publication import Publication, PublishedFile

PUBLISHED = [declared for declared in DATASETS if declared.publication is not None]


def publication_of(declared: DataSetDeclaration) -> Publication:
    module, _, name = str(declared.publication).partition(":")
    found = __import__(module, fromlist=[name])
    publication: Publication = getattr(found, name)
    return publication


@pytest.mark.parametrize("declared", PUBLISHED, ids=lambda declared: declared.name)
def test_each_publication_is_complete(declared: DataSetDeclaration) -> None:
    publication = publication_of(declared)
    assert publication.name == declared.name
    assert publication.licence
    for file in publication.files:
        assert re.fullmatch("[0-9a-f]{32}", file.md5) or declared.name == "mini_imagenet"
        assert all(re.fullmatch(r"https?://[^ ]+", address) for address in file.addresses)
    if publication.files and not publication.fetchable:
        assert publication.by_hand
        assert not any(file.addresses for file in publication.files)


def test_what_has_to_be_got_by_hand_is_this() -> None:
    by_hand = [
        declared.name
        for declared in PUBLISHED
        if publication_of(declared).files and not publication_of(declared).fetchable
    ]
    assert by_hand == ["mini_imagenet", "imagenet100", "imagenet", "stanford_cars"]


def avalanche(path: str) -> Path:
    """Return a file of Avalanche, which need not be imported for it."""
    spec = find_spec("avalanche")
    if spec is None or spec.origin is None:
        pytest.skip("avalanche-lib is not installed")
    return Path(spec.origin).parent / "benchmarks" / "datasets" / path


def test_core50_is_fetched_from_where_avalanche_has_it() -> None:
    listed: Any = runpy.run_path(str(avalanche("core50/core50_data.py")))["data"]
    [file] = core50.PUBLICATION.files
    assert (file.name, file.addresses[0], file.md5) in listed


@pytest.mark.parametrize(
    ("source", "publication"),
    [
        ("tiny_imagenet/tiny_imagenet.py", tiny_imagenet.PUBLICATION),
        ("cub200/cub200.py", cub200.PUBLICATION),
    ],
    ids=["tiny_imagenet", "cub200"],
)
def test_checksums_are_those_of_avalanche(source: str, publication: Publication) -> None:
    text = avalanche(source).read_text()
    [file] = publication.files
    assert f'"{file.md5}"' in text
    assert file.name in text


def test_an_archive_is_there_as_such_or_unpacked_in_either_place(tmp_path: Path) -> None:
    publication = tiny_imagenet.PUBLICATION
    assert state_of(holdings_of(publication, tmp_path)) == "absent"
    (tmp_path / "tiny-imagenet-200.zip.part").write_bytes(b"x")
    assert state_of(holdings_of(publication, tmp_path)) == "incomplete"
    (tmp_path / "tiny-imagenet-200.zip").write_bytes(b"x")
    assert [holding.state for holding in holdings_of(publication, tmp_path)] == ["there"]
    for place in (tmp_path / "wnids.txt", tmp_path / "tiny-imagenet-200" / "wnids.txt"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("n01440764\n")
        [holding] = holdings_of(publication, tmp_path)
        assert (holding.state, holding.path) == ("unpacked", place)
        place.unlink()


def test_the_command_in_a_message_can_be_pasted_into_a_shell() -> None:
    files = (PublishedFile("a.zip", "0" * 32, 1, ("https://example.org/a.zip",)),)
    publication = Publication("parts", "https://example.org", "MIT", 2, 4, 2, files)
    message = str(publication.missing("nothing is there", Path("/my data/x")))
    assert message == (
        "data set 'parts': nothing is there - fetch it with 'cilsim data fetch parts --root "
        "'/my data/x'' or from https://example.org into that folder; the data set 'glyphs100' "
        "needs no download"
    )
