import subprocess
import sys

import numpy as np

from cilsim.report.canvas import Stage, as_rgb, new_figure, write_title


def test_a_figure_becomes_rgb_of_its_size():
    picture = as_rgb(new_figure(2.0, 1.0))
    assert (picture.shape, picture.dtype) == ((100, 200, 3), np.uint8)
    assert (picture == 255).all()


def test_pyplot_is_not_loaded():
    code = (
        "import sys; from cilsim.report.canvas import as_rgb, new_figure;"
        "as_rgb(new_figure(1, 1));"
        "print('matplotlib.pyplot' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_a_stage_draws_content_like_a_new_figure():
    def axes():
        place = new_figure(3.0, 2.0).add_axes((0.2, 0.2, 0.7, 0.6))
        place.set(xlim=(0, 1), ylim=(0, 1))
        return place

    def fill(axes):
        return [*axes.plot([0.1, 0.9], [0.2, 0.8], "o-"), write_title(axes, "title")]

    new = axes()
    fill(new)
    assert (Stage(axes()).picture(fill) == as_rgb(new.get_figure())).all()


def test_a_stage_forgets_what_was_drawn_before():
    axes = new_figure(3.0, 2.0).add_axes((0.2, 0.2, 0.7, 0.6))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    stage = Stage(axes)
    empty = stage.picture(lambda axes: [])
    drawn = stage.picture(lambda axes: axes.plot([0.1, 0.9], [0.2, 0.8]))
    assert (drawn != empty).any()
    assert (stage.picture(lambda axes: []) == empty).all()
