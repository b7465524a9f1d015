"""Options of the strategy `avalanche`, checked without importing avalanche."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cilsim import Options
from cilsim.naming import did_you_mean
from cilsim_avalanche.stock_names import ALIASES, PLUGINS, STOCK, UNFIT, Arguments


class StockPlugin(Options):
    """One plugin of avalanche, added to the strategy."""

    name: str
    """A class of `avalanche.training.plugins`, or `package.module:Class`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Its keyword arguments."""

    @model_validator(mode="after")
    def _known(self) -> StockPlugin:
        _check_name("plugin", self.name, PLUGINS)
        _check_options(self.name, self.options, PLUGINS)
        return self


class AvalancheOptions(Options):
    """Which stock strategy, its arguments, and the classifier above the backbone."""

    strategy: str = "Naive"
    """A class of `avalanche.training.supervised` such as Replay or LwF, or `package.module:Class`;
    iCaRL, SLDA, SI, GSS and CWR* are understood."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Its keyword arguments, such as {mem_size: 200}. Network, optimiser, loss, epochs, batch size
    and device come from the scenario."""
    plugins: tuple[StockPlugin, ...] = ()
    """Plugins of avalanche to add, such as [{name: LwFPlugin, options: {alpha: 1.0}}]."""
    head: Literal["linear", "incremental", "ncm", "fecam"] = "linear"
    """The classifier. `linear`: one output per class of the stream from the start, as in
    avalanche's examples. `incremental`: grows with the classes (IncrementalClassifier). `ncm`,
    `fecam`: trained as `linear`, predicts by nearest class means or Mahalanobis distances, which a
    plugin such as CurrentDataNCMUpdate or CurrentDataFeCAMUpdate provides."""

    @field_validator("strategy")
    @classmethod
    def _by_its_own_name(cls, name: str) -> str:
        name = ALIASES.get(name, name)
        if name in UNFIT:
            raise ValueError(f"Avalanche's {name} cannot run here: {UNFIT[name]}")
        _check_name("strategy", name, STOCK)
        return name

    @model_validator(mode="after")
    def _arguments(self) -> AvalancheOptions:
        _check_options(self.strategy, self.options, STOCK)
        return self


def _check_name(what: str, name: str, known: Mapping[str, Arguments]) -> None:
    if name not in known and ":" not in name:
        raise ValueError(f"Avalanche has no {what} '{name}'{did_you_mean(name, known)}")


def _check_options(name: str, options: Mapping[str, Any], known: Mapping[str, Arguments]) -> None:
    if name not in known:
        return  # package.module:Class, of which nothing is known before it is imported
    arguments = known[name]
    for key in options:
        if key not in arguments.names:
            hint = did_you_mean(key, arguments.names) or "; it has none"
            raise ValueError(f"{name} has no option '{key}'{hint}")
    missing = [key for key in arguments.required if key not in options]
    if missing:
        raise ValueError(f"{name} needs its option '{missing[0]}'")
