"""Running a scenario from Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import cilsim
from cilsim.errors import RunFolderError, ScenarioError
from cilsim.testing import ring, write_ring

SCENARIO: dict[str, Any] = {
    "name": "ring",
    "stream": {"kind": "class_incremental", "experiences": 5, "dataset": "python_arrays"},
    "backbone": "identity",
    "strategy": "nmc",
}


def test_arrays_in_memory_run_without_a_file(tmp_path):
    outcome = cilsim.run(SCENARIO, arrays=ring(), out=tmp_path, device="cpu")
    (result,) = outcome.results
    assert result.final["A_all"] > 0.98
    assert outcome.folder == tmp_path / "ring"


def test_a_scenario_file_runs(tmp_path):
    write_ring(tmp_path / "ring.npz")
    path = tmp_path / "file.yaml"
    path.write_text(
        "stream: {kind: class_incremental, experiences: 5,\n"
        "         dataset: {name: arrays, path: ring.npz}}\n"
        "backbone: identity\n"
        "strategy: nmc\n"
    )
    (result,) = cilsim.run(path, out=tmp_path / "runs").results
    assert result.final["A_all"] > 0.98


def test_mistakes_are_told_as_from_the_command_line(tmp_path):
    with pytest.raises(ScenarioError) as caught:
        cilsim.run({**SCENARIO, "strategy": "nmcc"}, arrays=ring(), out=tmp_path)
    assert "strategy: no strategy is named 'nmcc'; did you mean 'nmc'?" in str(caught.value)


def test_other_arrays_do_not_get_the_results_of_earlier_ones(tmp_path):
    cilsim.run(SCENARIO, arrays=ring(), out=tmp_path)
    other = ring(seed=1)
    with pytest.raises(RunFolderError) as caught:
        cilsim.run(SCENARIO, arrays=other, out=tmp_path)
    message = str(caught.value)
    assert message.startswith(
        f"{tmp_path / 'ring'}: cannot be resumed under other conditions: data_digest: "
    )
    assert message.endswith("; restore them, or choose another place with --out")
    assert not np.array_equal(other["x_train"], ring()["x_train"])


def test_tensors_of_torch_give_what_arrays_give(tmp_path):
    tensors = {name: torch.from_numpy(array) for name, array in ring().items()}
    (of_tensors,) = cilsim.run(SCENARIO, arrays=tensors, out=tmp_path / "tensors").results
    (of_arrays,) = cilsim.run(SCENARIO, arrays=ring(), out=tmp_path / "arrays").results
    assert of_tensors.final == of_arrays.final


def test_large_classes_weigh_more_in_one_accuracy_and_equally_in_the_other(tmp_path):
    x = np.arange(4, dtype=np.float32)[:, None] * [1.0, 0.0]
    outcome = cilsim.run(
        {**SCENARIO, "stream": {**SCENARIO["stream"], "experiences": 1}},
        arrays={
            "x_train": x[[0, 0, 0, 0, 0, 0, 3]],
            "y_train": [0, 0, 0, 0, 0, 0, 1],
            "x_test": x[[0, 0, 0, 0, 0, 0, 0, 0, 3, 0]],
            "y_test": [0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
        },
        out=tmp_path,
    )
    (result,) = outcome.results
    assert result.final["A_all"] == 0.9
    assert result.final["A_base"] == 0.75
