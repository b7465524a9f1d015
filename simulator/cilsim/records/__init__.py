"""Read-only records that travel through hooks, reports and result files. No tensors, no torch.

Plugins see them: a field, an entry of a mapping or an element of an array cannot be set.
"""

from cilsim.records.arrays import FloatArray, IntArray
from cilsim.records.evaluation import Evaluation, Predictions
from cilsim.records.run import RunInfo, RunResult, Scalars
from cilsim.records.stream import ExperienceInfo, StreamInfo

__all__ = [
    "Evaluation",
    "ExperienceInfo",
    "FloatArray",
    "IntArray",
    "Predictions",
    "RunInfo",
    "RunResult",
    "Scalars",
    "StreamInfo",
]
