import itertools
import warnings

import numpy as np
import pytest

from cilsim.report.canvas import as_rgb, as_svg
from cilsim.report.figures import (
    MOST_DIRECT_LABELS,
    forgetting_curves,
    spread,
    strategy_comparison,
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


def test_the_comparison_has_one_line_per_strategy_in_each_panel(make_result):
    figure = strategy_comparison([make_result("teen"), make_result("nmc", shift=-0.1)])
    assert [len(axes.lines) for axes in figure.axes] == [2, 2]
    assert [axes.get_ylim() for axes in figure.axes] == [(0.0, 1.0)] * 2
    assert list(figure.axes[0].lines[1].get_ydata()) == pytest.approx([0.8, 0.67, 0.46])


def test_a_metric_that_begins_later_is_drawn_from_there(make_result):
    line = strategy_comparison([make_result()]).axes[1].lines[0]
    assert list(line.get_xdata()) == [1, 2]


def test_bands_are_drawn_for_two_seeds_or_more(make_result):
    one = strategy_comparison([make_result(seed=0)])
    two = strategy_comparison([make_result(seed=0), make_result(seed=1, shift=0.01)])
    assert [len(f.axes[0].collections) for f in (one, two)] == [0, 1]


def test_many_strategies_are_all_in_the_legend(make_result):
    figure = strategy_comparison([make_result(f"s{k}") for k in range(12)])
    assert len(figure.legends[0].get_texts()) == 12


def test_a_name_that_looks_like_a_formula_is_drawn_as_it_is(make_result):
    svg = as_svg(strategy_comparison([make_result(r"$\bad{<b>$")]))
    assert r"$\bad{&lt;b&gt;$" in svg


def test_a_name_that_the_font_lacks_warns_nobody(make_result):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = as_rgb(strategy_comparison([make_result("方法")]))
    assert picture.shape == (460, 1000, 3)
