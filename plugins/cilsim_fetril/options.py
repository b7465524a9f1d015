"""Options of FeTrIL."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cilsim import Options


class FetrilOptions(Options):
    """Where pseudo-features come from, and what is trained on them."""

    source: Literal["euclidean", "cosine", "random"] = "euclidean"
    """Which new class lends its features to an old one: the nearest mean by Euclidean distance
    (released code), the most similar mean by cosine (paper, section 3.2; PyCIL), or samples drawn
    from all new classes (FeTrIL^rand, table 3)."""
    rank: Annotated[int, Field(ge=1)] = 1
    """k of FeTrIL^k (table 3): take the k-th most similar new class, the least similar one where
    there are fewer than k."""
    classifier: Literal["linear_svm", "linear"] = "linear_svm"
    """`linear_svm`: one-vs-rest squared-hinge SVM (released code, the paper's main rows).
    `linear`: a linear layer trained by SGD with the scenario's `training` recipe (FeTrIL_fc; the
    paper has 50 epochs at learning rate 0.1)."""
    svm_c: Annotated[float, Field(gt=0.0)] = 1.0
    """Weight of the SVM's loss against its regulariser (released `C`: 1)."""
    svm_tolerance: Annotated[float, Field(gt=0.0, lt=1.0)] = 1e-6
    """Share of its first gradient at which a class is solved. The released `tol`, 1e-4, is
    multiplied by the share of the class inside liblinear, which makes 1e-6 at 100 classes."""
    released_bug: bool = False
    """Leave the first 512 training rows of the SVM without L2 normalisation, as the released
    script does by mistake: its loader normalises every block of 512 but the first, classes sorted
    as strings. For comparison with that script alone."""

    @model_validator(mode="after")
    def _consistent(self) -> FetrilOptions:
        if self.source == "random" and self.rank != 1:
            raise ValueError("'rank' orders new classes by similarity; source 'random' has none")
        if self.released_bug and self.classifier != "linear_svm":
            raise ValueError("released_bug is a bug of classifier 'linear_svm', not of 'linear'")
        return self
