"""Our streams as Avalanche benchmarks."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import torch

from cilsim.errors import StreamError
from cilsim.testing import write_ring

pytestmark = pytest.mark.filterwarnings("ignore")  # avalanche warns at import and in use


def _scenario(folder: Path, stream: dict[str, object]) -> Path:
    write_ring(folder / "ring.npz")
    path = folder / "ring.yaml"
    dataset = {"name": "arrays", "path": "ring.npz"}
    path.write_text(
        json.dumps(
            {
                "stream": {**stream, "dataset": dataset},
                "backbone": "mlp",
                "strategy": "kmeans_discovery" if "stages" in stream else "nmc",
            }
        )
    )
    return path


@pytest.fixture(scope="module")
def bridge() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cilsim import avalanche_bridge
    return avalanche_bridge


def test_experiences_have_the_classes_and_samples_of_the_plan(bridge, tmp_path):
    scenario = _scenario(tmp_path, {"kind": "class_incremental", "sizes": [4, 3, 3]})
    benchmark = bridge.scenario_to_avalanche(scenario)
    train = list(benchmark.train_stream)
    assert [e.classes_in_this_experience for e in train] == [
        [0, 1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
    ]
    assert [len(e.dataset) for e in train] == [240, 180, 180]
    assert [len(e.dataset) for e in benchmark.test_stream] == [120, 90, 90]
    assert benchmark.n_classes_per_exp == [4, 3, 3]
    x, label, task = train[1].dataset[0]
    assert (x.shape, int(label), int(task)) == ((2,), 4, 0)


def test_a_stock_strategy_trains_on_the_stream(bridge, tmp_path):
    from avalanche.training import Naive

    scenario = _scenario(tmp_path, {"kind": "class_incremental", "experiences": 5})
    benchmark = bridge.scenario_to_avalanche(scenario)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, benchmark.n_classes)
    )
    naive = Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        criterion=torch.nn.CrossEntropyLoss(),
        train_mb_size=16,
        train_epochs=3,
        evaluator=None,
    )
    for experience in benchmark.train_stream:
        naive.train(experience, num_workers=0)
    x, labels = next(
        iter(torch.utils.data.DataLoader(list(benchmark.test_stream)[-1].dataset, 60))
    )[:2]
    assert (model(x).argmax(1) == labels).float().mean() > 0.9


def test_a_stream_with_hidden_labels_is_refused(bridge, tmp_path):
    stream = {"kind": "novel_class_discovery", "labelled_classes": 6, "stages": 2}
    with pytest.raises(StreamError) as caught:
        bridge.scenario_to_avalanche(_scenario(tmp_path, stream))
    assert str(caught.value) == (
        "experience 1 has unlabelled samples; Avalanche needs a label for each"
    )
