"""Every command and every block of docs/deploying.md and docs/advice.md runs."""

from __future__ import annotations

import os
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cilsim.cli.main import main

QUICK = {"advise": ["--device", "cpu", "--seeds", "0"], "run": ["--device", "cpu", "-q"]}
"""What makes the commands of the pages short, and nothing else."""


def write_stripes(folder: Path, period: int, count: int) -> None:
    generator = np.random.default_rng(period)
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        pixels = generator.integers(0, 60, (16, 16), dtype=np.uint8)
        pixels[::period] += 150
        Image.fromarray(pixels).save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current folder, with `photos`, `new-photos` and `lynx-photos`."""
    folder = tmp_path_factory.mktemp("deploying")
    for period in (1, 2, 3, 4):
        write_stripes(folder / "photos" / f"every {period}", period, 26)
    write_stripes(folder / "lynx-photos", 6, 8)
    write_stripes(folder / "new-photos", 6, 4)
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr("cilsim.advice.ladder.MOST_EPOCHS", 8)
        patch.setattr("cilsim.advice.ladder.FEWEST_EPOCHS", 2)
        yield folder


def run_lines(block: str) -> list[int]:
    """Run the command lines of a block and return their exit codes."""
    codes = []
    for line in block.splitlines():
        program, *words = shlex.split(line, comments=True)
        if program == "cilsim":
            codes.append(main([*words, *QUICK.get(words[0], [])]))
        else:
            codes.append(run_python(*words))
    return codes


def run_python(*words: str) -> int:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *words], env=environment, check=False).returncode


def test_the_blocks_of_deploying_run_in_their_order(
    here: Path, docs: Path, code_blocks: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    text = (docs / "deploying.md").read_text().partition("## Tables and arrays")[0]
    commands, alone = code_blocks(text, "bash")
    (script,) = code_blocks(text, "python")
    assert run_lines(commands) == [0] * 6
    told = capfd.readouterr().out.splitlines()
    before = [line.split("\t") for line in told if line.startswith("new-photos")][:4]
    after = [line.split("\t") for line in told if line.startswith("new-photos")][4:]
    assert [len(row) for row in before + after] == [7] * 4 + [3] * 4
    assert {row[1] for row in before} <= {f"every {period}" for period in (1, 2, 3, 4)}
    assert [row[1] for row in after].count("lynx") >= 3
    assert run_lines(alone) == [0]
    assert [row.split("\t")[0] for row in capfd.readouterr().out.splitlines()] == [
        "new-photos/1.png",
        "new-photos/2.png",
    ]
    assert run_python("-c", script) == 0
    assert [line.rpartition(" ")[0] for line in capfd.readouterr().out.splitlines()] == [
        row[1] for row in before
    ]


def write_patients() -> None:
    """Write the tables that deploying.md names."""
    generator = np.random.default_rng(0)

    def rows(outcome: str, age: int, count: int, told: bool) -> list[str]:
        ages = generator.normal(age, 2, count)
        cells = [f"{one:.1f},{('Oslo', 'Rome')[age % 2]}" for one in ages]
        return [f"{row},{outcome}" if told else row for row in cells]

    known = [row for age in (31, 40, 51, 60) for row in rows(f"about {age}", age, 20, True)]
    Path("patients.csv").write_text("\n".join(["age,city,outcome", *known]))
    new = [*rows("", 31, 3, False), *rows("", 80, 3, False)]
    Path("new-patients.csv").write_text("\n".join(["age,city", *new]))
    Path("relapsed.csv").write_text("\n".join(["age,city,outcome", *rows("relapsed", 80, 8, True)]))


@pytest.mark.slow
def test_the_blocks_about_tables_run_in_their_order(
    here: Path,
    docs: Path,
    code_blocks: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (docs / "deploying.md").read_text().partition("## Tables and arrays")[2]
    commands, alone = code_blocks(text, "bash")
    (script,) = code_blocks(text, "python")
    write_patients()
    assert run_lines(commands) == [0] * 6
    told = [line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line]
    before, after = told[:6], told[6:]
    assert [[row[0] for row in rows] for rows in (before, after)] == [list("123456")] * 2
    assert ([len(row) for row in before], [len(row) for row in after]) == ([3] * 6, [5] * 6)
    assert "relapsed" not in [row[1] for row in before]
    assert [row[1] for row in after[3:]].count("relapsed") >= 2
    program, *words = shlex.split(alone)
    monkeypatch.setattr("sys.argv", words)
    runpy.run_path(words[0], run_name="__main__")
    plain = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert (program, [row[:2] for row in plain]) == ("python", [row[:2] for row in before])
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.setitem(sys.modules, "load_plain", None)
    del sys.modules["load_plain"]
    exec(compile(script, "example", "exec", dont_inherit=True), {})
    assert [line.rpartition(" ")[0] for line in capsys.readouterr().out.splitlines()] == [
        row[1] for row in before
    ]


def test_the_commands_of_advice_run(
    here: Path, docs: Path, code_blocks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cilsim.backbones.options import ImageNetResNetOptions
    from cilsim.backbones.residual import resnet18

    backbone = resnet18(ImageNetResNetOptions(), (3, 32, 32), torch.Generator().manual_seed(0))
    save_file(backbone.state_dict(), "resnet18.safetensors")
    blocks = code_blocks((docs / "advice.md").read_text(), "bash")
    monkeypatch.setitem(QUICK, "advise", [*QUICK["advise"], "--strategies", "nmc", "-q"])
    small = blocks[2].replace("--image-size 224", "--image-size 32")
    assert small != blocks[2]
    assert [code for block in (blocks[0], small) for code in run_lines(block)] == [0, 0]


def write_sources() -> None:
    """Write the list, table, arrays and scenario that advice.md names."""
    images = [f"photos/every {period}/{number}.png" for period in (1, 2) for number in range(1, 9)]
    rows = [f"{image},{Path(image).parent.name}" for image in images]
    Path("list.csv").write_text("\n".join(["path,label", *rows]))
    rows = [f"{row % 2 + row / 100},{'no' if row % 2 else 'yes'}" for row in range(40)]
    Path("patients.csv").write_text("\n".join(["age,outcome", *rows]))
    labels = np.arange(40) % 2
    x = np.eye(4, dtype=np.float32)[labels]
    np.savez("features.npz", x_train=x, y_train=labels, x_test=x, y_test=labels)
    Path("parts.yaml").write_text(
        "stream: {kind: class_incremental, dataset: {name: image_folder, path: photos}, "
        "experiences: 2}\nstrategy: nmc\n"
    )


@pytest.mark.slow
def test_advice_takes_what_its_page_says(
    here: Path, docs: Path, code_blocks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sources()
    monkeypatch.setattr("cilsim.advice.ladder.MOST_EPOCHS", 2)
    block = code_blocks((docs / "advice.md").read_text(), "bash")[1]
    monkeypatch.setitem(QUICK, "advise", [*QUICK["advise"], "--strategies", "nmc", "-q"])
    assert run_lines(block) == [0] * 5
    assert {path.name for path in here.glob("advise-*-recommended.yaml")} >= {
        f"advise-{stem}-recommended.yaml"
        for stem in ("list", "patients", "features", "digits", "parts")
    }
