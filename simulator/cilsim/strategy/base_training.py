"""Training the base once: the same data, network, recipe and seed give the same weights.

A base is stored under a hash of everything that its weights depend on, so that strategies of one
file, and later commands, start from it instead of training it again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn

from cilsim.data.samples import Samples
from cilsim.errors import CilsimError
from cilsim.records import Scalars
from cilsim.results.cache import content_key
from cilsim.scenario.recipe import Recipe
from cilsim.strategy.model import Model
from cilsim.strategy.reported import scalar_data
from cilsim.strategy.selection import Accuracy, BestTestEpoch
from cilsim.strategy.strategy import Strategy, customises_training
from cilsim.strategy.trainer import Trainer
from cilsim.training.sampling import PLAIN, Sampling

RECIPE_VERSION = 2
"""Raised when a change of the training code changes the weights that a recipe gives."""

KIND = "base"

logger = logging.getLogger(__name__)


class Store(Protocol):
    """Content-addressed storage of states."""

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return the state under `key`, or None."""

    def put(self, kind: str, key: str, state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Keep a state."""

    def making(self, kind: str, key: str) -> AbstractContextManager[None]:
        """Return a block in which nobody else makes the state under `key`."""


class MemoryStore:
    """A store that lasts as long as the command."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], dict[str, Any]] = {}

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return the state under `key`, or None."""
        return self._states.get((kind, key))

    def put(self, kind: str, key: str, state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Keep a copy of a state."""
        self._states[kind, key] = _copied(state)

    def making(self, kind: str, key: str) -> AbstractContextManager[None]:
        """Return an empty block: nobody else has this store."""
        return nullcontext()


@dataclass
class BaseTraining:
    """Trains or reuses the base of one run.

    Attributes:
        facts: what the weights depend on besides strategy and samples: backbone, head, seed,
            threads, device, versions, plugins that change losses.
        store: where bases are kept.
        model: backbone and head.
        trainer: trains them.
        accuracy: measures the base on test data, to select an epoch by it; None for the last.
    """

    facts: Mapping[str, Any]
    store: Store
    model: Model
    trainer: Trainer
    accuracy: Accuracy | None = None

    def train(
        self,
        strategy: Strategy,
        samples: Samples,
        recipe: Recipe,
        modules: Mapping[str, nn.Module] | None = None,
        sampling: Sampling = PLAIN,
    ) -> None:
        """Train backbone, head and `modules` on the base, or load what equal training gave.

        Raises:
            CilsimError: an epoch is to be selected by the head, which is not what predicts.
        """
        modules = modules or {}
        if modules and self.accuracy is not None:
            raise CilsimError(
                f"evaluate.selection: 'best_test_epoch' measures backbone and head, strategy "
                f"'{self.trainer.run.strategy}' trains '{next(iter(modules))}' beside them; "
                "use 'last_epoch'"
            )
        key = content_key(self._everything(strategy, samples, recipe, sampling))
        if not self._reused(key, modules):
            with self.store.making(KIND, key):
                if not self._reused(key, modules):  # by another process, while this one waited
                    self._make(key, strategy, samples, recipe, modules, sampling)
        self.model.lasting = True

    def _make(
        self,
        key: str,
        strategy: Strategy,
        samples: Samples,
        recipe: Recipe,
        modules: Mapping[str, nn.Module],
        sampling: Sampling,
    ) -> None:
        before = self.trainer.step
        selection = None if self.accuracy is None else BestTestEpoch(self.accuracy)
        logged = self.trainer.fit(
            strategy, samples, recipe, modules, selection=selection, sampling=sampling
        )
        state = {
            "model": self.model.state_dict(),
            "modules": {name: module.state_dict() for name, module in modules.items()},
            "steps": self.trainer.step - before,
            "scalars": scalar_data(self.trainer.reported.scalars),
            "logged": logged,
            "trained_by": self._name(),
        }
        self.store.put(KIND, key, state, {"trained_by": self._name()})
        logger.info("base training: stored for reuse (%s)", key[:12])

    def _reused(self, key: str, modules: Mapping[str, nn.Module]) -> bool:
        stored = self.store.get(KIND, key)
        if stored is None:
            return False
        self.model.load_state_dict(stored["model"])
        for name, module in modules.items():
            module.load_state_dict(stored["modules"][name])
        for scalars in stored["scalars"]:
            self.trainer.emit(Scalars(scalars["values"], scalars["step"]))
        self.trainer.skip(stored["steps"], stored.get("logged", {}))
        logger.info("base training: reused from %s (%s)", stored["trained_by"], key[:12])
        return True

    def _name(self) -> str:
        run = self.trainer.run
        return f"{run.scenario}/{run.strategy}/seed-{run.seed}"

    def _everything(
        self, strategy: Strategy, samples: Samples, recipe: Recipe, sampling: Sampling
    ) -> dict[str, Any]:
        own = None
        if customises_training(strategy):
            own = [
                type(strategy).__module__,
                type(strategy).__qualname__,
                strategy.options.model_dump(mode="json"),
            ]
        return {
            **self.facts,
            "samples": samples.digest,
            "recipe": recipe.model_dump(mode="json"),
            "recipe_version": RECIPE_VERSION,
            "strategy": own,
            "sampling": sampling.facts(),
        }


def _copied(value: Any) -> Any:
    """Return nested data whose tensors are copies."""
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copied(inner) for inner in value]
    return value.clone() if hasattr(value, "clone") else value
