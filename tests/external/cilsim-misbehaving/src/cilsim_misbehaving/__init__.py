"""A plugin that loads and then misbehaves: it prints, warns, exits, kills its own records."""

from __future__ import annotations

from typing import Any

from cilsim import hookimpl

cilsim_api = 1

print("hello from an import")  # noqa: T201 - that is the misdeed


@hookimpl
def cilsim_register_strategies(register: Any) -> None:
    """Register one strategy per misdeed."""
    print("hello from a registration")  # noqa: T201 - that is the misdeed
    for name in ("Raises", "Exits", "Talks", "Writes"):
        register(name.lower(), f"cilsim_misbehaving.strategies:{name}")
