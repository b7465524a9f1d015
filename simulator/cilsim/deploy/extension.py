"""One more class for a finished model, from a few samples and without training its network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np

from cilsim.deploy.revival import Revived, Samples, model_state, revived
from cilsim.deploy.stored_model import StoredModel
from cilsim.errors import CilsimError, DataError
from cilsim.plugins import Plugins
from cilsim.records import ExperienceInfo, StreamInfo
from cilsim.strategy.plain_classifier import adds_classes_without_training


@contextmanager
def extended(
    model: StoredModel, plugins: Plugins, name: str, x: Any, device: str = "cpu"
) -> Iterator[tuple[StoredModel, Revived]]:
    """Yield the model with one more class, and its run that has just learnt it.

    The class is the next experience of the stream: strategy, calibrators and hooks do with it what
    they do in a run, with the random numbers of that experience.

    Args:
        model: what is there; it stays as it is.
        plugins: what is installed.
        name: of the new class.
        x: (N, C, side, side) uint8 images or (N, D) float32 features of it.
        device: as for `RunRequest`.

    Raises:
        CilsimError: the strategy would have to train its network, or cannot learn these samples.
        DataError: the class is there already, or has no samples.
    """
    _refuse(model, name, x)
    samples = Samples(x, sha256(np.ascontiguousarray(x).data).hexdigest())
    longer = replace(model, stream=_with_class(model.stream, name, samples))
    with revived(longer, plugins, samples, device) as back:
        run = back.run
        if not adds_classes_without_training(run.strategy):
            raise CilsimError(
                f"{model.where}: strategy '{run.entry.name}' trains its network for every class - "
                "expected one that can do without, such as nmc or teen; or run a scenario with "
                "the class in its data"
            )
        info = longer.stream.experiences[-1]
        experience = run.materials.experience(info.index, run.context.seen_classes)
        run.learn(info, experience)
        yield replace(longer, state=model_state(run), own_weights=True), back


def _refuse(model: StoredModel, name: str, x: Sequence[Any]) -> None:
    if not name.strip() or not name.isprintable():
        raise DataError(f"--class '{name}': expected a name that can be printed")
    if name in model.stream.class_names:
        raise DataError(f"--class '{name}': the model knows this class - expected a new name")
    if not len(x):
        raise DataError(f"--class '{name}': none of the files is an image - expected at least one")


def _with_class(stream: StreamInfo, name: str, samples: Samples) -> StreamInfo:
    label, last = len(stream.class_ids), stream.experiences[-1]
    added = ExperienceInfo(
        index=last.index + 1,
        name=f"class {name}",
        new_labels=(label,),
        seen=label + 1,
        labelled=len(samples.x),
        unlabelled=0,
        test=0,
    )
    return replace(
        stream,
        experiences=(*stream.experiences, added),
        class_ids=(*stream.class_ids, max(stream.class_ids) + 1),
        class_names=(*stream.class_names, name),
        digest=sha256(f"{stream.digest} {samples.digest}".encode()).hexdigest(),
    )
