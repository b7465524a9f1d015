import xml.etree.ElementTree as ElementTree

import numpy as np

from cilsim.report.canvas import as_rgb, as_svg, new_figure


def test_a_figure_becomes_rgb_of_its_size():
    picture = as_rgb(new_figure(2.0, 1.0))
    assert (picture.shape, picture.dtype) == ((120, 240, 3), np.uint8)
    assert (picture == 255).all()


def test_svg_is_one_element_that_any_parser_reads():
    root = ElementTree.fromstring(as_svg(new_figure(2.0, 1.0)))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_equal_figures_give_equal_svg():
    def drawn() -> str:
        figure = new_figure(3.0, 2.0)
        figure.add_axes((0.1, 0.1, 0.8, 0.8)).plot([1, 2])
        return as_svg(figure)

    assert drawn() == drawn()


def test_pyplot_is_not_loaded():
    import subprocess
    import sys

    code = (
        "import sys; from cilsim.report.canvas import as_rgb, new_figure;"
        "as_rgb(new_figure(1, 1)); print('matplotlib.pyplot' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
