from __future__ import annotations

import torch

from cilsim.prototypes.novelty import least_like

CENTRES = torch.tensor([[2.0, 0.1], [0.0, 3.0], [-1.0, 0.5], [0.7, 0.7]])
KNOWN = torch.tensor([[5.0, 0.0]])


def test_the_centre_that_known_rows_explain_least_comes_first() -> None:
    assert torch.equal(least_like(CENTRES, KNOWN, 2), CENTRES[[2, 1]])


def test_a_centre_is_judged_by_the_known_row_most_like_it() -> None:
    known = torch.cat([KNOWN, torch.tensor([[-2.0, 1.0]])])
    assert torch.equal(least_like(CENTRES, known, 1), CENTRES[[1]])


def test_fewer_centres_than_asked_for_are_all_returned() -> None:
    assert torch.equal(least_like(CENTRES[:1], KNOWN, 3), CENTRES[:1])
