"""Chapter 5: the collecting lab's picture, the word that is asked for and a drawing as the network sees it."""

from helpers.plotting.images import images as grid
from helpers.plotting.style import drawn


@drawn
def asked_for(word, image):
    """image: a drawing, (1, 28, 28) bytes, shown below the word that is asked for."""
    said = f"“{word}” is asked for; below it the drawing as the network will see it"
    return grid(image[None], [f"draw: {word}"], alt=said)
