"""Joint training on all samples seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cilsim import Experience, Strategy
from cilsim.data.samples import Samples
from cilsim.strategy.strategy import bytes_of


class Joint(Strategy):
    """Keeps every labelled sample and trains on all of them: what no forgetting would reach.

    It is the upper bound of the tables, not a continual learner: the ledger shows the bytes of
    all samples as exemplars. Intransigence (Chaudhry et al. 2018) is measured against it.
    """

    def setup(self) -> None:
        """Start with an empty memory."""
        self._index = torch.empty(0, dtype=torch.int64)
        self._labels = torch.empty(0, dtype=torch.int64)
        self._bytes = 0

    def learn(self, experience: Experience) -> None:
        """Add the samples of this experience and train on all of them."""
        everything = self._remember(experience.labelled)
        if experience.index == 0:
            self.context.train_base(experience)
        elif self.options.from_scratch:
            self.context.reset_model()
            self.context.fit(everything, recipe=self.context.base_recipe)
        else:
            self.context.fit(everything)

    def _remember(self, samples: Samples) -> Samples:
        assert samples.labels is not None  # `labelled` never returns a part without labels
        self._index = torch.cat([self._index, samples.index])
        self._labels = torch.cat([self._labels, samples.labels.cpu()])
        everything = self.context.recall(self._index, self._labels)
        self._bytes = everything.x.nbytes + bytes_of(self._labels)
        return everything

    def state_dict(self) -> dict[str, Any]:
        """Return the positions and labels of the samples kept, not the samples."""
        memory: dict[str, Tensor | int] = {
            "index": self._index, "labels": self._labels, "bytes": self._bytes,
        }  # fmt: skip
        return {**super().state_dict(), **memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the memory."""
        super().load_state_dict(state)
        self._index = state["index"].cpu()
        self._labels = state["labels"].cpu()
        self._bytes = state["bytes"]

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of all samples kept, with their labels."""
        return {"exemplars": self._bytes}
