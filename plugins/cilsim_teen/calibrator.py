"""TEEN as a calibrator over any strategy that keeps prototypes."""

from __future__ import annotations

from cilsim import Calibrator
from cilsim.prototypes.table import PrototypeTable
from cilsim.records import ExperienceInfo
from cilsim_teen.calibration import calibrate


class TeenCalibrator(Calibrator):
    """Replaces the new rows of a strategy's prototypes by calibrated ones, once, on arrival."""

    def calibrate(self, prototypes: PrototypeTable, experience: ExperienceInfo) -> None:
        """Calibrate the rows of the new classes; base classes stay as they are."""
        if experience.index == 0:
            return
        calibrated = calibrate(
            prototypes.vectors[list(experience.new_labels)],
            prototypes.vectors[: prototypes.base_classes],
            calibration_weight=self.options.calibration_weight,
            similarity_scale=self.options.similarity_scale,
        )
        prototypes.update(experience.new_labels, calibrated, by=self.name)
