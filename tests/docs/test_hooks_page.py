"""docs/hooks.md describes every hook with its exact arguments, and its examples are plugins."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cilsim import hookspecs
from cilsim.plugins import discover

EVERY_HOOK = [name for name in vars(hookspecs) if name.startswith("cilsim_")]
PAGE = Path("docs", "hooks.md")


@pytest.fixture(scope="module")
def sections(docs: Path) -> dict[str, str]:
    """Text by heading of the third level."""
    text = (docs / "hooks.md").read_text()
    parts = re.split(r"^### (.*)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def heading(name: str) -> str:
    return f"{name}({', '.join(inspect.signature(getattr(hookspecs, name)).parameters)})"


@pytest.mark.parametrize("name", EVERY_HOOK)
def test_the_page_has_the_exact_signature(sections: dict[str, str], name: str) -> None:
    assert heading(name) in sections, f"add '### {heading(name)}' to {PAGE}"


@pytest.mark.parametrize("name", EVERY_HOOK)
def test_the_page_explains_every_argument(sections: dict[str, str], name: str) -> None:
    explained = re.findall(r"^- `(\w+)`: ", sections[heading(name)], flags=re.MULTILINE)
    assert explained == list(inspect.signature(getattr(hookspecs, name)).parameters)


@pytest.mark.parametrize("name", EVERY_HOOK)
def test_the_page_says_which_hooks_take_the_first_result(
    sections: dict[str, str], name: str
) -> None:
    first_result = getattr(hookspecs, name).cilsim_spec["firstresult"]
    assert sections[heading(name)].strip().startswith("*First result.*") is first_result


@pytest.mark.parametrize("name", EVERY_HOOK)
def test_the_example_of_each_hook_is_a_plugin_that_implements_it(
    sections: dict[str, str], code_blocks: Any, name: str
) -> None:
    (example,) = code_blocks(sections[heading(name)], "python")
    plugins = discover([("example", module(example))])
    assert plugins.explain_broken() == ()
    assert plugins.loaded[-1].hooks == (name,)


def test_the_first_example_is_a_plugin(docs: Path, code_blocks: Any) -> None:
    first = code_blocks((docs / "hooks.md").read_text(), "python")[0]
    plugins = discover([("example", module(first))])
    assert plugins.explain_broken() == ()


def module(code: str) -> ModuleType:
    made = ModuleType("example")
    exec(compile(code, str(PAGE), "exec", dont_inherit=True), vars(made))
    return made


def test_no_hook_is_described_that_does_not_exist(sections: dict[str, str]) -> None:
    assert set(sections) == {heading(name) for name in EVERY_HOOK}


def test_hooks_are_in_the_order_of_a_run(sections: dict[str, str]) -> None:
    assert [title.partition("(")[0] for title in sections] == EVERY_HOOK


def test_the_transcript_is_that_of_the_specification(docs: Path) -> None:
    def transcript(text: str) -> list[str]:
        lines = [line.strip() for line in text.splitlines()]
        return [line.split()[0] for line in lines if line.startswith("cilsim_")]

    page = (docs / "hooks.md").read_text().partition("<!-- transcript -->")[2]
    documented = page.partition("```\n")[2].partition("```")[0]
    assert transcript(documented) == transcript(hookspecs.__doc__ or "")
