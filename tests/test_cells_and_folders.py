"""What students bring to a notebook without knowing: their own settings, files, and cells that are run again."""

import matplotlib
import matplotlib.style
import pytest
from matplotlib.artist import Artist

from helpers import plotting


class Student(Artist):
    """In the middle of a drawing, a student changes a setting in another cell, and looks at another."""

    def draw(self, renderer):
        self.seen = matplotlib.rcParams["axes.grid"], matplotlib.rcParams["axes.titlelocation"]
        matplotlib.rcParams["lines.linewidth"] = 7


@pytest.fixture
def settings():
    """Matplotlib's settings, as they are before a student changes them; put back afterwards."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield matplotlib.rcParams


def test_a_setting_made_while_a_picture_is_drawn_survives_and_ours_are_never_seen(settings):
    figure, student = plotting.bars([1, 2], ["a", "b"]), Student()
    figure.add_artist(student)
    figure.png()
    assert settings["lines.linewidth"] == 7
    assert student.seen == (False, "center")


PICTURES = {
    "bars": lambda: plotting.bars([1, 2], ["a", "b"], "images"),
    "lines": lambda: plotting.lines([0, 1], {"LeNet": [0, 1], "MLP": [1, 0]}, "step", "loss", title="two lines"),
    "histogram": lambda: plotting.histogram([1, 2, 3], title="a histogram"),
    "scatter": lambda: plotting.scatter([1, 2, 100], [0.1, 0.5, 0.6], "learning rate", "accuracy"),
    "gaps": lambda: plotting.gaps([100, 1000], {"LeNet": [(1, 0.6), (0.95, 0.8)]}),
    "map of the course": lambda: plotting.course_map(1),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("style", ["dark_background", "grayscale", {"font.size": 30}, {"axes.grid": False}], ids=str)
def test_a_students_settings_do_not_spoil_our_pictures(name, style, settings):
    expected = PICTURES[name]().png()
    matplotlib.style.use(style)
    assert PICTURES[name]().png() == expected
