"""`cilsim plugin list`: what is installed, and what is broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]

REASON = "importing 'cilsim_fancy' fails: RuntimeError: no licence"


def test_a_plugin_is_listed_with_its_hooks(cli: Command) -> None:
    records = cli("plugin", "list", "--json").document()

    assert [record for record in records if record["name"] == "teen"] == [
        {
            "name": "teen",
            "distribution": "cilsim",
            "version": "0.1.0",
            "module": "cilsim_teen",
            "hooks": ["cilsim_register_calibrators", "cilsim_register_strategies"],
            "error": "",
        }
    ]


def test_a_broken_plugin_is_listed_with_the_reason(cli: Command, broken_plugin: Path) -> None:
    outcome = cli("plugin", "list", "--json")

    assert outcome.code == 0
    assert outcome.document()[-1] == {
        "name": "fancy",
        "distribution": "cilsim-fancy",
        "version": "1.2",
        "module": "cilsim_fancy",
        "hooks": [],
        "error": REASON,
    }


def test_the_table_shows_the_reason(cli: Command, broken_plugin: Path) -> None:
    last = cli("plugin", "list").out.splitlines()[-1]

    assert last.split(maxsplit=3) == ["fancy", "cilsim-fancy", "1.2", f"broken: {REASON}"]


def test_the_switch_limits_what_is_listed(cli: Command, monkeypatch) -> None:
    monkeypatch.setenv("CILSIM_PLUGINS", "nmc")

    names = [record["name"] for record in cli("plugin", "list", "--json").document()]

    assert names == ["cilsim", "nmc"]


def test_the_switch_names_only_what_is_installed(cli: Command, monkeypatch) -> None:
    monkeypatch.setenv("CILSIM_PLUGINS", "nnmc")

    outcome = cli("plugin", "list")

    assert (outcome.code, outcome.err) == (
        2,
        "error: CILSIM_PLUGINS: no plugin is named 'nnmc'; did you mean 'nmc'?\n",
    )
