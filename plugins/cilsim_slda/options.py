"""Options of SLDA."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cilsim import Options


class SldaOptions(Options):
    """How the covariance is found and inverted."""

    covariance: Literal["plastic", "fixed"] = "plastic"
    """`plastic`: every sample updates it (`streaming_update_sigma=True`, the released default).
    `fixed`: it stays what the base phase gave."""
    base_phase: bool = True
    """Start from the statistics of experience 0, with the covariance shrunk by OAS (released
    `fit_base`). False streams experience 0 too, sample by sample, as if nothing were known."""
    shrinkage: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-4
    """Weight of the identity in the matrix that is inverted (released `shrinkage_param=1e-4`)."""
    stream_order: Literal["shuffled", "as_stored"] = "shuffled"
    """Order in which an experience's samples stream past; the covariance depends on it. `shuffled`
    draws it from the seed, `as_stored` takes the order of the data set."""

    @model_validator(mode="after")
    def _fixed_needs_a_base(self) -> "SldaOptions":
        if self.covariance == "fixed" and not self.base_phase:
            raise ValueError(
                "covariance 'fixed' without a base phase is never estimated; "
                "set base_phase: true or covariance: plastic"
            )
        return self
