"""The collecting lab's picture: what is asked for, and what the network sees of a drawing."""

from helpers.plotting.images import images as grid
from helpers.plotting.style import drawn


@drawn
def asked_for(word, image):
    """A drawing, (1, 28, 28) bytes, below the word that is asked for."""
    said = f"“{word}” is asked for; below it the drawing as the network will see it"
    return grid(image[None], [f"draw: {word}"], alt=said)
