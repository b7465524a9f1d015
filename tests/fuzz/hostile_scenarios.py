"""Hostile scenario texts, and what the loader owes for any text: a scenario or a ScenarioError."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

from cilsim.errors import ScenarioError
from cilsim.registry import Registries
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import Scenario

NAME = "fuzz.yaml"
PLACE = re.compile(r"fuzz\.yaml:[1-9][0-9]*:[1-9][0-9]*|--set [^\n]*")
MORE = re.compile(r"and [1-9][0-9]* more problems")

PIECES = (
    "\t", "\n", "\r\n", "\r", " ", "- ", "? ", ": ", ":", "{", "}", "[", "]", ",", "&a ", "*a",
    "!!int ",
    "!!python/object/apply:os.system [x]", "!<x>", "!", "<<: ", "<<: *a\n", "---\n", "...\n",
    "%YAML 1.1\n", "%YAML 99999999999999999999.1\n", "%TAG ! x\n", "|\n", ">-\n", "|9\n", "'", '"',
    '"\\x"', '"\\ud800"', '"\\0"', '"\\U00110000"', '"\\UFFFFFFFF"', "\x00", "\ufeff", "\ud800",
    "\u2028", "\u202e", "\x85", "\x1b[31m", "\x7f", "é", "名", "#", " #", "@", "`", "~",
    "[" * 60, "{a: " * 60, "x" * 2000, "- " * 70, "a: &a [*a, *a]\n", "a:\n  a:\n    a: 1\n",
)  # fmt: skip
"""What YAML or its readers treat in a way of their own."""

VALUES = (
    "9" * 5000, "1e400", "-1e400", "1e-400", "1e999999999999", ".inf", "-.inf", ".nan", "-1", "0",
    "0x" + "f" * 40, "0o7777777777777777777777777", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "1000000000000000000000000000000", "1.0", "1_000", "1:30", "null",
    "true", "no", "[]", "{}", "''", "[[]]", "{a: 1}", "[1, [2, {b: 3}]]", "2026-11-21", "=", ".",
    "/",
    "~", "../..", "a/b\\c", "''''", "x" * 300, "[" + "1, " * 300 + "1]", "{over: 1e308}",
    "{seed: 4294967296}", "'1'",
)  # fmt: skip
"""Values that some option cannot have."""

KEY = re.compile(r"[A-Za-z_]+(?=:)")
WORD = re.compile(r"[A-Za-z0-9_.+-]+")
NUMBER = re.compile(r"(?<=[ \[,])-?[0-9.e-]+(?=[ ,\]}\n])")


def seeds(folder: Path) -> list[str]:
    """Return the scenarios of a folder.

    Comments go, and with every other file the published numbers: both take most of the time.
    """
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))]
    bare = [re.sub(r"(?m)^\s*#.*\n| +#.*$", "", text) for text in texts]
    without = [re.sub(r"(?ms)^published:.*?(?=^[a-z]|\Z)", "", text) for text in bare]
    return [text for pair in zip(bare[::4], without[::4], strict=True) for text in pair] + [
        text for start in (1, 2, 3) for text in without[start::4]
    ]


class Mutator:
    """Makes texts out of valid ones; equal seeds make equal texts."""

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        self.texts = texts
        self.random = Random(seed)
        joined = "\n".join(texts)
        self.words = sorted(set(WORD.findall(joined)))
        self.lines = sorted({line for text in texts for line in text.splitlines()})

    def text(self) -> str:
        """Return the next text: usually a mutated scenario, now and then a heap of pieces."""
        if self.random.random() < 0.1:
            return "".join(self.anything() for _ in range(self.random.randrange(1, 12)))
        found = self.random.choice(self.texts)
        for _ in range(min(6, 1 + int(self.random.expovariate(0.8)))):
            found = self.random.choice(CHANGES)(self, found)
        return found

    def anything(self) -> str:
        """Return a piece of text of any kind."""
        kind = self.random.randrange(5)
        if kind == 0:
            return "".join(chr(self.random.randrange(0x3000)) for _ in range(4))
        return self.random.choice((PIECES, VALUES, self.words, self.lines)[kind - 1])

    def insert(self, text: str) -> str:
        """Put a piece anywhere, over some of what is there."""
        place = self.random.randrange(len(text) + 1)
        return text[:place] + self.anything() + text[place + self.random.choice((0, 0, 1, 5)) :]

    def of_another_value(self, text: str) -> str:
        """Replace a number or a word."""
        return self.replaced(text, self.random.choice((NUMBER, WORD)), VALUES)

    def of_another_key(self, text: str) -> str:
        """Replace a key by a word of any scenario."""
        return self.replaced(text, KEY, self.words)

    def replaced(self, text: str, pattern: re.Pattern[str], by: Sequence[str]) -> str:
        """Replace one match of a pattern."""
        matches = list(pattern.finditer(text))
        if not matches:
            return text
        match = self.random.choice(matches)
        return text[: match.start()] + self.random.choice(by) + text[match.end() :]

    def with_lines_moved(self, text: str) -> str:
        """Drop, double, indent or exchange a line, or take one of another scenario."""
        lines = text.split("\n")
        place = self.random.randrange(len(lines))
        lines[place : place + 1] = self.random.choice(
            (
                [],
                [lines[place]] * 2,
                [" " * self.random.randrange(9) + lines[place].lstrip()],
                [lines[place], self.random.choice(self.lines)],
                [self.random.choice(lines)],
            )
        )
        return "\n".join(lines)

    def cut(self, text: str) -> str:
        """End the text early."""
        return text[: self.random.randrange(len(text) + 1)]


CHANGES = (
    Mutator.insert,
    Mutator.insert,
    Mutator.of_another_value,
    Mutator.of_another_value,
    Mutator.of_another_key,
    Mutator.with_lines_moved,
    Mutator.cut,
)


def scenario_or_refusal(
    text: str, registries: Registries, overrides: Sequence[str] = ()
) -> Scenario | None:
    """Return the scenario of a text, None after checking that its refusal says where and what."""
    try:
        return load_text(text, NAME, registries, overrides)
    except ScenarioError as error:
        check_refusal(error)
    return None


def check_refusal(error: ScenarioError) -> None:
    """Assert that every problem has its line and column, or override, and fits on one line."""
    assert error.problems
    for problem in error.problems:
        assert PLACE.fullmatch(problem.where) or MORE.fullmatch(problem.message), str(problem)
        assert problem.message.isprintable(), repr(problem.message)
        assert problem.path.isprintable(), repr(problem.path)
        assert len(problem.message) < 4000, problem.message
        str(problem).encode()
