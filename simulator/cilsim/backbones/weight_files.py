"""Files of weights: where they are, what identifies them, and reading them without running code."""

from __future__ import annotations

import hashlib
import logging
import re
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from torch import Tensor

from cilsim.backbones.network import reachable
from cilsim.backbones.pretrained import PretrainedOptions
from cilsim.errors import CheckpointError, DataError
from cilsim.scenario.origin import abbreviate

HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.")
"""How torchvision's files are named: the first digits of their SHA-256."""

STATES = ("state_dict", "model", "params", "teacher", "net")
"""Under which key training scripts keep the weights beside other things."""

logger = logging.getLogger(__name__)


def weights_file(options: PretrainedOptions) -> Path | None:
    """Return the file of weights that options name, fetched if it is torchvision's; None for none.

    Raises:
        DataError: there is no such file.
    """
    if options.weights == "none":
        return None
    if isinstance(options.weights, str):
        return torchvision_file(options.torchvision_model, options.weights)
    if not options.weights.is_file():
        raise DataError(f"weights: no such file: {options.weights}")
    return options.weights


def identity(options: PretrainedOptions) -> dict[str, str] | None:
    """Return name and SHA-256 of the file of weights, or None without one."""
    path = weights_file(options)
    return None if path is None else {"name": path.name, "sha256": sha256_of(path)}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text; of one that stays the same, once."""
    facts = path.stat()
    return _sha256(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=16)
def _sha256(path: Path, mtime_ns: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def torchvision_file(model: str, name: str) -> Path:
    """Return the file of torchvision's weights in torch's cache, fetched and checked.

    Raises:
        DataError: it is not there and cannot be fetched, or it is damaged.
    """
    from torchvision.models import get_model_weights

    url: str = get_model_weights(model)[name.upper()].url
    path = Path(torch.hub.get_dir(), "checkpoints", Path(urlparse(url).path).name)
    found = HASH_IN_NAME.search(path.name)
    published = found[1] if found else ""
    if not path.is_file():
        _fetch(url, path, published, f"weights '{name}' of {model}")
    digest = sha256_of(path)
    if not digest.startswith(published):
        raise DataError(
            f"weights '{name}' of {model}: {path} has SHA-256 {digest} - the published one begins "
            f"with {published} - remove the file, and it is fetched again"
        )
    return path


def _fetch(url: str, path: Path, published: str, what: str) -> None:
    if reachable(url):
        logger.info("%s: fetching %s", what, url)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path), published, progress=False)
            return
        except (OSError, RuntimeError) as error:
            reason, cause = str(error), error
    else:
        reason, cause = f"{urlparse(url).hostname} cannot be reached", None
    raise DataError(f"{what}: {reason} - fetch {url} and put it as {path}") from cause


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name.

    Of a .pt or .pth file nothing but tensors and plain data is loaded. Where a training script
    kept the weights beside other things, they are looked up by its usual names.

    Raises:
        CheckpointError: the file is damaged, holds code, or has no weights.
    """
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    _refuse_compressed(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch and zipfile raise all sorts of things
        raise CheckpointError(
            f"weights '{path}' cannot be read as tensors and plain data alone "
            f"({_first_line(error)}) - save the state dict by itself, or as .safetensors"
        ) from error
    return _tensors(content, path)


def _refuse_compressed(path: Path) -> None:
    """Refuse a file whose records are compressed: torch never writes one, and it can be a bomb."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [one for one in archive.infolist() if one.compress_type != zipfile.ZIP_STORED]
    except (OSError, ValueError, zipfile.BadZipFile):  # torch will say what is wrong with it
        return
    if packed:
        raise CheckpointError(
            f"weights '{path}' cannot be read: the record '{abbreviate(packed[0].filename)}' is "
            "compressed, which torch never does - save the state dict again, or as .safetensors"
        )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"weights '{path}' cannot be read ({_first_line(error)}) - "
            "expected a file in the format of safetensors"
        ) from error


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the first mapping that holds a tensor: the content, or what it keeps as weights."""
    inside = content if isinstance(content, Mapping) else {}
    for state in (inside, *(inside.get(key) for key in STATES)):
        if isinstance(state, Mapping):
            tensors = {str(key): one for key, one in state.items() if isinstance(one, Tensor)}
            if tensors:
                return tensors
    raise CheckpointError(
        f"weights '{path}' has no tensors by name - expected a state dict, or one under "
        f"{', '.join(repr(key) for key in STATES)}"
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {abbreviate(lines[0], 200)}" if lines else type(error).__name__
