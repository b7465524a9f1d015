"""`mnist`, `fashion_mnist` and `kmnist`: ten classes, 60 000 + 10 000 grey images of 28 x 28.

MNIST of LeCun et al. 1998, Fashion-MNIST of Xiao et al. 2017, Kuzushiji-MNIST of Clanuwat et al.
2018. All three come as four IDX files of the same names; images keep the order of the files.
"""

from __future__ import annotations

from pathlib import Path

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.idx_set import IdxSet, idx_dataset, idx_facts
from cilsim.data.image_set import VerifiedOptions
from cilsim.data.publication import Publication, PublishedFile, require_intact

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""Names once unpacked; as published they end in .gz."""

Source = tuple[Publication, IdxSet]


def _source(
    name: str,
    page: str,
    licence: str,
    place: str,
    files: tuple[tuple[str, int], ...],
    class_names: tuple[str, ...],
) -> Source:
    """Return a data set, given MD5 and size of each file; a size of 0 is not known."""
    published = tuple(
        PublishedFile(f"{file}.gz", md5, size, (f"{place}{file}.gz",), (file,))
        for file, (md5, size) in zip(FILES, files, strict=True)
    )
    counts = len(class_names), 60_000, 10_000
    return Publication(name, page, licence, *counts, published), IdxSet(name, FILES, class_names)


MNIST = _source(
    "mnist",
    "http://yann.lecun.com/exdb/mnist/",
    "CC BY-SA 3.0",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        ("f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
        ("d53e105ee54ea40749a09fcbcd1e9432", 28_881),
        ("9fb629c4189551a2d022fa330f9573f3", 1_648_877),
        ("ec29112dd5afa0611ce80d1b7f02629c", 4_542),
    ),
    tuple("0123456789"),
)
FASHION_MNIST = _source(
    "fashion_mnist",
    "https://github.com/zalandoresearch/fashion-mnist",
    "MIT",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    (
        ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
        ("25c81989df183df01b3e8a0aad5dffbe", 29_515),
        ("bef4ecab320f06d8554ea6380940ec79", 4_422_102),
        ("bb300cfdad3c16e7a12a480ee83cd310", 5_148),
    ),
    (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
)
KMNIST = _source(
    "kmnist",
    "http://codh.rois.ac.jp/kmnist/",
    "CC BY-SA 4.0",
    "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    (
        ("bdb82020997e1d708af4cf47b453dcf7", 0),
        ("e144d726b3acfaa3e44228e80efcd344", 0),
        ("5c965bf0a639b31b8f53240b1b52f4d7", 0),
        ("7320c461ea6c1c855c0b718fb2a4b134", 0),
    ),
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
)
PUBLICATION_MNIST, PUBLICATION_FASHION, PUBLICATION_KMNIST = (
    publication for publication, _ in (MNIST, FASHION_MNIST, KMNIST)
)


class MnistOptions(VerifiedOptions):
    """Options of MNIST, Fashion-MNIST and KMNIST."""

    verify: bool = True
    """Compare each file that is not unpacked with its published checksum when images are loaded."""


def facts_mnist(options: MnistOptions, source: Source = MNIST) -> DataFacts:
    """Return the facts of MNIST; the files must be there, of which only the labels are read."""
    return _facts(source, options)


def load_mnist(options: MnistOptions, source: Source = MNIST) -> DataSet:
    """Return MNIST: the digits 0 to 9."""
    return _load(source, options)


def facts_fashion_mnist(options: MnistOptions) -> DataFacts:
    """Return the facts of Fashion-MNIST; the files must be there."""
    return _facts(FASHION_MNIST, options)


def load_fashion_mnist(options: MnistOptions) -> DataSet:
    """Return Fashion-MNIST: ten kinds of clothes."""
    return _load(FASHION_MNIST, options)


def facts_kmnist(options: MnistOptions) -> DataFacts:
    """Return the facts of KMNIST; the files must be there."""
    return _facts(KMNIST, options)


def load_kmnist(options: MnistOptions) -> DataSet:
    """Return KMNIST: ten cursive Japanese characters."""
    return _load(KMNIST, options)


def _facts(source: Source, options: MnistOptions) -> DataFacts:
    publication, layout = source
    places = _places(publication, options)
    return idx_facts(layout, lambda name: places[name].read_bytes())


def _load(source: Source, options: MnistOptions) -> DataSet:
    publication, layout = source
    places = _places(publication, options)
    if options.verify:
        published = [path for name, path in places.items() if path.name != name]
        require_intact(publication, published)
    return idx_dataset(layout, lambda name: places[name].read_bytes())


def _places(publication: Publication, options: MnistOptions) -> dict[str, Path]:
    """Return where each file is: unpacked or else as published."""
    root = publication.root(options.root)
    places = {}
    for file, name in zip(publication.files, FILES, strict=True):
        candidates = [path for path in (root / name, root / file.name) if path.is_file()]
        if not candidates:
            raise publication.missing(
                f"neither {file} nor the unpacked '{name}' is in '{root}'", options.root
            )
        places[name] = candidates[0]
    return places
