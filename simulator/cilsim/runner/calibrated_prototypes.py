"""The prototypes of a strategy, offered to calibrators after each experience.

Axis letters: K classes told apart, J classes told apart before, D features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cilsim.prototypes.drift import prototype_diagnostics
from cilsim.prototypes.rows import raw_rows
from cilsim.prototypes.table import PrototypeTable
from cilsim.records import ExperienceInfo, RunInfo
from cilsim.registry import Entry
from cilsim.runner import returned
from cilsim.runner.guard import Guard
from cilsim.runner.guarded_strategy import method_of
from cilsim.strategy import Strategy


@dataclass
class CalibratedPrototypes:
    """Remembers class means as they were before any calibration.

    Attributes:
        info: facts about the run.
        hook: hook callers of the run's plugin manager.
        strategy: whose prototypes.
        entry: of the strategy.
        guard: of the run.
        raw: (K, D) the means before calibration, or None.
    """

    info: RunInfo
    hook: Any
    strategy: Strategy
    entry: Entry
    guard: Guard
    raw: Tensor | None = None
    _before: Tensor | None = None

    def calibrate(self, experience: ExperienceInfo, old_classes: int) -> dict[str, float | Tensor]:
        """Let calibrators change the strategy's prototypes and return what can be said of them.

        Args:
            experience: the one just learnt.
            old_classes: how many classes were told apart before it.

        Raises:
            RunFailed: there is not one usable prototype for each class.
        """
        rows_KD = self.strategy.prototypes
        if rows_KD is None:
            return {}
        known = self.strategy.context.seen_classes
        complaint = returned.prototypes(rows_KD, known, self.strategy.context.device)
        if complaint:
            what = method_of("learn", self.entry)
            raise self.guard.failure(self.entry.owner, what, complaint)
        table = PrototypeTable(
            rows_KD,
            raw_rows(rows_KD, self.raw, self._before),
            base_classes=self.strategy.context.base_classes,
            new=range(old_classes, known),
        )
        self.hook.cilsim_calibrate_prototypes(
            run=self.info, experience=experience, prototypes=table
        )
        diagnostics = prototype_diagnostics(table, self._before)
        self.strategy.prototypes = table.vectors
        self.raw = table.raw
        return dict(diagnostics)

    def settle(self) -> None:
        """Note the prototypes as they are at the end of an experience."""
        self._before = self.strategy.prototypes

    def restore(self, raw: Tensor | None) -> None:
        """Take over the raw means of a restored run whose strategy is restored already."""
        self.raw = raw
        self.settle()
