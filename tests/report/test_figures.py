import itertools

import numpy as np
import pytest

from cilsim.report.figures import (
    MOST_DIRECT_LABELS,
    forgetting_curves,
    spread,
)


def staircase(count: int) -> np.ndarray:
    """R where each experience loses a hundredth per later experience."""
    i, j = np.mgrid[:count, :count]
    return np.where(i >= j, 0.9 - 0.01 * (i - j), np.nan)


def labels(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("count", [1, 2, 9, 20, 60])
def test_each_experience_has_one_line_from_its_own_position_on(count):
    figure = forgetting_curves(staircase(count))
    lines = figure.axes[0].lines
    starts = [int(np.flatnonzero(np.isfinite(line.get_ydata()))[0]) for line in lines]
    assert starts == list(range(count))


def test_the_accuracy_axis_is_always_zero_to_one():
    assert forgetting_curves(staircase(3) / 10).axes[0].get_ylim() == (0.0, 1.0)


def test_experiences_that_were_not_measured_yet_have_no_line_but_their_place():
    matrix = staircase(9)
    matrix[4:] = np.nan
    axes = forgetting_curves(matrix).axes[0]
    assert (len(axes.lines), axes.get_xlim()) == (4, (-0.15, 8.15))


def test_lines_are_labelled_directly():
    assert labels(forgetting_curves(staircase(3))) == [f"experience {j}" for j in range(3)]


def test_labels_never_touch_and_stay_inside():
    texts = forgetting_curves(staircase(MOST_DIRECT_LABELS)).axes[0].texts
    heights = sorted(text.get_position()[1] for text in texts)
    gaps = [upper - lower for lower, upper in itertools.pairwise(heights)]
    assert min(gaps) == pytest.approx(0.038)
    assert (heights[0] >= 0.0, heights[-1] <= 1.0) == (True, True)


def test_too_many_lines_get_a_colour_bar_instead_of_labels():
    figure = forgetting_curves(staircase(MOST_DIRECT_LABELS + 1))
    assert (labels(figure), len(figure.axes)) == ([], 2)


def test_lines_differ_in_colour():
    lines = forgetting_curves(staircase(20)).axes[0].lines
    assert len({tuple(line.get_color()) for line in lines}) == 20


def test_spread_leaves_positions_that_are_far_apart():
    assert spread([0.1, 0.9, 0.5], gap=0.1) == pytest.approx([0.1, 0.9, 0.5])


def test_spread_centres_a_cluster_on_its_members():
    assert spread([0.5, 0.5, 0.5], gap=0.1) == pytest.approx([0.6, 0.5, 0.4])


def test_spread_keeps_a_cluster_at_the_edge_inside():
    assert spread([0.0, 0.01], gap=0.1) == pytest.approx([0.0, 0.1])
    assert spread([1.0, 0.99], gap=0.1) == pytest.approx([1.0, 0.9])
