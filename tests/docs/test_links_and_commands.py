"""Links lead somewhere, and commands in the documentation exist with their options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cilsim.cli.main import COMMANDS, cilsim

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "plugins/*/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
SHELL = ("bash", "sh", "console", "")
"""Languages of fenced blocks that may hold commands."""
ELSEWHERE = {
    *("--all", "--compare", "--gpu", "--profile", "--arm", "--rows"),  # python -m benchmarks...
    *("--requeue", "--signal"),  # sbatch
    *("--no-deps", "--wheel-dir"),  # pip
    "--cilsim-strategy",  # pytest
}
"""Options of other programs."""
by_path = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def split(text: str) -> tuple[list[str], str]:
    """Return the lines of fenced blocks for a shell, and the text outside all blocks."""
    shell: list[str] = []
    outside: list[str] = []
    language: str | None = None
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            language = line.strip().strip("`") if language is None else None
        elif language is None:
            outside.append(line)
        elif language in SHELL:
            shell.append(line)
    return shell, "\n".join(outside)


def named(text: str) -> list[str]:
    """Return the `cilsim ...` lines of a page's blocks and sentences."""
    lines, outside = split(text)
    written = re.findall(r"`(cilsim [^`\n]+)`", outside)
    return [line for line in [*lines, *written] if re.search(r"(^|/| )cilsim ", line)]


def commands(text: str) -> Iterator[tuple[click.Command, list[str]]]:
    """Yield each command that a page names, subcommands resolved, with the words after it.

    Raises:
        AssertionError: there is no such command.
    """
    for line in named(text):
        words = shlex.split(line.replace("\\", ""), comments=True)
        for place, word in enumerate(words):
            if word == "cilsim" or word.endswith("/cilsim"):
                yield resolved(words[place + 1 :])


def resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words lead to, and the words that are left."""
    command: click.Command = cilsim
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        below = command.get_command(click.Context(command), words[0])
        assert below is not None, f"no command {words[0]}; there are {', '.join(COMMANDS)}"
        command, words = below, words[1:]
    return command, words


def options(command: click.Command) -> set[str]:
    """Return all names of a command's options."""
    given = {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    return {*given, "--help"}


def every_option(command: click.Command = cilsim) -> set[str]:
    """Return the options of a command and of all below it."""
    found = options(command)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found |= every_option(below)
    return found


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


@by_path
def test_commands_exist_with_their_options(path: Path) -> None:
    for command, words in commands(path.read_text()):
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used - options(command) == set(), " ".join(words)


@by_path
def test_options_in_sentences_are_those_of_some_command(path: Path) -> None:
    _, outside = split(path.read_text())
    used = set(re.findall(r"`(--[a-z][\w-]*)", outside))
    assert used - every_option() - ELSEWHERE == set()


@by_path
def test_scenarios_in_commands_exist(path: Path) -> None:
    files = [
        word
        for _, words in commands(path.read_text())
        for word in words
        if word.startswith("scenarios/")
    ]
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_commands_of_groups_and_of_sentences_are_looked_at() -> None:
    page = "```sh\ncilsim plugin new my-strategy --kind strategy\n```\nand `cilsim cache list`\n"
    found = [(command.name, words) for command, words in commands(page)]
    assert found == [("new", ["my-strategy", "--kind", "strategy"]), ("list", [])]


def test_a_command_that_a_group_does_not_have_is_found() -> None:
    with pytest.raises(AssertionError, match="no command fresh"):
        list(commands("```bash\ncilsim plugin fresh\n```\n"))
