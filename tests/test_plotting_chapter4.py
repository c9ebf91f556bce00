"""The picture of the training loop: five stations in a circle, with the numbers of the step that it is given."""

import itertools
import math

import pytest
import torch
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from helpers import plotting

STEPS = {
    "chapter 4's": (torch.zeros(64, 1, 28, 28), torch.zeros(64, 10), 2.3026, 0.1),
    "with long numbers": (torch.zeros(256, 3, 224, 224), torch.zeros(256, 1000), 123.456, 0.00125),
    "that blew up": (torch.zeros(1, 1, 28, 28), torch.zeros(1, 10), math.nan, 1.0),
}


def kinds(figure, kind):
    return [patch for patch in figure.ax.patches if isinstance(patch, kind)]


@pytest.mark.parametrize("name", STEPS)
def test_type_can_be_read_and_stands_inside_its_station(name):
    figure = plotting.training_loop(*STEPS[name])
    assert figure.png().startswith(b"\x89PNG")
    assert all(text.get_fontsize() >= 11 for text in figure.ax.texts)
    places = [text.get_window_extent() for text in figure.ax.texts]
    for one, other in itertools.combinations(places, 2):
        assert not one.overlaps(other)
    stations = [station.get_window_extent() for station in kinds(figure, FancyBboxPatch)]
    inside = [
        [place for place in places if station.x0 < place.x0 and place.x1 < station.x1 and station.overlaps(place)]
        for station in stations
    ]
    assert [len(words) for words in inside] == [4] * 5  # number, name, code, what it makes
    assert len(places) == 4 * 5 + 2  # and in the middle what once around is


def test_it_shows_the_numbers_of_this_step_and_says_them_in_words():
    figure = plotting.training_loop(*STEPS["chapter 4's"])
    written = [text.get_text() for text in figure.ax.texts]
    assert {"X: 64×1×28×28", "scores: 64×10", "one number: 2.303", "weight − 0.1 · gradient"} <= (set(written))
    assert "1 batch: next X, y; zero_grad(), X: 64×1×28×28" in figure.alt
    assert "4 backward: loss.backward(), a gradient for each weight; 5 step: optimizer.step()" in figure.alt


def test_each_arrow_leads_to_the_next_station_and_lies_under_none():
    figure = plotting.training_loop(*STEPS["chapter 4's"])
    stations = [station.get_window_extent() for station in kinds(figure, FancyBboxPatch)]
    arrows = kinds(figure, FancyArrowPatch)
    assert len(stations) == len(arrows) == 5
    for i, arrow in enumerate(arrows):
        points = figure.ax.transData.transform(arrow.get_path().vertices)
        assert not any(station.contains(*point) for station in stations for point in points)

        def distance(station, point):
            return math.dist(point, (sum(station.intervalx) / 2, sum(station.intervaly) / 2))

        assert min(stations, key=lambda station: distance(station, points[0])) is stations[i]
