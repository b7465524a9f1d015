"""What `cilsim advise` is asked for: data, found as `cilsim data stats` finds them, and more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cilsim.cli.data_source import SCENARIOS, find_source
from cilsim.data.image_folder import ImageFolderOptions, image_listing
from cilsim.errors import CilsimError

if TYPE_CHECKING:
    from cilsim.advice.ladder import Wishes
    from cilsim.plugins import Plugins
    from cilsim.scenario.schema import NamedChoice

SIDES = (16, 32, 64)
"""Sides that images are brought to: the least one that shrinks none of a typical image away."""


def find_data(source: str, plugins: Plugins, wanted: Mapping[str, Any]) -> NamedChoice:
    """Return the data set; images have the side asked for, or one that suits them.

    Args:
        source: anything that `cilsim data stats` takes.
        plugins: those that are there.
        wanted: the options `overrides`, `image_size` and `skip_bad_images` of the command.

    Raises:
        DataError: there is no such thing.
        ScenarioError: the options do not fit.
    """
    choice = find_source(source, plugins, [*wanted["overrides"], *_overrides(source, wanted)])
    options = choice.options
    if isinstance(options, ImageFolderOptions) and "image_size" not in options.model_fields_set:
        side = _suitable_side(options)
        return replace(choice, options=options.model_copy(update={"image_size": side}))
    return choice


def _overrides(source: str, wanted: Mapping[str, Any]) -> Iterator[str]:
    """Yield the command's own options as options of the data set."""
    inside = "stream.dataset." if Path(source).suffix.casefold() in SCENARIOS else ""
    if wanted["image_size"] is not None:
        yield f"{inside}image_size={wanted['image_size']}"
    if wanted["skip_bad_images"]:
        yield f"{inside}on_bad_image=skip"


def _suitable_side(options: ImageFolderOptions) -> int:
    """Return the least of `SIDES` that is not below the shorter side of most images."""
    from cilsim.advice.image_sides import typical_side

    typical = typical_side(options.path, image_listing(options))
    return next((side for side in SIDES if side >= typical), SIDES[-1])


def wishes_of(source: str, choice: NamedChoice, wanted: Mapping[str, Any]) -> Wishes:
    """Return what is asked for, under a name that follows from the source's.

    Raises:
        CilsimError: weights are given without the network that they are for.
    """
    from cilsim.advice.ladder import Wishes

    if wanted["weights"] is not None and wanted["backbone"] is None:
        raise CilsimError("--weights: expected --backbone NAME, the network that they are for")
    path = Path(source).resolve()
    stem = path.stem if path.is_file() else path.name
    printable = re.sub(r"[^\w-]+", "-", stem).strip("-")
    dataset = {"name": choice.name, **choice.options.model_dump(mode="json", exclude_unset=True)}
    return Wishes(
        f"advise-{printable or 'data'}",
        dataset,
        wanted["seeds"],
        wanted["backbone"],
        wanted["weights"],
    )
