"""Making a stock strategy: the class by name, and the arguments that each class wants."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from avalanche.models import MlpVAE, SCRModel
from avalanche.models.generator import VAE_loss
from avalanche.training.plugins import EvaluationPlugin, GenerativeReplayPlugin
from avalanche.training.supervised import VAETraining
from torch import nn

from cilsim.avalanche_bridge.network import Features
from cilsim.errors import CilsimError, in_one_line
from cilsim.naming import did_you_mean

HOMES = ("avalanche.training.supervised", "avalanche.training.plugins")
"""Where strategies and plugins are looked for, in this order."""


@dataclass(frozen=True)
class Parts:
    """What stock strategies are made of.

    Attributes:
        network: features and classifier.
        features: the backbone alone.
        optimiser: over the network's parameters.
        criterion: cross-entropy.
        classes: outputs of the classifier at its final width.
        sample_shape: of one normalised sample.
        batch_size: of training; the batches of evaluations are given.
        device: where the network is.
    """

    network: nn.Module
    features: Features
    optimiser: torch.optim.Optimizer
    criterion: nn.Module
    classes: int
    sample_shape: tuple[int, ...]
    batch_size: int
    device: torch.device


def find_class(name: str, home: str) -> Any:
    """Return a class of `home` by its name, or of any module by `package.module:Class`.

    Raises:
        CilsimError: there is none.
    """
    module_name, _, attribute = name.rpartition(":")
    module_name = module_name or home
    try:
        return getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise CilsimError(
            f"strategy 'avalanche': '{name}' cannot be imported: {in_one_line(error)} - expected "
            f"the name of a class in {home}, or package.module:Class"
        ) from error


def make_plugin(name: str, options: Mapping[str, Any]) -> Any:
    """Return an Avalanche plugin.

    Raises:
        CilsimError: there is none of that name, or it does not take the options.
    """
    return _called(find_class(name, HOMES[1]), name, options, {})


def make_stock(name: str, options: Mapping[str, Any], plugins: Sequence[Any], parts: Parts) -> Any:
    """Return a stock strategy.

    Args:
        name: a class of `avalanche.training.supervised`, or `package.module:Class`.
        options: keyword arguments of its own.
        plugins: Avalanche plugins to add.
        parts: what it is made of.

    Raises:
        CilsimError: there is none of that name, or it does not take the options.
    """
    kind = find_class(name, HOMES[0])
    given: dict[str, Any] = {
        "model": parts.network,
        "optimizer": parts.optimiser,
        "criterion": parts.criterion,
        "train_mb_size": parts.batch_size,
        "device": parts.device,
        "plugins": list(plugins),
        "evaluator": EvaluationPlugin(),
    }
    if name in OWN_LOSS:
        del given["criterion"]
    special = SPECIAL.get(name)
    return _called(kind, name, options, {**given, **(special(parts, options) if special else {})})


def _called(kind: Any, name: str, options: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Call a class with the user's options and whatever else of `given` it takes."""
    parameters = inspect.signature(kind).parameters
    known = [key for key, one in parameters.items() if one.kind is not one.VAR_KEYWORD]
    own = sorted(set(known) - set(given))
    for key in options:
        if key not in own:
            raise CilsimError(
                f"strategy 'avalanche': {name} has no option '{key}'{did_you_mean(key, own)}"
            )
    arguments = {key: value for key, value in given.items() if key in known}
    try:
        return kind(**{**arguments, **options})
    except (TypeError, ValueError, AssertionError) as error:
        raise CilsimError(
            f"strategy 'avalanche': {name} cannot be made with {dict(options)}: "
            f"{in_one_line(error)}"
        ) from error


Special = Callable[[Parts, Mapping[str, Any]], dict[str, Any]]


def _icarl(parts: Parts, _: Mapping[str, Any]) -> dict[str, Any]:
    # a default of None would fail where exemplars are read
    classifier = nn.Linear(parts.features.feature_size, parts.classes).to(parts.device)
    return {
        "feature_extractor": parts.features,
        "classifier": classifier,
        "buffer_transform": None,
    }


def _slda(parts: Parts, _: Mapping[str, Any]) -> dict[str, Any]:
    size = parts.features.feature_size
    return {
        "slda_model": parts.features, "input_size": size, "num_classes": parts.classes,
        "output_layer_name": None,
    }  # fmt: skip


def _scr(parts: Parts, _: Mapping[str, Any]) -> dict[str, Any]:
    size = parts.features.feature_size
    projection = nn.Sequential(nn.Linear(size, size), nn.ReLU(inplace=True), nn.Linear(size, 128))
    return {"model": SCRModel(parts.features, projection).to(parts.device)}


def _generative(parts: Parts, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a variational autoencoder for the samples' shape; the default one is for MNIST."""
    vae = MlpVAE(parts.sample_shape, nhid=2, device=parts.device)
    plugin = GenerativeReplayPlugin(
        replay_size=options.get("replay_size"),
        increasing_replay_size=options.get("increasing_replay_size", False),
    )
    generator = VAETraining(
        model=vae,
        optimizer=torch.optim.Adam(vae.parameters(), lr=0.01, weight_decay=0.0001),
        criterion=VAE_loss,
        train_mb_size=parts.batch_size,
        device=parts.device,
        plugins=[plugin],
        evaluator=EvaluationPlugin(),
    )
    return {"generator_strategy": generator}


SPECIAL: Mapping[str, Special] = {
    "CWRStar": lambda parts, options: {"cwr_layer_name": "classifier"},
    "CoPE": lambda parts, options: {"n_classes": parts.classes, "p_size": parts.classes},
    "ER_AML": lambda parts, options: {"feature_extractor": parts.features},
    "FeatureReplay": lambda parts, options: {"last_layer_name": "classifier"},
    "GSS_greedy": lambda parts, options: {"input_size": list(parts.sample_shape)},
    "GenerativeReplay": _generative,
    "ICaRL": _icarl,
    "SCR": _scr,
    "StreamingLDA": _slda,
}
"""Arguments that follow from the run, for strategies that want more than model and optimiser."""

ONE_PASS = frozenset({"StreamingLDA"})
"""Strategies that would count a sample again in each further epoch."""

OWN_LOSS = frozenset({"FeatureReplay"})
"""Strategies whose default loss is not a plain cross-entropy, and is part of the method."""
