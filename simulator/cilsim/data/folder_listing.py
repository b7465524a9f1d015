"""Which files of a folder are images of which class, and which of them are for testing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from cilsim.data.hold_out import held_out
from cilsim.data.listing import Listing, Part
from cilsim.errors import DataError
from cilsim.scenario.origin import abbreviate

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
_LEFT_BY_SYSTEMS = {"desktop.ini", "thumbs.db"}
_PARTS = {"test", "testing", "train", "training", "val", "valid", "validation"}
_LAYOUT = "expected <class>/<image>, or train/<class>/<image> and test/<class>/<image>"


def list_images(root: Path, test_fraction: float) -> Listing:
    """Return the images of a folder without opening any.

    With both `train/` and `test/` the split is theirs; otherwise `test_fraction` of each class is
    held out, chosen by the class's name alone.

    Raises:
        DataError: the folder is missing or empty, or a class has too few images.
    """
    folders = _subfolders(root)
    foreign: list[str] = []
    if {"train", "test"} <= set(folders):
        train = _classes(root, "train", foreign)
        test = _classes(root, "test", foreign)
        _require_same_classes(root, train, test)
    else:
        _refuse_parts(root, folders)
        everything = _classes(root, "", foreign)
        halves = {
            name: _split(root, name, files, test_fraction) for name, files in everything.items()
        }
        train = {name: held_in for name, (held_in, _) in halves.items()}
        test = {name: held_out for name, (_, held_out) in halves.items()}
    return Listing(root, tuple(train), _part(train), _part(test), tuple(foreign))


def _subfolders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name for entry in entries if _is_folder(entry) and not _hidden(entry.name)
            )
    except OSError as error:
        raise DataError(
            f"image folder '{folder}': it cannot be read: {error.strerror} - {_LAYOUT}"
        ) from error


def _refuse_parts(root: Path, folders: list[str]) -> None:
    """Refuse folders that look like parts of a split, which would become classes."""
    if folders == ["train"]:
        raise DataError(f"image folder '{root}': there is train/ but no test/ - {_LAYOUT}")
    if folders and all(name.casefold() in _PARTS for name in folders):
        raise DataError(
            f"image folder '{root}': {', '.join(folders)} look like parts, not classes - "
            "name them train and test"
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _refuse_class(root: Path, folder: Path) -> None:
    """Refuse a class whose name no report can show, or whose folder holds all of them."""
    if not folder.name.isprintable():
        raise DataError(
            f"image folder '{root}': class '{abbreviate(folder.name)}' has a name that cannot be "
            "printed - rename it"
        )
    if folder.is_symlink() and root.resolve().is_relative_to(folder.resolve()):
        raise DataError(
            f"image folder '{root}': class '{folder.name}' is a link back to the whole - remove it"
        )


def _classes(root: Path, inside: str, foreign: list[str]) -> dict[str, list[str]]:
    """Return the images of each class, both sorted; other files are added to `foreign`."""
    names = _subfolders(root / inside)
    if not names:
        raise DataError(f"image folder '{root / inside}': there are no class folders - {_LAYOUT}")
    classes = {}
    for name in names:
        _refuse_class(root, root / inside / name)
        files = _files_below(root, root / inside / name)
        classes[name] = [file for file in files if file.casefold().endswith(SUFFIXES)]
        foreign += [file for file in files if not file.casefold().endswith(SUFFIXES)]
        if not classes[name]:
            raise DataError(
                f"image folder '{root / inside}': class '{name}' has no images - "
                f"expected files ending in {', '.join(SUFFIXES)}"
            )
    return classes


def _files_below(root: Path, folder: Path) -> list[str]:
    found = []
    for path, folders, files in os.walk(folder, onerror=_refuse_unreadable):
        # not entered: a link could lead round in circles, and such a name is that of an image
        closed = [name for name in folders if _is_closed(Path(path), name)]
        folders[:] = [name for name in folders if not _hidden(name) and name not in closed]
        found += [(Path(path) / name).relative_to(root).as_posix() for name in (*files, *closed)]
    return sorted(name for name in found if not _hidden(name.rpartition("/")[2]))


def _is_closed(path: Path, name: str) -> bool:
    return name.casefold().endswith(SUFFIXES) or (path / name).is_symlink()


def _refuse_unreadable(error: OSError) -> None:
    raise DataError(
        f"image folder '{error.filename}': it cannot be read: {error.strerror} - "
        "let it be read, or remove it"
    ) from error


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _LEFT_BY_SYSTEMS


def _require_same_classes(
    root: Path, train: dict[str, list[str]], test: dict[str, list[str]]
) -> None:
    if train.keys() == test.keys():
        return
    only_train = ", ".join(sorted(train.keys() - test.keys())) or "none"
    only_test = ", ".join(sorted(test.keys() - train.keys())) or "none"
    raise DataError(
        f"image folder '{root}': classes only in train/: {only_train}; only in test/: {only_test} "
        "- expected the same classes in both"
    )


def _split(
    root: Path, name: str, files: list[str], test_fraction: float
) -> tuple[list[str], list[str]]:
    if len(files) < 2:
        raise DataError(
            f"image folder '{root}': class '{name}' has 1 image - at least 2 are needed, "
            "one for training and one for testing"
        )
    chosen = held_out(len(files), test_fraction, name)
    train = [file for position, file in enumerate(files) if position not in chosen]
    return train, [file for position, file in enumerate(files) if position in chosen]


def _part(classes: dict[str, list[str]]) -> Part:
    counts = [len(files) for files in classes.values()]
    return Part(
        files=tuple(file for files in classes.values() for file in files),
        class_ids=np.arange(len(counts), dtype=np.int64).repeat(counts),
    )
