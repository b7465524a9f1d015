"""A stock strategy of Avalanche behind our strategy interface.

Axis letters: N samples, B batch, K classes seen.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from cilsim import Experience, Strategy
from cilsim.avalanche_bridge import StockChoice, StockRun
from cilsim.data.samples import Samples
from cilsim.errors import CilsimError, RunFailed
from cilsim.scenario.recipe import Recipe
from cilsim.strategy.strategy import bytes_of

logger = logging.getLogger(__name__)


class Avalanche(Strategy):
    """Runs a stock strategy on a copy of the run's backbone, below a classifier of its own.

    What a stock strategy holds cannot be stored without pickle. Stored is therefore which samples
    came in which experience: after an interruption the earlier experiences are run again from
    their seeds, and the weights must come out as they were.
    """

    scores_images = True

    def setup(self) -> None:
        """Build the network; the stock strategy is made with the first samples.

        Raises:
            CilsimError: a recipe asks for what Avalanche's loop does not have.
        """
        for recipe in (self.context.base_recipe, self.context.training_recipe):
            if recipe.precision == "fp16":
                raise CilsimError(
                    "strategy 'avalanche': precision 'fp16' needs a loss that is scaled, which "
                    "Avalanche's loop does not do; use 'bf16' or 'float32'"
                )
        self._positions: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._stored_fingerprint = ""
        self._start()

    def _start(self) -> None:
        options, stream = self.options, self.context.run.stream
        plugins = [(plugin.name, plugin.options) for plugin in options.plugins]
        self._run = StockRun(
            StockChoice(options.strategy, options.options, plugins, options.head),
            self.context.backbone,
            [len(experience.new_labels) for experience in stream.experiences],
            (self.context.run.seed,),
            self.context.device,
        )
        self._learnt = 0

    def learn(self, experience: Experience) -> None:
        """Let the stock strategy train on the labelled samples."""
        self._catch_up()
        samples = experience.labelled
        assert samples.labels is not None  # `labelled` never returns a part without labels
        self._positions.append(samples.index)
        self._labels.append(samples.labels.cpu())
        self._train(samples, self.context.experience_recipe, self.context.report_training)

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) what the stock strategy's own evaluation gives for normalised samples."""
        self._catch_up()
        return self._run.scores(x, self.context.seen_classes)

    @property
    def stock(self) -> Any:
        """The object of Avalanche's class, None before the first experience."""
        return self._run.stock

    def _train(self, samples: Samples, recipe: Recipe, report: Any) -> None:
        index = self._learnt
        before = [len(e.new_labels) for e in self.context.run.stream.experiences[: index + 1]]
        new = range(sum(before[:-1]), sum(before))
        self._run.learn(samples, new, recipe, report, index)
        self._learnt += 1

    def _catch_up(self) -> None:
        """Run again, from their seeds, the experiences that an earlier command has learnt.

        Raises:
            RunFailed: the weights are not those that it had.
        """
        if self._learnt == len(self._positions):
            return
        logger.info("avalanche: running experiences 0 to %d again", len(self._positions) - 1)
        for index in range(self._learnt, len(self._positions)):
            samples = self.context.recall(self._positions[index], self._labels[index])
            recipe = self.context.training_recipe if index else self.context.base_recipe
            self._train(samples, recipe, lambda values, steps: None)
        if self._run.fingerprint != self._stored_fingerprint:
            raise RunFailed(
                "strategy 'avalanche': running the earlier experiences again gave other weights "
                "than the interrupted run had - expected the same machine, threads and versions; "
                "remove the run folder to start over"
            )

    def state_dict(self) -> dict[str, Any]:
        """Return which samples came when, and what identifies the weights that they led to."""
        return {
            **super().state_dict(),
            "positions": list(self._positions),
            "labels": list(self._labels),
            "fingerprint": self._run.fingerprint if self._learnt else self._stored_fingerprint,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what came when; the experiences are run again once they are needed."""
        super().load_state_dict(state)
        self._positions = [positions.cpu() for positions in state["positions"]]
        self._labels = [labels.cpu() for labels in state["labels"]]
        self._stored_fingerprint = state["fingerprint"]
        self._start()

    def kept(self) -> Mapping[str, int]:
        """Return the bytes that the stock strategy keeps, and of the positions for a resume."""
        positions = sum(map(bytes_of, (*self._positions, *self._labels)))
        if self._learnt != len(self._positions):
            return {"positions": positions}
        return {**self._run.bytes_kept(), "positions": positions}
