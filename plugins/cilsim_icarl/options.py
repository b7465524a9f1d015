"""Options of iCaRL and the presets that set several of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cilsim import Options

Count = Annotated[int, Field(ge=1, le=10_000_000)]
TEMPERATURE = 2.0

_PAPER: Mapping[str, Any] = {"memory": 2000, "loss": "bce", "prior_bias": False, "mirror": False}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "safe": {**_PAPER, "prior_bias": True},
    "paper": _PAPER,
    "released": {**_PAPER, "mirror": True},
    "pycil": {**_PAPER, "loss": "kd"},
    "facil": {"per_class": 20, "loss": "ce_bce", "prior_bias": False, "mirror": False},
}


class IcarlOptions(Options):
    """How many exemplars, how they are chosen, and what is trained and predicted with them."""

    preset: Literal["safe", "paper", "released", "pycil", "facil"] = "safe"
    """Defaults of `memory`, `per_class`, `loss`, `prior_bias` and `mirror`. `paper`: Rebuffi et
    al. 2017. `safe`: the same with `prior_bias`, which short trainings need. `released`: the
    authors' code for CIFAR-100, which also takes means over mirrored images. `pycil`:
    models/icarl.py of PyCIL, loss `kd`. `facil`: approach/icarl.py of FACIL, loss `ce_bce`, with
    the growing memory of its scripts."""
    memory: Count | None = 2000
    """Exemplars in total; each of t classes seen has memory // t (K = 2000 for CIFAR-100 in the
    paper, section 4; `memory_size` of PyCIL). Not with `per_class`."""
    per_class: Count | None = None
    """Exemplars of each class, a memory that grows (20 in FACIL's scripts; `memory_per_class` of
    PyCIL). Instead of `memory`."""
    selection: Literal["herding", "random"] = "herding"
    """`herding`: the sample that brings the mean of those chosen nearest to the class mean comes
    next (algorithm 4). `random`: drawn from the seed. Either way fewer are the first of more."""
    loss: Literal["bce", "kd", "ce_bce"] = "bce"
    """`bce`: sigmoids; outputs of new classes learn the label, outputs of old classes what the old
    network gave (algorithm 3). `kd`: cross-entropy over all classes plus distillation of the
    softmax over old classes (PyCIL). `ce_bce`: cross-entropy over all classes plus the old
    classes' part of `bce` (FACIL)."""
    prior_bias: bool = True
    """Begin the sigmoids of new classes near 1 over the number of classes seen, not near 1/2, by
    their biases (Lin et al. 2017, "Focal Loss for Dense Object Detection", section 3.3). For loss
    `bce`: without it, the first steps push all outputs down together and the backbone with them.
    Not in the paper, which trains for 70 epochs."""
    distillation_weight: Annotated[float, Field(ge=0.0, le=1e6)] = 1.0
    """Factor on what old outputs are held by (1 in the paper and in PyCIL, `lamb` 1 of FACIL)."""
    temperature: Annotated[float, Field(gt=0.0, le=1000.0)] = TEMPERATURE
    """Divides the logits that loss `kd` distils; the term is not multiplied by its square (`T` of
    PyCIL, 2)."""
    classifier: Literal["nme", "head"] = "nme"
    """`nme`: the nearest mean of exemplars (algorithm 1; "NME" of PyCIL). `head`: the outputs of
    the network ("hybrid1" of the paper, table 1; "CNN" of PyCIL)."""
    mirror: bool = False
    """Average each exemplar's feature with that of its mirror image before the means (authors'
    code, nothing of it in the paper). For images and classifier `nme`."""

    @model_validator(mode="before")
    @classmethod
    def _filled_from_the_preset(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        preset = given.get("preset", "safe")
        known = dict(PRESETS.get(preset, {})) if isinstance(preset, str) else {}
        if given.get("memory") is not None or given.get("per_class") is not None:
            known = {key: known[key] for key in known if key not in ("memory", "per_class")}
        merged = {**known, **given}
        if merged.get("per_class") is not None:
            merged.setdefault("memory", None)
        return merged

    @model_validator(mode="after")
    def _consistent(self) -> IcarlOptions:
        if [self.memory, self.per_class].count(None) != 1:
            raise ValueError("give the number of exemplars by exactly one of memory, per_class")
        if self.temperature != TEMPERATURE and self.loss != "kd":
            raise ValueError(f"'temperature' is for loss 'kd', loss '{self.loss}' has none")
        return self

    def exemplars_per_class(self, classes: int) -> int:
        """Return how many exemplars a class may have when there are `classes` of them."""
        if self.per_class is not None:
            return self.per_class
        assert self.memory is not None  # _consistent looked
        return self.memory // classes
