from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cilsim.errors import RunFolderError
from cilsim.registry import Registries
from cilsim.results.lock import FolderLock
from cilsim.results.manifest import write_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.scenario.load import load_scenario
from cilsim.scenario.resolved import difference, resolved_yaml, scenario_hash
from cilsim.sweep.cell import Cell, CellState, is_in_use, threads_in
from cilsim.sweep.load import Sweep
from cilsim.sweep.place import SweepFolder

Load = Callable[[str], Sweep]
FOLDER = SweepFolder(Path("runs/sweep"))


def store(cell: Cell, state: str = "running") -> None:
    with RunFolder.open_or_create(
        FOLDER.path, cell.name, "", resolved_yaml(cell.scenario), scenario_hash(cell.scenario),
        difference,
    ) as folder:  # fmt: skip
        if state == "finished":
            folder.status.end("finished")


def cells(load: Load, increment: int = 2) -> tuple[Cell, ...]:
    grid = f"{{training.lr: 0.{increment}}}"
    return load(f"{{scenarios: [digits.yaml], strategies: [nmc], set: {grid}}}").cells


def test_a_cell_is_as_far_as_its_folder_says(load: Load) -> None:
    first, second = cells(load)
    assert FOLDER.check([first, second]) == [CellState.NEW, CellState.NEW]

    store(first)
    store(second, "finished")

    assert FOLDER.check([first, second]) == [CellState.UNFINISHED, CellState.FINISHED]


def test_a_cell_whose_status_is_damaged_is_not_finished(load: Load) -> None:
    first, _ = cells(load)
    store(first, "finished")
    (FOLDER.of(first) / "status.json").write_text("{}")

    assert FOLDER.check([first]) == [CellState.UNFINISHED]


def test_another_version_of_a_cell_is_refused(load: Load) -> None:
    text = Path("digits.yaml").read_text()
    first, second = cells(load)
    store(first)
    store(second)
    Path("digits.yaml").write_text(text + "evaluate: {batch_size: 7}\n")

    with pytest.raises(RunFolderError) as caught:
        FOLDER.check(cells(load))

    assert str(caught.value) == (
        f"runs/sweep/{first.name} (and 1 more): holds runs of another version, which differs in\n"
        "  evaluate.batch_size: 1024 -> 7\n"
        "give the sweep another name, choose another place with --out, or remove "
        f"runs/sweep/{first.name}"
    )


def test_a_run_folder_cannot_be_a_sweep(load: Load) -> None:
    first, _ = cells(load)
    store(first)

    with pytest.raises(RunFolderError) as caught:
        SweepFolder(FOLDER.of(first)).check([first])

    assert str(caught.value) == (
        f"runs/sweep/{first.name}: is a run folder; give the sweep another name, or choose "
        "another place with --out"
    )


def test_the_file_of_a_cell_gives_the_same_scenario_back(
    load: Load, registries: Registries
) -> None:
    first, _ = cells(load)

    path = FOLDER.write_cell(first)

    assert path == Path(f"runs/sweep/.sweep/cells/{first.name}.yaml")
    assert load_scenario(path, registries) == first.scenario


def test_a_cell_is_in_use_as_long_as_its_folder_is_locked(load: Load) -> None:
    first, _ = cells(load)
    folder = FOLDER.of(first)
    assert not is_in_use(folder)
    store(first)
    assert not is_in_use(folder)

    with FolderLock(folder):
        assert is_in_use(folder)
    assert not is_in_use(folder)


def test_a_cell_goes_on_with_the_threads_that_it_began_with(load: Load) -> None:
    first, second = cells(load)
    store(first)
    write_manifest(FOLDER.of(first), {"threads": 5})

    assert [threads_in(FOLDER.of(cell)) for cell in (first, second)] == [5, None]
