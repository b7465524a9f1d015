"""Options of TEEN; the names say what the paper's symbols leave open."""

from typing import Annotated, Literal

from pydantic import Field

from cilsim import Options


class TeenCalibratorOptions(Options):
    """How strongly, and by which base classes, new prototypes are calibrated."""

    calibration_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """Weight of the mixture of BASE prototypes; the new prototype has 1 minus this. The released
    code's `shift_weight` (CIFAR-100: 0.1, miniImageNet and CUB-200: 0.5); the paper's alpha is 1
    minus this."""
    similarity_scale: Annotated[float, Field(ge=0.0)] = 16.0
    """Factor on the cosine before the softmax over base classes (released `softmax_t`, 16 on all
    data sets). A factor, not a divisor: 0 mixes all base classes equally."""


class TeenOptions(TeenCalibratorOptions):
    """The same, and a way to choose the weight without test data."""

    weight_rule: Literal["given", "held_out_base"] = "given"
    """Where the weight comes from: `calibration_weight`, or base classes held out as if they were
    new; then `calibration_weight` is not used, unless there is one base class only. Not in the
    paper."""
    held_out_shots: Annotated[int, Field(ge=1)] = 5
    """Samples of each held-out class that make its prototype; the shots of the stream."""
