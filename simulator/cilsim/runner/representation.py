"""How far the representation has moved in an experience: features of old test samples, compared.

Axis letters: N samples, D features.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cilsim.data.samples import Samples
from cilsim.records import RunInfo
from cilsim.runner.materials import Materials
from cilsim.seeding import derive_seed
from cilsim.solvers.representation_similarity import LEAST_ROWS, dealt, linear_cka, rows_at
from cilsim.strategy import Strategy
from cilsim.strategy.model import Model

SIMILARITY = "representation_similarity"


@dataclass(frozen=True)
class Represented:
    """Old test samples as the network sees them before an experience.

    Attributes:
        version: of the backbone.
        parts: (N, D) features of the test part of each earlier experience.
    """

    version: str = ""
    parts: Mapping[int, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class RepresentationSimilarity:
    """Compares the features of old test samples before and after an experience.

    Attributes:
        run: facts about the run.
        strategy: whose backbone it is.
        model: has the backbone.
        materials: gives the test samples.
        features: features of samples under the test transform, cached.
        asked: whether the scenario wants it; else nothing is computed.
    """

    run: RunInfo
    strategy: Strategy
    model: Model
    materials: Materials
    features: Callable[[Samples], Tensor]
    asked: bool

    @torch.inference_mode()
    def before(self, experience: int) -> Represented:
        """Return the test samples of earlier experiences as they are seen now.

        The evaluation of the last experience has left their features in the cache, unless the run
        was interrupted since or the strategy scores images.
        """
        if not self.asked or experience == 0:
            return Represented()
        tests = {earlier: self.materials.test(earlier) for earlier in range(experience)}
        parts = {earlier: self.features(test) for earlier, test in tests.items() if len(test)}
        return Represented(self.model.version, parts)

    @torch.inference_mode()
    def since(self, before: Represented) -> dict[str, float]:
        """Return the similarity by name: over all samples, and for each test part.

        1 without looking if the backbone is the same. Nothing if it is the same and the strategy
        scores images: then nobody knows which network it uses.
        """
        groups = self._groups(before)
        if not groups:
            return {}
        if before.version != self.model.version:
            return self._compared(before, groups)
        return {} if self.strategy.scores_images else dict.fromkeys(groups, 1.0)

    def _groups(self, before: Represented) -> dict[str, Sequence[int]]:
        """Return which parts count for a name; a group with too few samples is left out."""
        groups: dict[str, Sequence[int]] = {SIMILARITY: list(before.parts)}
        if not self.run.stream.one_test_part:  # else it would be the same value twice
            groups |= {f"{SIMILARITY}_by_experience/{j:02d}": [j] for j in before.parts}
        return {
            name: group
            for name, group in groups.items()
            if sum(len(before.parts[j]) for j in group) >= LEAST_ROWS
        }

    def _compared(
        self, before: Represented, groups: Mapping[str, Sequence[int]]
    ) -> dict[str, float]:
        now = {j: self.features(self.materials.test(j)) for j in before.parts}
        pairs = [
            ([before.parts[j] for j in group], [now[j] for j in group]) for group in groups.values()
        ]
        found = torch.stack([self._similarity(*pair) for pair in pairs]).tolist()
        named = zip(groups, found, strict=True)
        return {name: value for name, value in named if math.isfinite(value)}

    def _similarity(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
        """Return () the CKA of parts; equal numbers of samples are dealt in the same way."""
        seed = derive_seed(self.run.seed, SIMILARITY)
        batches = dealt(sum(map(len, first)), torch.Generator().manual_seed(seed))
        return linear_cka((rows_at(first, batch), rows_at(second, batch)) for batch in batches)
