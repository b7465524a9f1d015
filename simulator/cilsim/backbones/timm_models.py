"""Backbones of the package timm, by the names that papers use.

Axis letters: B batch, C channels, H W pixels, D features.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.backbones.backbone import Backbone, channels_of
from cilsim.backbones.network import reachable
from cilsim.backbones.pretrained import Moments
from cilsim.backbones.pretrained import normalisation as normalisation_of_options
from cilsim.backbones.resizing import Resizing
from cilsim.backbones.timm_options import MISSING, TimmOptions
from cilsim.backbones.weight_files import read_weights, sha256_of, weights_file
from cilsim.backbones.weight_fitting import put
from cilsim.errors import CheckpointError, DataError
from cilsim.naming import nearest

HUB = "https://huggingface.co"
FILE = "model.safetensors"
"""Usual name of the file of weights in a repository on the hub."""

logger = logging.getLogger(__name__)


class TimmModel(Backbone):
    """A model of timm without its classifier, after the resizing of images."""

    def __init__(self, model: nn.Module, resizing: Resizing, feature_size: int) -> None:
        super().__init__()
        self.resizing = resizing
        self.model = model
        self.feature_size = feature_size

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, D): what timm's classifier would get."""
        features_BD: Tensor = self.model(self.resizing(images_BCHW))
        return features_BD


def timm_backbone(
    options: TimmOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return the model of timm that `options.model` names.

    Raises:
        DataError: timm is not installed or has no such model, or its weights cannot be fetched.
        CheckpointError: the weights do not fit.
    """
    channels = channels_of("timm", sample_shape)
    config = published(options.model)
    path = _file(options)
    model = _created(options.model, channels, generator)
    if path is not None:
        _load(model, read_weights(path), config, path)
    if options.frozen:
        model.requires_grad_(False)
    size = options.image_size or config.input_size[-1]
    resizing = Resizing(size, options.resize_to, options.interpolation)
    feature_size: Any = getattr(model, "head_hidden_size", model.num_features)
    return TimmModel(model, resizing, feature_size)


def normalisation(options: TimmOptions) -> Moments | None:
    """Return the moments that images are normalised by, or None for the data set's own."""
    if options.pretrained and options.normalisation is None:
        config = published(options.model)
        return tuple(config.mean), tuple(config.std)
    return normalisation_of_options(options)


def identity(options: TimmOptions) -> dict[str, str] | None:
    """Return name and SHA-256 of the file of weights, or None without one."""
    path = _file(options)
    if path is None:
        return None
    name = _repository(options.model) if options.pretrained else path.name
    return {"name": name, "sha256": sha256_of(path)}


def published(model: str) -> Any:
    """Return what timm knows about a model: its input and where its weights are.

    Raises:
        DataError: timm is not installed, or has no such model.
    """
    timm = _timm()
    with suppress(RuntimeError):  # that a model has no weights of this name
        config = timm.get_pretrained_cfg(model)
        if config is not None and timm.is_model(model.partition(".")[0]):
            return config
    match = nearest(model, [*timm.list_models(), *timm.list_pretrained()])
    hint = f"did you mean '{match}'?" if match else "timm.list_pretrained() lists all"
    raise DataError(f"timm has no model '{model}'; {hint}")


def _timm() -> ModuleType:
    try:
        import timm
    except ModuleNotFoundError as error:
        raise DataError(f"backbone {MISSING}") from error
    module: ModuleType = timm
    return module


def _created(name: str, channels: int, generator: torch.Generator) -> nn.Module:
    """Return a model without classifier; what timm draws comes from `generator`."""
    with torch.random.fork_rng(devices=[]):
        seed = torch.randint(2**63 - 1, (), generator=generator)
        torch.default_generator.manual_seed(int(seed))
        model: nn.Module = _timm().create_model(name, num_classes=0, in_chans=channels)
    return model


def _load(model: nn.Module, tensors: dict[str, Tensor], config: Any, path: Path) -> None:
    """Fill a model; timm's own loading leaves out what does not fit without an error."""
    where = f"backbone 'timm': weights '{path}'"
    tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    convert = getattr(import_module(type(model).__module__), "checkpoint_filter_fn", None)
    if convert is not None:  # from the names of those who published the weights
        try:
            tensors = convert(tensors, model)
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f"{where} are not for this model: {error}") from error
    heads = (config.classifier,) if isinstance(config.classifier, str) else config.classifier or ()
    kept = {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(tuple(f"{head}." for head in heads))
    }
    put(model, kept, where)


def _file(options: TimmOptions) -> Path | None:
    return _from_hub(options.model) if options.pretrained else weights_file(options)


def _repository(model: str) -> str:
    repository = published(model).hf_hub_id
    if not repository:
        raise DataError(
            f"backbone 'timm': timm publishes no weights for '{model}'; "
            "leave out pretrained, or give a file as weights"
        )
    return str(repository)


def _from_hub(model: str) -> Path:
    """Return the file of published weights in the cache of huggingface_hub, fetched if need be."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository = _repository(model)
    file = published(model).hf_hub_filename or FILE
    try:
        return Path(hf_hub_download(repository, file, local_files_only=True))
    except LocalEntryNotFoundError:
        pass  # it is not in the cache yet
    if not reachable(HUB):
        raise DataError(
            _offline(model, f"{repository}/resolve/main/{file}", "huggingface.co cannot be reached")
        )
    try:
        logger.info("timm: fetching %s/%s", HUB, repository)
        return Path(hf_hub_download(repository, file))
    except (HfHubHTTPError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(_offline(model, f"{repository}/resolve/main/{file}", reason)) from error


def _offline(model: str, file: str, reason: str) -> str:
    return (
        f"backbone 'timm': weights of '{model}': {reason} - fetch {HUB}/{file} "
        "and give the file as weights, with pretrained: false and normalisation"
    )
