"""Options of SSRE; defaults are the released CIFAR-100 script."""

from typing import Annotated, Literal

from pydantic import Field

from cilsim import Options

Weight = Annotated[float, Field(ge=0.0, le=1e6)]


class SsreOptions(Options):
    """What is added to the cross-entropy, and how samples are told apart."""

    prototype_weight: Weight = 10.0
    """Weight of the cross-entropy on prototypes of old classes (released and paper, 10)."""
    distillation_weight: Weight = 1.0
    """Weight of the summed distances to the old backbone's features (released, 1; paper, 10)."""
    temperature: Annotated[float, Field(gt=0.0, le=1000.0)] = 0.1
    """Logits are divided by it in training (released, 0.1)."""
    selection: Literal["soft", "hard"] = "soft"
    """What the largest cosine s to an old prototype decides. `soft`: s weighs distillation, 1 - s
    classification (released code). `hard`: above `threshold` a sample is distilled, else
    classified (paper, section 3.3)."""
    threshold: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.8
    """Cosine from which `hard` distils (paper)."""
    detach_selection: bool = False
    """Take the weights as constants, as PyCIL does; in the released code gradients flow through
    them."""
    prototype_images: Literal["augmented", "plain"] = "augmented"
    """`augmented`: class means over training images as the recipe augments them (released code).
    `plain`: under the test transform (PyCIL)."""
