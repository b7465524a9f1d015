from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def docs(root: Path) -> Path:
    """The folder of the documentation."""
    return root / "docs"


@pytest.fixture(scope="session")
def code_blocks() -> Callable[[str, str], list[str]]:
    """Return a function that lists the fenced blocks of a language in a Markdown text."""

    def find(text: str, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)

    return find
