"""What the site shows beside docs/: pages that lie where GitHub's readers look for them.

The README of the project and of each strategy, the benchmarks and the changes stay where they are;
mkdocs calls the functions here (see mkdocs.yml, `hooks`) to take them in. A link from one page to
another becomes a link within the site; one to a file that is no page becomes its text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
STRATEGIES = "strategies"
"""The entry of the menu that stands for all strategies."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
BESIDE = {
    "README.md": "quick-start.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/RESULTS.md": "benchmarks.md",
    "benchmarks/GPU.md": "benchmarks-gpu.md",
}
"""Pages outside docs/ and where the site has them."""


def pages() -> dict[str, str]:
    """Return the site's path of every page outside docs/, by its path in the project."""
    plugins = sorted(path.parent.name for path in ROOT.glob("plugins/*/README.md"))
    named = {f"plugins/{name}/README.md": _strategy_page(name) for name in plugins}
    return {**BESIDE, **named}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List every strategy in the menu."""
    menu: list[dict[str, str]] = [{"Overview": f"{STRATEGIES}.md"}]
    menu += [
        {_title(path): place} for path, place in pages().items() if place.startswith(STRATEGIES)
    ]
    config.nav = [
        {name: menu if target == STRATEGIES else target}
        for entry in config.nav or []
        for name, target in entry.items()
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside docs/, and the pictures of the benchmarks."""
    for path, place in pages().items():
        text = (ROOT / path).read_text(encoding="utf-8")
        if path == "README.md":  # the site has a home of its own
            text = text.replace("# cilsim\n", "# Quick start\n", 1)
        files.append(File.generated(config, place, content=text))
    for picture in sorted(ROOT.glob("benchmarks/**/*.png")):
        place = picture.relative_to(ROOT).as_posix()
        files.append(File.generated(config, place, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page whose links lead to where the site has their targets."""
    here = page.file.src_uri
    sources = {place: path for path, place in pages().items()}
    folder = posixpath.dirname(sources.get(here, f"docs/{here}"))

    def relinked(found: re.Match[str]) -> str:
        mark, text, link = found.groups()
        target, hash_sign, anchor = link.partition("#")
        if not target or "://" in target:
            return found[0]
        place = _place(posixpath.normpath(posixpath.join(folder, target)))
        if place is None or files.get_file_from_path(place) is None:
            return str(text)
        relative = posixpath.relpath(place, posixpath.dirname(here) or ".")
        return f"{mark}[{text}]({relative}{hash_sign}{anchor})"

    parts: list[Any] = FENCED.split(markdown)
    parts[::2] = [LINK.sub(relinked, part) for part in parts[::2]]
    return "".join(parts)


def _place(path: str) -> str | None:
    """Return where the site has a file of the project, None if it has not."""
    if path in pages():
        return pages()[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return path if path.startswith("benchmarks/") else None


def _strategy_page(package: str) -> str:
    return f"{STRATEGIES}/{package.removeprefix('cilsim_')}.md"


def _title(path: str) -> str:
    heading = (ROOT / path).read_text(encoding="utf-8").splitlines()[0]
    return heading.lstrip("# ").replace("`", "").partition(":")[0]
