"""An installed entry point that needs no installed distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FakeDistribution:
    name: str
    version: str


@dataclass
class FakeEntryPoint:
    name: str
    thing: Any
    distribution: tuple[str, str] = ("cilsim-foo", "0.2")

    def __post_init__(self) -> None:
        self.dist = FakeDistribution(*self.distribution)
        self.module = self.value = f"{self.name}_module"

    def load(self) -> Any:
        if isinstance(self.thing, BaseException):
            raise self.thing
        return self.thing
