"""Standard streams that are closed, full or no longer read, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.cli.streams import stdout_reserved

Command = Callable[..., Any]
QUICK = "--device cpu --no-tensorboard --seeds 0 --strategies nmc --no-cache"
CILSIM = f"{sys.executable} -m cilsim"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `cilsim` is this one."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("cilsim", CILSIM, 1)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def results(out: str = "runs", name: str = "tiny") -> bytes:
    return (Path(out) / name / "nmc" / "seed-0" / "metrics.jsonl").read_bytes()


@pytest.fixture
def whole(finished: tuple[Path, Any]) -> bytes:
    return (finished[0] / "runs" / "tiny" / "nmc" / "seed-0" / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("closed", "out"),
    [
        pytest.param(">&-", "", marks=pytest.mark.slow),
        pytest.param("2>&-", "runs/tiny\n", marks=pytest.mark.slow),
        (">&- 2>&- <&-", ""),
    ],
    ids=["stdout", "stderr", "all"],
)
def test_a_run_does_not_need_its_streams(tiny: Path, whole: bytes, closed: str, out: str) -> None:
    done = shell(f"cilsim run tiny.yaml {QUICK} {closed}")

    assert (done.returncode, done.stdout) == (0, out)
    assert results() == whole  # no stray line was written into a file that took a stream's place


@pytest.mark.slow
def test_a_run_goes_on_when_nobody_reads_what_it_tells(tiny: Path, whole: bytes) -> None:
    done = shell(f"cilsim run tiny.yaml {QUICK} 2> >(exec true)")

    assert (done.returncode, done.stdout) == (0, "runs/tiny\n")
    assert results() == whole


@pytest.mark.slow
def test_all_files_are_run_when_nobody_reads_the_results(tiny: Path, whole: bytes) -> None:
    Path("other.yaml").write_text(tiny.read_text().replace("name: tiny", "name: other"))

    done = shell(f"cilsim run tiny.yaml other.yaml {QUICK} -q > >(exec true)")

    assert (done.returncode, done.stderr) == (0, "")
    assert results(name="other") == results(name="tiny") == whole


def test_the_head_of_a_list_is_enough(tmp_path: Path) -> None:
    done = shell("cilsim schema | head -1")

    assert (done.stdout, done.stderr) == ("{\n", "")


def test_the_program_as_a_module_has_the_exit_codes_of_the_command() -> None:
    assert shell("cilsim frobnicate").returncode == 2


def test_other_programs_write_to_stderr_while_stdout_is_reserved(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = (
        "import subprocess, sys\n"
        "from cilsim.cli.streams import stdout_reserved\n"
        "with stdout_reserved():\n"
        "    print('mine')\n"
        "    subprocess.run(['echo', 'of a program'])\n"
        "print('result')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))

    assert capfd.readouterr() == ("result\n", "mine\nof a program\n")


def test_stdout_is_what_it_was_after_it_was_reserved(capsys: pytest.CaptureFixture[str]) -> None:
    def leave() -> None:
        with stdout_reserved():
            print("said")  # noqa: T201
            raise KeyError

    with pytest.raises(KeyError):
        leave()
    print("result")  # noqa: T201

    assert capsys.readouterr() == ("result\n", "said\n")
