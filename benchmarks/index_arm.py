"""The index of runs: a query among 100,000 runs, and a refresh that finds nothing new.

The runs of the query are made up and lie only in the index; those of the refresh are run folders
whose files are links to those of one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import torch

from cilsim.bench.rounds import Arm, Contestants, Goal, Limit
from cilsim.bench.scratch import scratch_folder
from cilsim.index.database import INDEX_FILE, connect, replace_place, tune, writing
from cilsim.index.entry import IndexedRun
from cilsim.index.run_index import RunIndex
from cilsim.results.run_folder import RunFolder
from cilsim.results.scenario_files import RESOLVED
from cilsim.results.sums import SUMS

RUNS = 100_000
FOLDERS = 10_000
STRATEGIES = ("finetune", "nmc", "teen", "fetril", "icarl", "slda", "ranpac", "joint")
DATASETS = ("glyphs100", "cifar100", "cub200", "mini_imagenet")
METRICS = ("A_all", "A_base", "A_novel", "A_old", "A_new", "A_hm", "A_avg_inc", "forgetting", "bwt",
           "performance_drop")  # fmt: skip
SEEDS = 5
QUERIES = (
    (("strategy=teen dataset=glyphs100 A_all>0.5",), "A_all"),
    (("A_all>0.5",), "-updated"),
    (("strategy=t* forgetting<0.1",), "A_hm"),
    ((), "A_avg_inc"),
)


def _made_up() -> Iterator[IndexedRun]:
    draw = random.Random(0)
    for number in range(RUNS):
        strategy, dataset = draw.choice(STRATEGIES), draw.choice(DATASETS)
        name = f"{dataset}-{number // SEEDS}"
        yield IndexedRun(
            folder=f"{name}/{strategy}/seed-{number % SEEDS}", scenario=name, strategy=strategy,
            method=strategy, seed=number % SEEDS, state="finished", experience=9, experiences=9,
            stream="few_shot_class_incremental", dataset=dataset, protocol="60 + 8x5-way 5-shot",
            backbone="resnet20", hash=f"{number:064x}", started="2026-01-01T00:00:00+00:00",
            updated=f"2026-01-01T{number % 24:02}:00:00+00:00", seconds=60.0, bytes_kept=1000,
            metrics={metric: draw.random() for metric in METRICS},
        )  # fmt: skip


def _query(device: torch.device) -> Contestants:
    root = scratch_folder()
    connection = connect(root / INDEX_FILE)
    with writing(connection):
        for run in _made_up():
            replace_place(connection, run.folder, "", [run])
    tune(connection)
    connection.close()

    def ask() -> None:
        with RunIndex(root) as index:
            for where, sort in QUERIES:
                assert index.find(where, sort, 50).total

    return {"nothing": lambda: None, "cilsim": ask}


def _refresh(device: torch.device) -> Contestants:
    root = scratch_folder()
    first = root / "run-00000"
    with RunFolder.open_or_create(root, first.name, "", "", "0", lambda a, b: []) as folder:
        folder.seed_folder("nmc", 0).files.write("metrics.jsonl", b"")
        folder.status.end("finished")
    for number in range(1, FOLDERS):
        _linked(first, root / f"run-{number:05}")
    places = sorted(path for path in root.iterdir() if path.is_dir())
    with RunIndex(root) as index:
        index.refresh()

    def look() -> None:
        with RunIndex(root) as index:
            assert index.refresh().read == 0

    def bare() -> None:
        for place in places:
            for name in ("status.json", RESOLVED, f"nmc/seed-0/{SUMS}"):
                os.stat(place / name)

    return {"stat": bare, "cilsim": look}


def _linked(folder: Path, copy: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            there = copy / path.relative_to(folder)
            there.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, there)


RUNS_QUERY = Arm(
    f"four queries of the index of {RUNS:,} runs, 50 rows each, the opening of the file included",
    "nothing", _query, len(QUERIES), "query", limits=(Limit("cilsim", 0.4),),
)  # fmt: skip
RUNS_REFRESH = Arm(
    f"finding that nothing has changed in {FOLDERS:,} run folders, against three `os.stat` of each",
    "stat", _refresh, FOLDERS, "run folder", (Goal("cilsim", 0.2, 0.2),),
)  # fmt: skip
