"""Which image files a data set has and of which class they are, known before any is opened.

Axis letters: N images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cilsim.records import IntArray


@dataclass(frozen=True)
class Part:
    """Training or test images.

    Attributes:
        files: paths relative to the root.
        class_ids: (N,) class id of each.
        domains: (N,) position in the listing's `domain_names` of each, None without domains.
        lines: line of each in the file that lists them, empty if nothing does.
    """

    files: tuple[str, ...]
    class_ids: IntArray
    domains: IntArray | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Attributes:
        root: the folder.
        class_names: names of the classes; a class id is a position here.
        train: training images, class after class, each class sorted by name.
        test: test images, likewise.
        foreign: files in class folders that are no images by their name.
        domain_names: what a scenario calls the domains, if there are any.
    """

    root: Path
    class_names: tuple[str, ...]
    train: Part
    test: Part
    foreign: tuple[str, ...]
    domain_names: tuple[str, ...] = ()
