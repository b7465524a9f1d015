"""What is published of ImageNet (ILSVRC 2012), and how its archives are laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath

from cilsim.data.archive import members, members_within, read_files
from cilsim.data.archive_source import ArchiveSource
from cilsim.data.image_listing import Counts, require_synsets
from cilsim.data.image_set import ImageSet, ImageSetOptions
from cilsim.data.joined_source import JoinedSource, Opener, find_parts
from cilsim.data.mat_file import column, read_variables
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

DEVKIT = PublishedFile(
    "ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf", unpacked=("val",)
)
_INSIDE = "ILSVRC2012_devkit_t12/data"
META = "meta.mat"
LABELS = "ILSVRC2012_validation_ground_truth.txt"

PUBLISHED = ImageSet(
    name="imagenet",
    page="https://www.image-net.org/challenges/LSVRC/2012/",
    licence="terms of ImageNet: non-commercial research and education",
    folder="",
    archive=None,
    marker="",
    texts=(),
    counts=Counts(classes=1000, train=1_281_167, test=50_000),
    crop=(224, 256),
    by_hand="with an account",
    parts=(
        PublishedFile(
            "ILSVRC2012_img_train.tar",
            "1d675b47d978889d74fa0da5fadfb00e",
            147_897_477_120,
            unpacked=("train",),
        ),
        PublishedFile(
            "ILSVRC2012_img_val.tar",
            "29b22e2961454d5413ddabcf34fc5622",
            6_744_924_160,
            unpacked=("val",),
        ),
        DEVKIT,
    ),
)
"""Unpacked, the images of a class lie in `train/<synset id>/` and `val/<synset id>/`."""

Content = Iterator[tuple[str, Callable[[], bytes]]]


class TrainArchive(ArchiveSource):
    """An archive of one archive per class, `<synset id>.tar`."""

    def _contents(self) -> Content:
        for name, _, read in members(self.where, self.path):
            synset = PurePosixPath(name).stem
            for file, _, read_image in members_within(self.where, self.path, name, read()):
                yield f"{synset}/{file}", read_image


class ValidationArchive(ArchiveSource):
    """An archive of images in no folders, whose classes the development kit beside it knows."""

    def _contents(self) -> Content:
        synsets = self._synsets
        for name, _, read in members(self.where, self.path):
            number = name.rpartition("_")[2].partition(".")[0]
            if not number.isdecimal() or not 1 <= int(number) <= len(synsets):
                raise DataError(
                    f"{self.where}: '{self.path}' has a file '{name[:80]}' - expected images such "
                    f"as 'ILSVRC2012_val_00000001.JPEG', numbered up to {len(synsets)}"
                )
            yield f"{synsets[int(number) - 1]}/{name}", read

    @cached_property
    def _synsets(self) -> list[str]:
        """Return the synset id of each image in order of their numbers."""
        kit = self.path.with_name(DEVKIT.name)
        files = read_files(self.where, kit, (META, LABELS), inside=_INSIDE)
        known = _synsets_by_id(self.where, files[META])
        lines = files[LABELS].decode("ascii", "replace").split()
        wrong = [line for line in lines if line not in known]
        if wrong:
            raise DataError(
                f"{self.where}: '{LABELS}' has '{wrong[0][:80]}' - expected ids of the classes "
                f"in '{META}'; fetch '{DEVKIT.name}' again"
            )
        return [known[line] for line in lines]


def _synsets_by_id(where: str, content: bytes) -> Mapping[str, str]:
    """Return the synset ids of the classes that have no classes below, by ILSVRC's id as text."""
    synsets = read_variables(where, META, content, ["synsets"])["synsets"]
    numbers, names, children = (
        column(where, META, synsets, field) for field in ("ILSVRC2012_ID", "WNID", "num_children")
    )
    if not all(isinstance(number, int | float) for number in numbers):
        raise DataError(f"{where}: '{META}' has ids that are no numbers - fetch it again")
    found = {
        f"{number:g}": str(synset)
        for number, synset, below in zip(numbers, names, children, strict=True)
        if below == 0
    }
    require_synsets(where, META, list(found.values()))
    return found


OPENERS: Mapping[str, Opener] = {"train": TrainArchive, "val": ValidationArchive}


def find_imagenet(published: ImageSet, options: ImageSetOptions) -> JoinedSource:
    """Return the source of ImageNet's images: folders or archives, mixed as they are found.

    Raises:
        DataError: neither is there.
    """
    return find_parts(published, options, OPENERS)
