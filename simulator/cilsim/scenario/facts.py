"""The part of `cilsim.data.dataset.DataFacts` that options of streams are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cilsim.records import IntArray


class ClassFacts(Protocol):
    """The classes of a data set."""

    @property
    def class_ids(self) -> tuple[int, ...]:
        """Class ids in stream order."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """A readable name of each."""

    @property
    def y_train(self) -> IntArray:
        """(N,) class id of each training sample."""


class DomainFacts(ClassFacts, Protocol):
    """The classes of a data set and the domains of its samples."""

    @property
    def domain_train(self) -> IntArray | None:
        """(N,) domain of each training sample."""

    @property
    def domain_test(self) -> IntArray | None:
        """(N,) domain of each test sample."""

    @property
    def domain_names(self) -> tuple[str, ...]:
        """What the domains are called."""
