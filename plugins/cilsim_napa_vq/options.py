"""Options of NAPA-VQ; defaults are the released CIFAR-100 script."""

from typing import Annotated, Literal

from pydantic import Field

from cilsim import Options
from cilsim.scenario.recipe import Recipe

Weight = Annotated[float, Field(ge=0.0, le=1e6)]
Rate = Annotated[float, Field(gt=0.0, le=1000.0)]


class NapaVqOptions(Options):
    """Losses, the graph over the code vectors, and how they are trained."""

    prototype_weight: Weight = 10.0
    """Weight of the cross-entropy on prototypes of old classes (released, 10)."""
    distillation_weight: Weight = 10.0
    """Weight of the distance to the old backbone's features (released, 10). The distance is the
    norm over the whole batch, so it grows with the root of the batch size (64)."""
    temperature: Annotated[float, Field(gt=0.0, le=1000.0)] = 0.1
    """Distances to the code vectors are divided by it before the softmax (released, 0.1)."""
    codebook_lr_base: Rate = 5.0
    """Learning rate of the code vectors in experience 0: plain SGD (released, 5)."""
    codebook_lr: Rate = 0.5
    """Learning rate of the code vectors in later experiences (released, 0.5)."""
    codebook_decay_epochs: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Their learning rate is divided by ten every so many epochs (released, 20)."""
    neighbours: Annotated[int, Field(ge=1, le=10_000)] = 15
    """Nearest code vectors that an edge leads to (released, hard coded on all data sets: 15)."""
    edge_decay: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.9
    """Factor on an edge for each time its winner won without it (released, hard coded: 0.9)."""
    edge_lifetime: Annotated[int, Field(ge=1, le=10_000)] = 10
    """An edge weaker than `edge_decay` to this power is removed (released, hard coded: 10)."""
    neighbour_softness: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.001
    """Factor on squared distances in the softmax that weighs neighbours (released: 0.001)."""
    neighbour_choice: Literal["intended", "without_self", "numpy_1_23"] = "intended"
    """Whom a prototype is mixed with. `intended`: for each item a neighbour of its code vector,
    itself included (released code under numpy below 1.23). `without_self`: itself only where it
    has no other. `numpy_1_23`: what the same lines do under newer numpy, one row number of the
    batch for all items; a bug, for comparison only."""
    rotations: Literal[1, 4] = 4
    """4: every image in four rotations, each a class of its own (released code). 1: no rotations,
    for samples that are not square images."""
    prototype_images: Literal["augmented", "plain"] = "augmented"
    """Whether prototypes are means over training images as the recipe augments them (released
    code) or under the test transform."""

    def codebook_recipe(self, experience: int, epochs: int) -> Recipe:
        """Return how code vectors are trained: any momentum or decay would move old ones."""
        milestones = tuple(range(self.codebook_decay_epochs, epochs, self.codebook_decay_epochs))
        return Recipe(
            epochs=epochs,
            optimizer="sgd",
            lr=self.codebook_lr if experience else self.codebook_lr_base,
            momentum=0.0,
            weight_decay=0.0,
            schedule="step" if milestones else "constant",
            milestones=milestones,
        )
