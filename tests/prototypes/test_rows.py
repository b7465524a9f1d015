from __future__ import annotations

import torch

from cilsim.prototypes.rows import moved_rows, raw_rows, with_lengths

MEANS = torch.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
CALIBRATED = torch.tensor([[9.0, 0.0], [0.0, 9.0]])


def test_without_prototypes_all_means_are_taken() -> None:
    assert torch.equal(moved_rows(None, MEANS, torch.tensor([1, 1, 1])), MEANS)


def test_rows_move_where_samples_came_and_others_stay_as_they_are() -> None:
    rows = moved_rows(CALIBRATED, MEANS, torch.tensor([0, 5, 2]))
    assert rows.tolist() == [[9.0, 0.0], [2.0, 2.0], [3.0, 3.0]]


def test_classes_that_only_come_again_add_no_row() -> None:
    rows = moved_rows(CALIBRATED, MEANS[:2], torch.tensor([3, 0]))
    assert rows.tolist() == [[1.0, 1.0], [0.0, 9.0]]


def test_the_first_rows_are_raw_means() -> None:
    assert raw_rows(MEANS, None, None) is MEANS


def test_a_calibrated_row_keeps_its_raw_mean_and_a_moved_row_is_raw_again() -> None:
    raw, before = MEANS[:2] + 10.0, CALIBRATED
    now = torch.stack([CALIBRATED[0], torch.tensor([5.0, 5.0]), MEANS[2]])
    assert raw_rows(now, raw, before).tolist() == [[11.0, 11.0], [5.0, 5.0], [3.0, 3.0]]


def test_rows_are_stretched_and_one_that_has_its_length_stays_to_the_last_bit() -> None:
    third = torch.tensor([1.0, 1.0]) / 3.0
    rows_KD = torch.stack([torch.tensor([0.0, 2.0]), third, torch.tensor([0.0, 0.0])])
    lengths_K = torch.tensor([5.0, float(third.norm()), 1.0])
    stretched_KD = with_lengths(rows_KD, lengths_K)
    assert torch.equal(stretched_KD[0], torch.tensor([0.0, 5.0]))
    assert torch.equal(stretched_KD[1], third)
    assert torch.equal(stretched_KD[2], torch.zeros(2))  # no direction, no length
