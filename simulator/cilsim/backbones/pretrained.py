"""Options of backbones that may start from given weights; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from cilsim.naming import did_you_mean
from cilsim.options import Options

Moments = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and deviation per channel, as fractions of 255."""

Normalisation = Literal["dataset", "imagenet", "half", "none"]

FileOnly = Annotated[Literal["none"] | Path, Field(union_mode="left_to_right")]

SUFFIXES = (".safetensors", ".pt", ".pth")
"""Files that weights are read from."""

CONVENTIONS: dict[str, Moments] = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


class PretrainedOptions(Options):
    """Options of backbones whose weights may come from a file."""

    torchvision_model: ClassVar[str] = ""
    """The model of torchvision that has the weights with a name."""

    weights: str | Path = "none"
    """Weights to start from; which of them have a name, each backbone says."""
    normalisation: Normalisation | None = None
    """How images are normalised: by mean and deviation of the data set, by those of ImageNet, by
    0.5 and 0.5, or not at all (pixels from 0 to 1). Without it as torchvision's weights want it,
    or by the data set without weights; a file does not say, so it has to be given."""
    frozen: bool = False
    """Whether the network stays as it is: nothing trains it, each image passes through it once."""

    @model_validator(mode="after")
    def _file_with_normalisation(self) -> PretrainedOptions:
        if isinstance(self.weights, Path) and self.normalisation is None:
            raise ValueError(
                "normalisation is missing: a file of weights does not say how images were "
                "normalised; give 'dataset', 'imagenet', 'half' or 'none'"
            )
        return self


class FileOptions(PretrainedOptions):
    """Options of backbones without published weights."""

    weights: FileOnly = "none"
    """Weights to start from: none (random ones), or a .safetensors, .pt or .pth file."""


class ResizedOptions(PretrainedOptions):
    """Options of backbones for images of one size, to which all others are resized."""

    image_size: Annotated[int, Field(ge=8, le=1024)] | None = None
    """Side in pixels of the images that the network gets; without it they come as they are."""
    resize_to: Annotated[int, Field(ge=8, le=2048)] | None = None
    """The shorter side is resized to it before the centre of image_size is cut out, such as 256
    for 224; without it image_size."""
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    """How images are resized; shrinking is always antialiased."""

    @model_validator(mode="after")
    def _cut_from_larger(self) -> ResizedOptions:
        if self.resize_to is not None and self.resize_to < (self.image_size or 0):
            raise ValueError("resize_to must be at least image_size")
        return self


def normalisation(options: PretrainedOptions) -> Moments | None:
    """Return the moments that images are normalised by, or None for the data set's own."""
    chosen = options.normalisation
    if chosen is None:
        named = isinstance(options.weights, str) and options.weights != "none"
        chosen = "imagenet" if named else "dataset"
    return CONVENTIONS.get(chosen)


def check(options: PretrainedOptions, facts: Any) -> Iterator[tuple[str, str]]:
    """Yield the option and the complaint if the file of weights cannot be used."""
    path = options.weights
    if not isinstance(path, Path):
        return
    if not path.suffix:
        yield "weights", f"no such file: {path}{did_you_mean(path.name, names_of(type(options)))}"
    elif path.suffix not in SUFFIXES:
        yield "weights", f"expected a .safetensors, .pt or .pth file, found '{path.name}'"
    elif not path.is_file():
        yield "weights", f"no such file: {path}"


def names_of(model: type[PretrainedOptions]) -> tuple[str, ...]:
    """Return the weights that have a name."""
    literal, _ = get_args(model.model_fields["weights"].annotation)
    names: tuple[str, ...] = get_args(literal)
    return names
