"""Options of `timm`; nothing here imports torch or timm."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from pydantic import model_validator

from cilsim.backbones.pretrained import FileOnly, ResizedOptions, check

MISSING = "'timm' needs a package that is not installed; pip install \"cilsim[timm]\""


class TimmOptions(ResizedOptions):
    """Options of `timm`; without image_size, images are resized to what the model was made for."""

    weights: FileOnly = "none"
    """Weights to start from: none, or a .safetensors, .pt or .pth file with timm's names."""
    model: str
    """Name of the model in timm, with the tag of its weights, such as
    vit_base_patch16_224.augreg_in21k."""
    pretrained: bool = False
    """Whether to start from the weights that timm publishes for this name; without
    `normalisation`, images are then normalised as these want it."""

    @model_validator(mode="after")
    def _one_source(self) -> TimmOptions:
        if self.pretrained and self.weights != "none":
            raise ValueError("give either pretrained or weights, not both")
        return self


def check_timm(options: TimmOptions, facts: Any) -> Iterator[tuple[str, str]]:
    """Yield the option and the complaint if timm or the file of weights cannot be used."""
    if find_spec("timm") is None:
        yield "name", MISSING
    yield from check(options, facts)
