"""TEEN as a calibrator over any strategy that keeps prototypes."""

from __future__ import annotations

from cilsim import Calibrator
from cilsim.prototypes.rows import with_lengths
from cilsim.prototypes.table import PrototypeTable
from cilsim.records import ExperienceInfo
from cilsim_teen.calibration import calibrate


class TeenCalibrator(Calibrator):
    """Turns the new rows of a strategy's prototypes, once, on arrival; their lengths stay.

    TEEN's own rows have norm at most 1 beside raw base means, which is all the same to a cosine
    classifier. Keeping the length makes the calibrated rows fit for classifiers that use it, such
    as Euclidean distance, FeTrIL's translation or a Gaussian model.
    """

    def calibrate(self, prototypes: PrototypeTable, experience: ExperienceInfo) -> None:
        """Calibrate the rows of the new classes; base classes stay as they are."""
        if experience.index == 0:
            return
        vectors_KD = prototypes.vectors
        new_KD = vectors_KD[list(experience.new_labels)]
        calibrated_KD = calibrate(
            new_KD,
            vectors_KD[: prototypes.base_classes],
            calibration_weight=self.options.calibration_weight,
            similarity_scale=self.options.similarity_scale,
        )
        rows_KD = with_lengths(calibrated_KD, new_KD.norm(dim=1))
        prototypes.update(experience.new_labels, rows_KD, by=self.name)
