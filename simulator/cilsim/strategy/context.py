"""The services of the engine that a strategy works with.

Axis letters: N samples, D features, K classes.
"""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from cilsim.strategy.context_parts import ContextParts
from cilsim.strategy.experience import Experience
from cilsim.strategy.training_services import TrainingServices
from cilsim.training.head import Head
from cilsim.training.modes import set_layout


class Context(TrainingServices):
    """What a strategy can ask for. Test samples, future classes and hidden labels are not here.

    Attributes:
        run: facts about the run.
        base_recipe: the scenario's `base_training`.
        training_recipe: the scenario's `training`, for experiences after the base.
        device: where tensors live.
        base_classes: number of labelled classes of experience 0.
        seen_classes: number of classes told apart, those of the current experience included; the
            novel ones among these count once `novel_classes` was asked for.
        experience_index: the current experience.
    """

    def __init__(self, parts: ContextParts) -> None:
        super().__init__(parts)
        self.device = parts.device
        self.base_classes = len(parts.run.stream.base_labels)
        self.seen_classes = 0
        self._counter = parts.counter

    # ---------------------------------------------------------------- network

    @property
    def backbone(self) -> nn.Module:
        """Normalised samples (B, ...) to features (B, D)."""
        return self._model.backbone

    @property
    def head(self) -> Head:
        """Features (B, D) to logits (B, K) over the classes seen."""
        return self._model.head

    def old_model(self) -> tuple[nn.Module, nn.Module]:
        """Return frozen copies of backbone and head as they are now, in evaluation mode.

        The copies are yours to keep; report their bytes in `kept`.
        """
        copies = copy.deepcopy((self._model.backbone, self._model.head))
        # rounding depends on the layout, which a restored model need not share with a trained one
        set_layout(copies, self.experience_recipe.channels_last)
        for module in copies:
            module.requires_grad_(False).eval()
        return copies

    def reset_model(self) -> None:
        """Start backbone and head afresh, with the head open for all classes seen."""
        generator = self.generator("reset")
        self._model.reset(generator)
        self._model.head.open(self.seen_classes, generator)

    # -------------------------------------------------------------- discovery

    def novel_classes(self, experience: Experience) -> int:
        """Return how many novel classes to make of an experience, and open the head for them.

        That is what the scenario's `number_of_classes` tells, or an estimate from the features of
        the backbone as it is at the first call in an experience; later calls repeat the answer.
        """
        if experience.unlabelled is None:
            return 0
        if not self._counter.asked:
            number = self._counter.number(self, experience)
            self._model.head.open(number, self.generator("novel head"))
            self.seen_classes += number
        return self._counter.answer

    @property
    def discovered(self) -> int:
        """How many novel classes the strategy made of the current experience, so far."""
        return self._counter.answer

    # ------------------------------------------------------------- the engine

    def bind(self, strategy: Any) -> None:
        """Used by the engine: say which strategy this context serves."""
        self._strategy = strategy

    def begin_experience(self, experience: Experience) -> None:
        """Used by the engine: move on to an experience and open the head for its classes."""
        self.experience_index = experience.index
        self.seen_classes = experience.seen_classes
        self._counter.begin()
        self._trainer.begin_experience(experience.index)
        self._model.head.open(experience.new_classes, self.generator("head"))

    def take_logged(self) -> dict[str, float]:
        """Used by the engine: return what was logged since the last call."""
        logged = {name: float(value) for name, value in self._trainer.reported.logged.items()}
        self._trainer.reported.logged = {}
        return logged
