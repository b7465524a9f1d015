"""The calibrators of a scenario as one plugin, applied in the order of its list.

Axis letters: B batch, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from torch import Tensor

from cilsim.hookspecs import hookimpl
from cilsim.prototypes.table import PrototypeTable
from cilsim.records import ExperienceInfo
from cilsim.strategy import Calibrator


class CalibratorChain:
    """Calls each calibrator in turn; pluggy alone would call the last registered first."""

    def __init__(self, calibrators: Sequence[Calibrator]) -> None:
        self._calibrators = tuple(calibrators)

    @hookimpl(tryfirst=True)
    def cilsim_calibrate_prototypes(
        self, experience: ExperienceInfo, prototypes: PrototypeTable
    ) -> None:
        """Let each calibrator change what the one before it left."""
        for calibrator in self._calibrators:
            calibrator.calibrate(prototypes, experience)

    @hookimpl(wrapper=True)
    def cilsim_scores(self, features: Tensor) -> Generator[None, Tensor, Tensor]:
        """Let each calibrator adjust the scores of the strategy."""
        scores_BK = yield
        for calibrator in self._calibrators:
            scores_BK = calibrator.adjust_scores(features, scores_BK)
        return scores_BK
