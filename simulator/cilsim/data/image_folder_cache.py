"""The images of a folder, decoded once and kept in the cache; which files are none, and why.

Axis letters: N images, C channel, H W pixels.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from cilsim.data.array_cache import Arrays, cache_key, cached_arrays
from cilsim.data.decoding_progress import DecodingProgress
from cilsim.data.image_decoding import decode_all
from cilsim.data.listing import Listing, Part
from cilsim.data.moments import channel_moments
from cilsim.data.places import cache_root
from cilsim.errors import DataError
from cilsim.scenario.origin import abbreviate

_FORMAT = 4
_ROWS = 1024
_SHOWN = 3
_log = logging.getLogger(__name__)


def decoded(listing: Listing, folder: Path, side: int, skip: bool) -> Arrays:
    """Return x_train, y_train, x_test, y_test, moments (2, 3) and skipped out of the cache.

    Where the listing has domains, domain_train and domain_test are among them.

    Args:
        listing: what the folder holds.
        folder: as messages call it.
        side: of an image, in pixels.
        skip: leave bad images out instead of refusing the folder.

    Raises:
        DataError: there are bad images, or too many.
    """
    parts = {"train": listing.train, "test": listing.test}

    def build(place: Path) -> None:
        count = sum(len(part.files) for part in parts.values())
        _log.info("image folder '%s': decoding %d images (once)", folder, count)
        progress = DecodingProgress(f"image folder '{folder}'", count)
        starts = {"train": 0, "test": len(listing.train.files)}
        why = {
            name: _decode_part(place, name, listing.root, part, side, progress.after(starts[name]))
            for name, part in parts.items()
        }
        skipped = foreign_images(listing) + _judge(listing, folder, why, skip)
        for name, part in parts.items():
            _keep(place, name, part, why[name])
        _save_texts(place / "skipped.npy", skipped)
        x_train = np.load(place / "x_train.npy", mmap_mode="r", allow_pickle=False)
        np.save(place / "moments.npy", np.array(channel_moments(x_train)))

    def about() -> dict[str, Any]:
        return {"folder": str(folder), "image_size": side}

    state = [_state(listing.root, part) for part in parts.values()]
    choices = str(listing.root.resolve()), side, skip
    key = cache_key(_FORMAT, *choices, state, [_meaning(part) for part in parts.values()])
    return cached_arrays(cache_root() / "data" / f"image_folder-{key}", build, about)


def _state(root: Path, part: Part) -> list[tuple[str, int, int]]:
    """Return all that tells whether a file was changed, of every file."""
    found = []
    for file in part.files:
        try:
            stat = (root / file).stat()
        except OSError:  # a broken link; it will be found to be no image
            found.append((file, -1, -1))
        else:
            found.append((file, stat.st_size, stat.st_mtime_ns))
    return found


def _meaning(part: Part) -> str:
    """Return a hash over the classes and domains, which a list may change and leave the files."""
    digest = sha256(part.class_ids.astype("<i8").tobytes())
    if part.domains is not None:
        digest.update(part.domains.astype("<i8").tobytes())
    return digest.hexdigest()


def _decode_part(
    folder: Path, name: str, root: Path, part: Part, side: int, progress: Callable[[int], None]
) -> dict[int, str]:
    """Write a row for every file and return why some hold no image, by row."""
    shape = (len(part.files), 3, side, side)
    every_NCHW = open_memmap(folder / f"x_{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
    why = decode_all(root, part.files, every_NCHW, progress)
    every_NCHW.flush()
    return why


def _judge(
    listing: Listing, folder: Path, why: Mapping[str, Mapping[int, str]], skip: bool
) -> list[str]:
    """Return the bad images, each with the reason.

    Raises:
        DataError: they are to be refused, or of a class nothing is left without them.
    """
    parts = (("train", listing.train), ("test", listing.test))
    bad = [
        f"{abbreviate(part.files[row])} ({_line(part, row)}{reason})"
        for name, part in parts
        for row, reason in sorted(why[name].items())
    ]
    if bad and not skip:
        raise bad_images(folder, bad)
    for name, part in parts:
        kept = np.delete(part.class_ids, list(why[name]))
        left = np.bincount(kept, minlength=len(listing.class_names))
        if not left.all():
            raise DataError(
                f"image folder '{folder}': class '{listing.class_names[left.argmin()]}' has "
                f"no readable {name} image left after skipping {len(why[name])}"
            )
    return bad


def _line(part: Part, row: int) -> str:
    return f"line {part.lines[row]}: " if part.lines else ""


def _save_texts(path: Path, texts: Sequence[str]) -> None:
    """Write texts as an array that is never empty, for an empty one cannot be memory-mapped."""
    content = json.dumps(list(texts)).encode()
    np.save(path, np.frombuffer(content, dtype=np.uint8))


def _keep(folder: Path, name: str, part: Part, why: Mapping[int, str]) -> None:
    """Drop the rows of files that hold no image; write class ids and domains of the others."""
    rows = np.delete(np.arange(len(part.files)), list(why))
    np.save(folder / f"y_{name}.npy", part.class_ids[rows])
    if part.domains is not None:
        np.save(folder / f"domain_{name}.npy", part.domains[rows])
    if not why:
        return
    every = (folder / f"x_{name}.npy").rename(folder / "every.npy")
    every_NCHW = np.load(every, mmap_mode="r", allow_pickle=False)
    shape = (len(rows), *every_NCHW.shape[1:])
    kept_NCHW = open_memmap(folder / f"x_{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
    for first in range(0, len(rows), _ROWS):
        kept_NCHW[first : first + _ROWS] = every_NCHW[rows[first : first + _ROWS]]
    kept_NCHW.flush()
    every.unlink()


def foreign_images(listing: Listing) -> list[str]:
    """Return the files that are no images by their name, each with that reason."""
    return [f"{abbreviate(file)} (by its name)" for file in listing.foreign]


def skipped_images(arrays: Arrays) -> tuple[str, ...]:
    """Return the files that were left out, each with the reason."""
    return tuple(json.loads(arrays["skipped"].tobytes()))


@cache
def warn_once(folder: Path, skipped: tuple[str, ...]) -> None:
    """Tell how many files were left out, in every process the first time."""
    if skipped:
        are = "file is skipped" if len(skipped) == 1 else "files are skipped"
        _log.warning(
            "image folder '%s': %d %s, being no readable images: %s",
            folder, len(skipped), are, _first(skipped),
        )  # fmt: skip


def bad_images(path: Path, files: Sequence[str]) -> DataError:
    """Return the error about files that are no images."""
    are = "file is no readable image" if len(files) == 1 else "files are no readable images"
    return DataError(
        f"image folder '{path}': {len(files)} {are}: {_first(files)} - "
        "remove them, or set 'on_bad_image: skip'"
    )


def _first(files: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return ", ".join(files[:_SHOWN]) + more
