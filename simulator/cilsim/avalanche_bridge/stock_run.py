"""A stock strategy on our samples: it learns experience after experience and is asked for scores.

Axis letters: B batch, K classes.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.avalanche_bridge.answers import answer
from cilsim.avalanche_bridge.endless import no_endless_loop
from cilsim.avalanche_bridge.experience import StockExperience, stock_dataset
from cilsim.avalanche_bridge.ledger import bytes_kept
from cilsim.avalanche_bridge.network import (
    Features,
    StockNetwork,
    fingerprint,
    stock_network,
)
from cilsim.avalanche_bridge.randomness import own_randomness
from cilsim.avalanche_bridge.stepping import RecipeSteps, Report
from cilsim.avalanche_bridge.stock import ONE_PASS, Parts, make_plugin, make_stock
from cilsim.data.samples import Samples
from cilsim.scenario.recipe import Recipe
from cilsim.training.modes import set_layout
from cilsim.training.optimisers import build_optimiser, trainable

LABEL_BYTES = 8
"""Size of a stored label."""


@dataclass(frozen=True)
class StockChoice:
    """What a scenario says of a stock strategy.

    Attributes:
        name: its class.
        options: keyword arguments of its own.
        plugins: (name, options) of Avalanche plugins to add.
        head: a name in `cilsim.avalanche_bridge.network.HEADS`.
    """

    name: str
    options: Mapping[str, Any]
    plugins: Sequence[tuple[str, Mapping[str, Any]]]
    head: str


class StockRun:
    """One stock strategy from its start to wherever it is.

    Args:
        choice: which strategy.
        backbone: untrained or pretrained; a copy is trained, with `feature_size` D.
        sizes: number of new classes of each experience of the stream.
        seed_path: where in the run everything is drawn; equal paths give equal weights.
        device: where to train.
        eval_batch_size: samples per batch where a strategy evaluates within its training.
    """

    def __init__(
        self,
        choice: StockChoice,
        backbone: Any,
        sizes: Sequence[int],
        seed_path: tuple[int | str, ...],
        device: torch.device,
        eval_batch_size: int = 128,
    ) -> None:
        self._choice, self._sizes = choice, list(sizes)
        self._seed_path, self._device = seed_path, device
        self._eval_batch_size = eval_batch_size
        self._criterion = nn.CrossEntropyLoss()
        with self._undisturbed("network"):
            trunk = copy.deepcopy(backbone)
            set_layout([trunk], channels_last=False)  # AGEM and others take views of gradients
            self._features = Features(trunk, backbone.feature_size)
            network = stock_network(choice.head, self._features, sum(sizes))
            self._network = network.to(device)
        if isinstance(network, StockNetwork):
            network.exposes_features = any("FeatureDist" in name for name, _ in choice.plugins)
        self._experience: StockExperience | None = None
        self._sample_bytes = 0
        self.stock: Any = None

    def learn(
        self, samples: Samples, new: range, recipe: Recipe, report: Report, index: int
    ) -> None:
        """Let the strategy train on one experience.

        Args:
            samples: labelled.
            new: labels that appear here.
            recipe: epochs, batch size, optimiser, learning rate and so on.
            report: receives the scalars of each epoch.
            index: of the experience.
        """
        with self._undisturbed("learn", index), torch.inference_mode(False), torch.enable_grad():
            dataset = stock_dataset(samples, recipe.augmentation)
            old = range(new.start)
            self._experience = StockExperience(index, dataset, new, old, self._sizes)
            self._sample_bytes = samples.x[:1].nbytes + LABEL_BYTES
            if self.stock is None:
                self.stock = self._made(samples, recipe)
            self._prepare(recipe)
            steps = RecipeSteps(recipe, report)
            self.stock.plugins.append(steps)
            with no_endless_loop(self._choice.name):
                self.stock.train(self._experience, eval_streams=[], num_workers=0)
            self.stock.plugins.remove(steps)

    def scores(self, x: Tensor, classes: int) -> Tensor:
        """Return (B, K) scores of the first `classes` labels; draws and changes nothing."""
        with self._undisturbed("scores"):
            self._features.precision = "float32"
            return answer(self.stock, x, self._experience, classes)

    def bytes_kept(self) -> dict[str, int]:
        """Return the bytes that the strategy keeps between experiences, by kind."""
        return bytes_kept(self.stock, self._sample_bytes)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 over all tensors of the network."""
        return fingerprint(self.stock.model)

    def _made(self, samples: Samples, recipe: Recipe) -> Any:
        plugins = [make_plugin(name, options) for name, options in self._choice.plugins]
        sample_shape = tuple(stock_dataset(samples, recipe.augmentation).eval()[0][0].shape)
        parts = Parts(
            self._network, self._features, self._optimiser(self._network, recipe),
            self._criterion, sum(self._sizes), sample_shape, recipe.batch_size, self._device,
        )  # fmt: skip
        return make_stock(self._choice.name, self._choice.options, plugins, parts)

    def _prepare(self, recipe: Recipe) -> None:
        """Set what the recipe of this experience says; momenta begin anew, as in our own loop."""
        self._criterion.label_smoothing = recipe.label_smoothing
        self._features.precision = recipe.precision
        stock = self.stock
        stock.train_mb_size, stock.eval_mb_size = recipe.batch_size, self._eval_batch_size
        stock.train_epochs = (
            min(recipe.epochs, 1) if self._choice.name in ONE_PASS else recipe.epochs
        )
        if stock.optimizer is not None:
            stock.optimizer = self._optimiser(stock.model, recipe)
            stock.optimized_param_id = None

    def _optimiser(self, network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
        return build_optimiser(recipe, [{"params": trainable([network])}])

    @contextmanager
    def _undisturbed(self, *place: int | str) -> Iterator[None]:
        """Own random numbers, and none of the warnings that Avalanche gives in ordinary use."""
        with warnings.catch_warnings(record=True):  # its deprecations undo any filter
            warnings.simplefilter("ignore")
            with own_randomness(self._device, *self._seed_path, "avalanche", *place):
                yield
