"""What iCaRL cannot do, said before anything is trained."""

from __future__ import annotations

from cilsim.data.samples import Samples
from cilsim.errors import CilsimError, DataError
from cilsim.records import StreamInfo
from cilsim_icarl.options import IcarlOptions


def refuse_stream(options: IcarlOptions, stream: StreamInfo) -> None:
    """Raise a `CilsimError` if the stream is not one that the options can serve.

    That is if the memory has no place for an exemplar of each class, or if a later experience
    brings no new class, whose labels are all that loss `bce` learns.
    """
    classes = sum(len(experience.new_labels) for experience in stream.experiences)
    if not options.exemplars_per_class(classes):
        raise CilsimError(
            f"strategy 'icarl': memory {options.memory} has no exemplar for each of the stream's "
            f"{classes} classes; expected at least {classes}"
        )
    for experience in stream.experiences[1:]:
        if options.loss == "bce" and not experience.new_labels:
            raise CilsimError(
                f"strategy 'icarl': experience {experience.index} has no new class, and loss "
                "'bce' learns labels of new classes alone; use 'loss: kd'"
            )


def refuse_features(options: IcarlOptions, samples: Samples) -> None:
    """Raise a `DataError` if features are to be mirrored."""
    if options.mirror and options.classifier == "nme" and samples.are_features:
        shape = tuple(samples.x.shape[1:])
        raise DataError(
            f"strategy 'icarl' mirrors images, the data set gives features of shape {shape}; "
            "use 'mirror: false'"
        )
