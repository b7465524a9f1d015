"""Options of TEEN; the names say what the paper's symbols leave open."""

from typing import Annotated

from pydantic import Field

from cilsim import Options


class TeenOptions(Options):
    """How strongly, and by which base classes, new prototypes are calibrated."""

    calibration_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """Weight of the mixture of BASE prototypes; the new prototype has 1 minus this. The released
    code's `shift_weight` (CIFAR-100: 0.1, miniImageNet and CUB-200: 0.5); the paper's alpha is 1
    minus this."""
    similarity_scale: Annotated[float, Field(ge=0.0)] = 16.0
    """Factor on the cosine before the softmax over base classes (released `softmax_t`, 16 on all
    data sets). A factor, not a divisor: 0 mixes all base classes equally."""
