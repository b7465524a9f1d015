from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from cilsim.solvers import lloyd
from cilsim.solvers.lloyd import iterate
from cilsim.solvers.point_rows import PointRows
from cilsim.solvers.restarts import gather_points

NO_IDS = torch.zeros(0, dtype=torch.int64)


def line(*values):
    return torch.tensor(values).unsqueeze(1)


def points(*values):
    return gather_points(PointRows(line(*values)), PointRows(line(*values)[:0]), NO_IDS, 0)


def test_an_empty_cluster_takes_the_farthest_point():
    # the third centre wins no point; points 0 and 1 are equally far, the lower one moves
    found = iterate(points(0.0, 1.0, 10.0), line(0.5, 10.0, 1000.0).unsqueeze(0), 10, 1e-4)
    assert found.labels[0].tolist() == [2, 0, 1]
    assert found.centres.flatten().tolist() == [1.0, 10.0, 0.0]
    assert found.inertia.tolist() == [0.0]


def test_empty_clusters_are_refilled_one_per_iteration():
    start = line(5.0, 1000.0, 2000.0, 3000.0).unsqueeze(0)
    found = iterate(points(0.0, 4.0, 6.0, 13.0), start, 10, 1e-4)
    assert sorted(found.labels.flatten().tolist()) == [0, 1, 2, 3]
    assert found.inertia.tolist() == [0.0]


def test_an_empty_cluster_keeps_its_centre_if_no_point_is_away_from_its_own():
    found = iterate(points(1.0, 1.0, 3.0), line(1.0, 3.0, 50.0).unsqueeze(0), 10, 1e-4)
    assert found.labels.flatten().tolist() == [0, 0, 1]
    assert found.centres.flatten().tolist() == [1.0, 3.0, 50.0]
    assert found.iterations.tolist() == [1]


def test_a_restart_that_stopped_is_not_touched_by_those_that_go_on():
    data = points(0.0, 0.1, 0.2, 5.0, 5.1, 9.0)
    settled, moving = line(0.1, 19.1 / 3), line(0.0, 0.1)
    together = iterate(data, torch.stack([settled, moving]), 50, 1e-4)
    for row, start in enumerate((settled, moving)):
        alone = iterate(data, start.unsqueeze(0), 50, 1e-4)
        assert torch.equal(together.labels[row], alone.labels[0])
        assert torch.equal(together.centres[row], alone.centres[0])
        assert together.iterations[row] == alone.iterations[0]
    assert together.iterations[0] < together.iterations[1]


def test_restarts_left_behind_at_once_end_as_those_looked_at_every_fourth_time(monkeypatch):
    values = torch.randn(90, 2, generator=torch.Generator().manual_seed(1))
    data = gather_points(PointRows(values), PointRows(values[:0]), NO_IDS, 0)
    start = values[:40].view(10, 4, 2)
    at_once = iterate(data, start, 60, 1e-4)
    monkeypatch.setattr(lloyd, "_waits", lambda device: True)
    late = iterate(data, start, 60, 1e-4)
    assert len(set(at_once.iterations.tolist())) > 3
    assert torch.equal(at_once.iterations, late.iterations)
    assert torch.equal(at_once.labels, late.labels)
    torch.testing.assert_close(at_once.centres, late.centres)


def test_inertia_is_taken_before_the_update():
    found = iterate(points(0.0, 2.0), line(0.0).unsqueeze(0), 1, 1e-4)
    assert found.inertia.tolist() == [4.0]
    assert found.centres.flatten().tolist() == [1.0]


def test_pinned_points_count_in_inertia_and_update():
    pinned = torch.tensor([0, 0])
    data = gather_points(PointRows(line(1.0)), PointRows(line(3.0, 5.0)), pinned, 1)
    found = iterate(data, line(4.0).unsqueeze(0), 1, 1e-4)
    assert found.inertia.tolist() == [9.0 + 1.0 + 1.0]
    assert found.centres.flatten().tolist() == [3.0]


def test_the_best_restart_is_the_first_of_equals():
    start = torch.stack([line(5.0), line(0.0), line(0.0)])
    best = iterate(points(-1.0, 1.0), start, 1, 1e-4).best()
    assert best.inertia.tolist() == [2.0]
    assert best.labels.shape == (1, 2)


class HostWaits(TorchDispatchMode):
    """Counts the operators that make the host wait for the device."""

    names = ("_local_scalar_dense", "nonzero", "bincount", "_unique2", "equal")

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func.overloadpacket.__name__ in self.names
        return func(*args, **(kwargs or {}))


def test_the_host_waits_once_in_four_iterations(monkeypatch):
    monkeypatch.setattr(lloyd, "_waits", lambda device: True)
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(60, 3, generator=generator)
    data = gather_points(PointRows(values), PointRows(values[:0]), NO_IDS, 0)
    with HostWaits() as waits:
        found = iterate(data, values[:10].view(2, 5, 3), 8, 0.0)
    assert found.iterations.tolist() == [8, 8]
    assert waits.count == 2
