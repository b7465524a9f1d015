"""The pictures after each experience, drawn fast because frames are drawn once per run."""

from __future__ import annotations

from functools import lru_cache

from cilsim.records import Evaluation, StreamInfo
from cilsim.report.canvas import RgbArray, Stage
from cilsim.report.figures import curves_frame, fill_curves
from cilsim.report.matrices import (
    ACCURACY,
    FORGETTING,
    confusion_frame,
    experience_frame,
    fill_cells,
    fill_confusion,
    forgetting,
)


class Pictures:
    """Matrices and forgetting curves of one run."""

    def __init__(self, stream: StreamInfo) -> None:
        count = len(stream.experiences)
        self._stream = stream
        self._accuracy = Stage(experience_frame(count, ACCURACY))
        self._forgetting = Stage(experience_frame(count, FORGETTING))
        self._confusion = Stage(confusion_frame(stream))
        self._curves = Stage(curves_frame(count))

    def draw(self, evaluation: Evaluation) -> dict[str, RgbArray]:
        """Return the pictures after an experience by tag, each (H, W, 3) uint8."""
        matrix_TT = evaluation.accuracy_matrix
        lost_TT = forgetting(matrix_TT)
        after = f"after experience {evaluation.experience}"
        return {
            "matrix/accuracy": self._accuracy.picture(
                lambda axes: fill_cells(axes, matrix_TT, ACCURACY, f"accuracy matrix {after}")
            ),
            "matrix/forgetting": self._forgetting.picture(
                lambda axes: fill_cells(axes, lost_TT, FORGETTING, f"forgetting matrix {after}")
            ),
            "matrix/confusion": self._confusion.picture(
                lambda axes: fill_confusion(
                    axes, evaluation.confusion, self._stream, f"confusion matrix {after}"
                )
            ),
            "figures/forgetting_curves": self._curves.picture(
                lambda axes: fill_curves(axes, matrix_TT, f"forgetting curves {after}")
            ),
        }


@lru_cache(maxsize=1)
def pictures_of(stream: StreamInfo) -> Pictures:
    """Return the pictures for a stream; the frames are shared by its strategies."""
    return Pictures(stream)
