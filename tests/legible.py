"""Can the type in a picture be read? The check that the pictures' tests share."""

import itertools


def check_type(figure, smallest):
    """Every word of a `plotting.Sheet` is at least `smallest` points high, whole, and clear of the others."""
    assert figure.png().startswith(b"\x89PNG")
    assert all(word.size >= smallest for word in figure.words.words)
    places = figure.words.boxes()
    for place in places:
        assert 0 <= place.x0 < place.x1 <= figure.bbox.x1
        assert 0 <= place.y0 < place.y1 <= figure.bbox.y1
    for one, other in itertools.combinations(places, 2):
        assert not one.overlaps(other)
