"""Links lead somewhere, and commands in the documentation exist with their options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from cilsim.cli.main import COMMANDS, cilsim

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/*.md")])
by_path = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


@by_path
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        target, _, anchor = link.partition("#")
        page = (path.parent / target).resolve() if target else path
        if not page.exists() or (anchor and anchor not in anchors(page.read_text())):
            broken.append(link)
    assert broken == []


def commands(text: str, code_blocks: Any) -> list[list[str]]:
    """Return the `cilsim` command lines of a page, in words."""
    lines = [line for block in code_blocks(text, "bash") for line in block.splitlines()]
    found = []
    for line in lines:
        words = shlex.split(line, comments=True)
        places = [place for place, word in enumerate(words) if word.endswith("cilsim")]
        found += [words[place + 1 :] for place in places if words[place + 1 :]]
    return found


@by_path
def test_commands_exist_with_their_options(path: Path, code_blocks: Any) -> None:
    for words in commands(path.read_text(), code_blocks):
        context = click.Context(cilsim)
        command = cilsim.get_command(context, words[0])
        assert command is not None, f"no command {words[0]}; there are {', '.join(COMMANDS)}"
        options = {name for parameter in command.params for name in parameter.opts}
        used = {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
        assert used - options == set(), " ".join(words)


@by_path
def test_scenarios_in_commands_exist(path: Path, code_blocks: Any) -> None:
    named = [
        word
        for words in commands(path.read_text(), code_blocks)
        for word in words
        if word.startswith("scenarios/")
    ]
    assert [name for name in named if not (ROOT / name).exists()] == []
