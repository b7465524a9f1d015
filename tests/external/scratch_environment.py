"""A virtual environment for one test: it sees what is installed here, and keeps what it installs.

Nothing is downloaded: pip may only use what is installed already.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

SHIMS = {"cilsim": "cilsim", "pip": "pip", "pytest": "pytest", "ruff": "ruff", "mypy": "mypy"}
"""Commands and the modules that they run."""

OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the value of `build_isolation`
    "PIP_NO_CACHE_DIR": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}


@dataclass(frozen=True)
class ScratchEnvironment:
    """A virtual environment in a folder of its own."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> ScratchEnvironment:
        """Return an environment that sees the packages of this one."""
        venv.create(folder, symlinks=True, with_pip=False)
        made = cls(folder)
        lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
        (made.site_packages / "outer.pth").write_text("\n".join(lines) + "\n")
        for name, module in SHIMS.items():
            shim = made.folder / "bin" / name
            shim.write_text(f'#!/bin/sh\nexec "{made.python}" -m {module} "$@"\n')
            shim.chmod(0o755)
        return made

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where it installs to."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Return what a command did that was run with this environment first on the path."""
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        return subprocess.run(
            command,
            env={**os.environ, **OFFLINE, "PATH": path},
            cwd=cwd,
            text=True,
            capture_output=True,
            check=False,
            timeout=280,
        )
