"""`emnist` (Cohen et al. 2017): handwritten letters and digits of NIST, 28 x 28, in six versions.

Read from the published archive; all versions are in it. Images, which are stored transposed, are
turned upright. Class ids are the published labels; those of `letters`, 1 to 26, minus 1.
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase, digits
from typing import Literal

from cilsim.data.archive import read_files
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.idx_set import IdxSet, Read, idx_dataset, idx_facts
from cilsim.data.image_set import VerifiedOptions
from cilsim.data.publication import Publication, PublishedFile, require_intact

Split = Literal["balanced", "byclass", "bymerge", "letters", "digits", "mnist"]
FOLDER = "gzip"
ARCHIVE = PublishedFile(
    "gzip.zip",
    "58c8d27c78d21e728a6bc7b3cc06412e",
    561_753_746,
    ("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",),
    (FOLDER,),
)
PUBLICATION = Publication(
    name="emnist",
    page="https://www.nist.gov/itl/products-and-services/emnist-dataset",
    licence="see the source",
    classes=None,
    train=None,
    test=None,
    files=(ARCHIVE,),
)

_DISTINCT = "abdefghnqrt"
"""Small letters that are classes of their own where others are merged with their capitals."""

CLASS_NAMES: dict[Split, str] = {
    "balanced": digits + ascii_uppercase + _DISTINCT,
    "byclass": digits + ascii_uppercase + ascii_lowercase,
    "bymerge": digits + ascii_uppercase + _DISTINCT,
    "letters": ascii_lowercase,
    "digits": digits,
    "mnist": digits,
}


class EmnistOptions(VerifiedOptions):
    """Options of EMNIST."""

    split: Split = "balanced"
    """Which version: balanced (47 classes, 112 800 + 18 800), byclass (62, 697 932 + 116 323),
    bymerge (47, the same images), letters (26), digits (10) or mnist (10)."""


def facts_emnist(options: EmnistOptions) -> DataFacts:
    """Return the facts of EMNIST; the archive or its folder must be there."""
    layout = _layout(options.split)
    _, train, _, test = layout.files
    return idx_facts(layout, _reader(options, (train, test)))


def load_emnist(options: EmnistOptions) -> DataSet:
    """Return EMNIST in the order of the files."""
    layout = _layout(options.split)
    path = PUBLICATION.root(options.root) / ARCHIVE.name
    if options.verify and path.is_file() and not path.with_name(FOLDER).is_dir():
        require_intact(PUBLICATION, [path])
    return idx_dataset(layout, _reader(options, layout.files))


def _layout(split: Split) -> IdxSet:
    files = tuple(
        f"emnist-{split}-{part}-{kind}-ubyte.gz"
        for part in ("train", "test")
        for kind in ("images-idx3", "labels-idx1")
    )
    x_train, y_train, x_test, y_test = files
    return IdxSet(
        "emnist",
        (x_train, y_train, x_test, y_test),
        tuple(CLASS_NAMES[split]),
        first_label=1 if split == "letters" else 0,
        transposed=True,
    )


def _reader(options: EmnistOptions, names: tuple[str, ...]) -> Read:
    root, where = PUBLICATION.root(options.root), PUBLICATION.where
    if (root / FOLDER).is_dir():
        return read_files(where, root / FOLDER, names).__getitem__
    if (root / ARCHIVE.name).is_file():
        return read_files(where, root / ARCHIVE.name, names, inside=FOLDER).__getitem__
    raise PUBLICATION.missing(
        f"neither {ARCHIVE} nor the unpacked folder '{FOLDER}' is in '{root}'", options.root
    )
