"""The film of a run's past, and the one that the README shows."""

from PIL import Image

from helpers import labs
from tests import film


def test_a_run_becomes_a_film_with_a_frame_a_moment(sample, tmp_path, monkeypatch):
    lab = labs.trainer(sample, num_epochs=1)
    monkeypatch.setattr("helpers.labs.past.steps_to_keep", lambda total, most: [0, 1, 8])
    lab.start()
    while not lab.history:
        lab.runner._thread.join(0.01)
    lab.stop()
    moments = len(lab.below["past"]["moments"])
    size = film.film(lab, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as made:
        assert (made.n_frames, made.size) == (moments, (900, 400))
    assert size < film.MOST_BYTES
    lab.close()


def test_the_readmes_film_is_small_and_lasts_about_five_seconds():
    assert film.PATH.stat().st_size <= film.MOST_BYTES
    with Image.open(film.PATH) as made:
        seconds = 0
        for number in range(made.n_frames):
            made.seek(number)
            seconds += made.info["duration"] / 1000
    assert 3 <= seconds <= 8
