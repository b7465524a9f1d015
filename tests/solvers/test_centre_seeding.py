from __future__ import annotations

import pytest
import torch

from cilsim.solvers.centre_seeding import draw_centres
from cilsim.solvers.point_rows import PointRows

LINE = PointRows(torch.tensor([[0.0], [1.0], [3.0], [3.0]]))
NONE = torch.zeros(0, 1)


def draw(pinned, *uniforms):
    """First centres of one restart with one candidate per centre."""
    draws = torch.tensor(uniforms, dtype=torch.float64).view(1, -1, 1)
    return draw_centres(LINE, pinned, draws)[0].flatten().tolist()


@pytest.mark.parametrize(("uniform", "first"), [(0.0, 0.0), (0.49, 1.0), (0.5, 3.0), (0.99, 3.0)])
def test_without_pinned_centres_the_first_is_a_uniform_draw(uniform, first):
    assert draw(NONE, uniform) == [first]


@pytest.mark.parametrize(
    ("uniform", "chosen"),
    [(0.0, 1.0), (1 / 19 - 1e-3, 1.0), (1 / 19 + 1e-3, 3.0), (0.999, 3.0)],
    ids=["zero", "below", "above", "last"],
)
def test_shares_are_squared_distances_to_the_nearest_centre(uniform, chosen):
    # squared distances to the pinned centre at 0 are 0, 1, 9, 9
    assert draw(torch.tensor([[0.0]]), uniform) == [0.0, chosen]


def test_each_centre_lowers_the_shares_of_points_near_it():
    # after 0 and 3 only the point at 1 has a distance, so any uniform takes it
    assert draw(torch.tensor([[0.0]]), 0.9, 0.0) == [0.0, 3.0, 1.0]
    assert draw(torch.tensor([[0.0]]), 0.9, 0.99) == [0.0, 3.0, 1.0]


def test_if_every_point_is_a_centre_the_first_point_is_taken():
    pinned = torch.tensor([[0.0], [1.0], [3.0]])
    assert draw(pinned, 0.7) == [0.0, 1.0, 3.0, 0.0]


def test_of_several_candidates_the_one_that_leaves_least_is_taken():
    draws = torch.tensor([[[0.01, 0.5], [0.5, 0.5]]], dtype=torch.float64)
    centres = draw_centres(LINE, torch.tensor([[0.0]]), draws)
    # candidates 1 and 3 leave 4 + 4 and 1
    assert centres[0].flatten().tolist() == [0.0, 3.0, 1.0]


def test_restarts_draw_for_themselves():
    draws = torch.tensor([[[0.0]], [[0.999]]], dtype=torch.float64)
    centres = draw_centres(LINE, torch.tensor([[0.0]]), draws)
    assert centres.squeeze(2).tolist() == [[0.0, 1.0], [0.0, 3.0]]
