from dataclasses import replace

import numpy as np
import pytest

from cilsim.report.canvas import as_rgb
from cilsim.report.matrices import (
    MOST_NUMBERED_ROWS,
    accuracy_matrix,
    borders,
    confusion_matrix,
    forgetting,
    forgetting_matrix,
)


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_accuracies_are_drawn_from_zero_to_one_with_numbers(evaluations):
    figure = accuracy_matrix(evaluations[-1].accuracy_matrix)
    assert figure.axes[0].images[0].get_clim() == (0.0, 1.0)
    assert texts(figure) == ["0.90", "0.80", "0.70", "0.50", "0.60", "0.65"]


def test_cells_that_were_not_measured_are_blank(evaluations):
    drawn = accuracy_matrix(evaluations[0].accuracy_matrix).axes[0].images[0].get_array()
    assert drawn.mask.tolist() == [[False, True, True], [True] * 3, [True] * 3]


def test_large_matrices_have_no_numbers():
    figure = accuracy_matrix(np.full((MOST_NUMBERED_ROWS + 1,) * 2, 0.5))
    assert texts(figure) == []


def test_numbers_are_black_on_light_and_white_on_dark_cells():
    figure = accuracy_matrix(np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert [text.get_color() for text in figure.axes[0].texts[:2]] == ["white", "black"]


def test_forgetting_is_best_earlier_minus_present(evaluations):
    nan = np.nan
    expected = [[nan, nan, nan], [0.1, nan, nan], [0.4, 0.1, nan]]
    np.testing.assert_allclose(forgetting(evaluations[-1].accuracy_matrix), expected)


def test_forgetting_is_drawn_around_zero(evaluations):
    figure = forgetting_matrix(evaluations[-1].accuracy_matrix)
    assert figure.axes[0].images[0].get_clim() == (-1.0, 1.0)
    assert texts(figure) == ["0.10", "0.40", "0.10"]


def test_the_first_experience_has_an_empty_forgetting_matrix(evaluations):
    figure = forgetting_matrix(evaluations[0].accuracy_matrix)
    assert (texts(figure), figure.axes[0].images[0].get_array().mask.all()) == ([], True)


def test_confusion_is_normalised_by_row(stream):
    counts = np.array([[8, 2, 0, 0], [0, 5, 5, 0], [0, 0, 0, 0], [1, 0, 0, 3]])
    drawn = confusion_matrix(counts, stream).axes[0].images[0].get_array()
    expected = [[0.8, 0.2, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [None] * 4, [0.25, 0.0, 0.0, 0.75]]
    assert drawn.tolist() == expected


def test_borders_lie_between_experiences_seen_so_far(stream):
    assert [borders(stream, classes) for classes in (2, 3, 4)] == [[], [2], [2, 3]]


def test_borders_are_drawn_on_both_axes(stream):
    across, down = confusion_matrix(np.eye(4, dtype=np.int64), stream).axes[0].collections
    assert [line.tolist() for line in across.get_segments()] == [
        [[-0.5, 1.5], [3.5, 1.5]],
        [[-0.5, 2.5], [3.5, 2.5]],
    ]
    assert [line.tolist() for line in down.get_segments()] == [
        [[1.5, -0.5], [1.5, 3.5]],
        [[2.5, -0.5], [2.5, 3.5]],
    ]


def test_the_confusion_matrix_has_room_for_classes_that_are_to_come(stream):
    axes = confusion_matrix(np.eye(2, dtype=np.int64), stream).axes[0]
    assert (axes.get_xlim(), axes.get_ylim()) == ((-0.5, 3.5), (3.5, -0.5))


def test_more_classes_than_pixels_share_rows_and_say_so(stream):
    counts = np.eye(720, dtype=np.int64)
    counts[0] += 1  # label 0 is called everything
    axes = confusion_matrix(counts, stream).axes[0]
    drawn = axes.images[0]
    assert drawn.get_array().shape == (360, 360)
    assert drawn.get_array()[0, :2].tolist() == pytest.approx([4 / 722, 2 / 722])
    assert drawn.get_extent() == [-0.5, 719.5, 719.5, -0.5]
    assert [text.get_text() for text in axes.figure.texts] == [
        "confusion matrix, 2 classes to a cell"
    ]


@pytest.mark.parametrize("classes", [1, 200])
def test_few_and_many_classes_can_be_drawn(classes, stream):
    labels = tuple(range(classes))
    one = replace(stream.experiences[0], new_labels=labels, seen=classes)
    wide = replace(stream, experiences=(one,), class_ids=labels)
    picture = as_rgb(confusion_matrix(np.eye(classes, dtype=np.int64), wide))
    assert picture.shape == (450, 540, 3)
