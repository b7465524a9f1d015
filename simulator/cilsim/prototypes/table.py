"""The table of prototypes that travels through `cilsim_calibrate_prototypes`.

Axis letters: D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim.errors import PluginError


@dataclass(frozen=True)
class Change:
    """Who replaced which rows."""

    by: str
    labels: tuple[int, ...]


class PrototypeTable:
    """One vector per class seen; rows change through `update` alone, which checks them.

    What the properties return are copies: writing into them changes nothing.

    Attributes:
        base_classes: number of classes of experience 0, which have the first rows.
        new: labels of the classes that are new in this experience.
    """

    def __init__(
        self,
        vectors_KD: Tensor,
        raw_KD: Tensor | None = None,
        *,
        base_classes: int,
        new: Sequence[int],
    ) -> None:
        """Copy the rows.

        Args:
            vectors_KD: (K, D) the strategy's rows; earlier classes may be calibrated already.
            raw_KD: (K, D) the means before any calibration; default: `vectors_KD`.
            base_classes: number of classes of experience 0.
            new: labels of this experience's classes.

        Raises:
            ValueError: the shapes differ or a label has no row.
        """
        raw_KD = vectors_KD if raw_KD is None else raw_KD
        if vectors_KD.ndim != 2 or raw_KD.shape != vectors_KD.shape:
            raise ValueError(
                f"prototypes have shape {tuple(vectors_KD.shape)} and raw means "
                f"{tuple(raw_KD.shape)}; expected (K, D) for both"
            )
        rows = len(vectors_KD)
        if not 0 <= base_classes <= rows or any(not 0 <= label < rows for label in new):
            raise ValueError(
                f"{base_classes} base classes and new labels {tuple(new)} do not fit {rows} rows"
            )
        self.base_classes = base_classes
        self.new = tuple(new)
        self._vectors_KD = vectors_KD.detach().clone()
        self._raw_KD = raw_KD.detach().clone()
        self._changes: list[Change] = []

    @property
    def seen(self) -> int:
        """Number of classes seen, the number of rows."""
        return len(self._vectors_KD)

    @property
    def vectors(self) -> Tensor:
        """(K, D) the rows as they are now."""
        return self._vectors_KD.clone()

    @property
    def raw(self) -> Tensor:
        """(K, D) the class means before any calibration, of this and of earlier experiences."""
        return self._raw_KD.clone()

    @property
    def changed_by(self) -> tuple[Change, ...]:
        """Who changed which rows, in order."""
        return tuple(self._changes)

    def update(self, labels: Sequence[int] | Tensor, vectors: Tensor, by: str) -> None:
        """Replace rows.

        Args:
            labels: which rows, each at most once.
            vectors: (len(labels), D) the new rows, of the table's dtype and device.
            by: name of who does it, for messages and for `changed_by`.

        Raises:
            PluginError: a label has no row or comes twice, or `vectors` do not fit or hold NaN or
                infinity; the table is left as it was.
        """
        wanted = tuple(labels.tolist() if isinstance(labels, Tensor) else labels)
        complaint = self._complaint(wanted, vectors)
        if complaint:
            raise PluginError(by, f"'{by}' cannot change prototypes: {complaint}")
        rows = torch.tensor(wanted, dtype=torch.int64, device=self._vectors_KD.device)
        self._vectors_KD[rows] = vectors.detach()
        self._changes.append(Change(by, wanted))

    def _complaint(self, labels: tuple[int, ...], vectors: Tensor) -> str:
        """Return what is wrong with an update, or nothing."""
        own = self._vectors_KD
        unknown = [label for label in labels if not 0 <= label < len(own)]
        if unknown:
            return f"there is no class {unknown[0]}; expected labels from 0 to {len(own) - 1}"
        if len(set(labels)) < len(labels):
            return f"labels {labels} repeat; expected each at most once"
        if not isinstance(vectors, Tensor):
            return f"the rows are a {type(vectors).__name__}; expected a torch.Tensor"
        expected = (len(labels), own.shape[1])
        if tuple(vectors.shape) != expected:
            return f"the rows have shape {tuple(vectors.shape)}; expected {expected}"
        if vectors.dtype != own.dtype or vectors.device != own.device:
            return (
                f"the rows are {vectors.dtype} on {vectors.device}; "
                f"expected {own.dtype} on {own.device}"
            )
        return self._not_finite(labels, vectors)

    def _not_finite(self, labels: tuple[int, ...], vectors: Tensor) -> str:
        broken = (~torch.isfinite(vectors)).any(1).tolist()
        if not any(broken):
            return ""
        return f"the row of class {labels[broken.index(True)]} holds NaN or infinity"
