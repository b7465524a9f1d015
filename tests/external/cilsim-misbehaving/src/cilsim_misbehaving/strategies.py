"""One strategy per misdeed; each is a working one otherwise."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import torch

from cilsim import Strategy


class Means(Strategy):
    """Predicts the class whose mean is nearest."""

    def learn(self, experience: Any) -> None:
        """Keep the means of the new classes."""
        means = self.context.class_means(experience)
        self.prototypes = means if self.prototypes is None else torch.cat([self.prototypes, means])

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        """Return negative distances."""
        return -torch.cdist(x, self.prototypes)


class Raises(Means):
    """Raises in its second experience."""

    def learn(self, experience: Any) -> None:
        """Raise, or learn."""
        if experience.index == 1:
            raise LookupError("no such mean")
        super().learn(experience)


class Exits(Means):
    """Wants to end the process."""

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        """Leave."""
        sys.exit("enough")


class Talks(Means):
    """Prints to stdout, itself and through another program, and warns."""

    def learn(self, experience: Any) -> None:
        """Talk and learn."""
        print("hello from a strategy")  # noqa: T201 - that is the misdeed
        subprocess.run(["echo", "hello from a program"], check=True)
        warnings.warn("hello from a warning", stacklevel=1)
        super().learn(experience)


class Writes(Means):
    """Changes the samples that it is given."""

    def learn(self, experience: Any) -> None:
        """Centre the samples in place."""
        experience.train.x.sub_(1.0)
        super().learn(experience)
