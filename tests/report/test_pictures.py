import numpy as np

from cilsim.report.canvas import as_rgb
from cilsim.report.figures import forgetting_curves
from cilsim.report.pictures import Pictures, pictures_of


def test_there_are_four_pictures_in_colour(stream, evaluations):
    drawn = Pictures(stream).draw(evaluations[1])
    assert {tag: (picture.shape, picture.dtype) for tag, picture in drawn.items()} == {
        "matrix/accuracy": ((450, 540, 3), np.uint8),
        "matrix/forgetting": ((450, 540, 3), np.uint8),
        "matrix/confusion": ((450, 540, 3), np.uint8),
        "figures/forgetting_curves": ((440, 660, 3), np.uint8),
    }


def test_a_picture_does_not_depend_on_those_before(stream, evaluations):
    used = Pictures(stream)
    for evaluation in evaluations:
        used.draw(evaluation)
    again, fresh = used.draw(evaluations[1]), Pictures(stream).draw(evaluations[1])
    assert {tag: bool((again[tag] == fresh[tag]).all()) for tag in fresh} == dict.fromkeys(
        fresh, True
    )


def test_curves_are_those_of_the_report(stream, evaluations):
    drawn = Pictures(stream).draw(evaluations[2])["figures/forgetting_curves"]
    figure = forgetting_curves(
        evaluations[2].accuracy_matrix, "forgetting curves after experience 2"
    )
    assert (drawn == as_rgb(figure)).all()


def test_strategies_on_one_stream_share_the_frames(stream):
    assert pictures_of(stream) is pictures_of(stream)
