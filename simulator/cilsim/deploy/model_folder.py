"""The folder of an exported model: plain files that torch alone can use, and the engine too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load as tensors_from
from safetensors.torch import save as tensors_as_bytes
from torch import Tensor

from cilsim import __version__
from cilsim.data.row_encoder import row_encoder
from cilsim.deploy.exportable import classifier_of
from cilsim.deploy.network_code import network_code
from cilsim.deploy.revival import Revived, model_state
from cilsim.deploy.stored_model import TABLE, InputFacts, StoredModel
from cilsim.errors import CheckpointError, RunFolderError
from cilsim.results.atomic import json_bytes, write_folder
from cilsim.results.packing import pack_state, unpack_state
from cilsim.results.reading import as_object, as_text, damaged
from cilsim.results.sealed_folder import SealedFolder
from cilsim.results.stream_file import stream_from
from cilsim.results.sums import Sums, sum_of, write_sums
from cilsim.scenario.plain import plain
from cilsim.strategy import PlainClassifier

MODEL = "model.json"
FORMAT = 1
NETWORK, CLASSIFIER, STATE = (
    "network.safetensors",
    "classifier.safetensors",
    "state.safetensors",
)
SCENARIO = "scenario.yaml"
SAMPLES = ("shape", "mean", "std", "crop")
"""What `model.json` repeats of `InputFacts` for the engine."""


def is_model(folder: Path) -> bool:
    """Return whether a folder is an exported model."""
    return (folder / MODEL).is_file()


def write_model(folder: Path, model: StoredModel, back: Revived) -> None:
    """Write a model to a folder that must not exist yet.

    Args:
        folder: where; its parents are made.
        model: what was stored.
        back: the same model as a run.

    Raises:
        RunFolderError: the folder exists or cannot be written.
        CilsimError: the strategy does not say how it scores, or the backbone cannot be traced.
    """
    if folder.exists():
        raise RunFolderError(f"{folder}: exists already - choose another place with --out")
    files = _files(model, back)
    with write_folder(folder) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        write_sums(temporary, Sums({name: (sum_of(files[name]),) for name in files}))


def read_model(folder: Path) -> StoredModel:
    """Return an exported model; its Python files are not executed.

    Raises:
        CheckpointError: a file is missing, damaged or of another format.
    """
    sealed, path = SealedFolder(folder), folder / MODEL
    about = as_object(path, _content(sealed, MODEL))
    if about.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: has format {about.get('format')}; this cilsim reads format {FORMAT}"
        )
    try:
        packed, stream = about["state"], stream_from(about["stream"])
        given = _input(about)
        label, seed = str(about["strategy"]["label"]), int(about["seed"])
        backbone = list(about["tensors"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, "it does not describe a model") from error
    state = unpack_state(tensors_from(_content(sealed, STATE)), packed)
    weights = tensors_from(_content(sealed, NETWORK))
    network = {name: weights[name] for name in backbone if name in weights} | state["buffers"]
    return StoredModel(
        where=str(folder),
        scenario=as_text(folder / SCENARIO, _content(sealed, SCENARIO)),
        strategy=label,
        seed=seed,
        stream=stream,
        input=given,
        state={**state, "model": {"backbone": network, "head": state["head"]}},
        own_weights=True,
    )


def _input(about: Mapping[str, Any]) -> InputFacts:
    shape, mean, std = (tuple(about["samples"][key]) for key in ("shape", "mean", "std"))
    encoder = row_encoder(about["input"]) if about["input"]["kind"] == TABLE else None
    return InputFacts(shape, mean, std, about["samples"]["crop"], encoder)


def _content(sealed: SealedFolder, name: str) -> bytes:
    content = sealed.read(name)
    if content is None:
        raise CheckpointError(f"{sealed.path / name}: is missing; the model is incomplete")
    return content


def _files(model: StoredModel, back: Revived) -> dict[str, bytes]:
    """Return the content of every file by name."""
    classifier, backbone = classifier_of(model, back), back.run.model.backbone
    name = back.scenario.backbone.name
    code, weights = network_code(backbone, model.input.network_shape, name)
    own = {name: _own(tensor) for name, tensor in backbone.state_dict().items()}
    stored = model_state(back.run)
    stored["head"] = stored.pop("model")["head"]
    stored["buffers"] = {name: own[name] for name in own if name not in weights}
    tensors, packed = pack_state(stored)
    files = {
        NETWORK: tensors_as_bytes(weights),
        CLASSIFIER: tensors_as_bytes({name: _own(one) for name, one in classifier.tensors.items()}),
        STATE: tensors_as_bytes(tensors),
        SCENARIO: model.scenario.encode(),
        "network.py": code.encode(),
        "load_plain.py": Path(__file__).with_name("load_plain.py").read_bytes(),
    }
    about = {
        **_about(model, back, classifier),
        "sha256": {name: sum_of(content) for name, content in files.items()},
        "tensors": sorted(own),
        "state": packed,
    }
    return {**files, MODEL: json_bytes(about)}


def _own(tensor: Tensor) -> Tensor:
    """Return a tensor with memory of its own, as safetensors wants it."""
    return tensor.detach().cpu().contiguous().clone()


def _about(model: StoredModel, back: Revived, classifier: PlainClassifier) -> dict[str, Any]:
    """Return what `model.json` says for its reader."""
    info, backbone, stream = back.run.info, back.scenario.backbone, model.stream
    given = model.input
    classes = zip(stream.class_ids, stream.class_names, strict=True)
    return {
        "format": FORMAT,
        "cilsim": __version__,
        "scenario": info.scenario,
        "strategy": {
            "label": info.strategy,
            "name": back.run.entry.name,
            "options": dict(info.options),
            "calibrators": list(info.calibrators),
        },
        "seed": info.seed,
        "classes": [{"name": name, "class_id": class_id} for class_id, name in classes],
        "input": given.described(),
        "backbone": {"name": backbone.name, "options": plain(backbone.options)},
        "classifier": {
            "kind": classifier.kind,
            "settings": dict(classifier.settings),
            "shapes": {name: list(one.shape) for name, one in classifier.tensors.items()},
        },
        "samples": {key: getattr(given, key) for key in SAMPLES},
        "stream": asdict(stream),
    }
