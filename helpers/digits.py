"""A digit drawn by hand or photographed, made into an image like those of MNIST."""

import torch
from PIL import Image

BOX, SIZE = 20, 28  # pixels


def like_mnist(strokes):
    """Scale and centre a drawing like MNIST's digits (chapters 1 and 5).

    strokes: (height, width) bytes, bright on black 0. Returns (1, 28, 28) bytes; an empty drawing stays empty.

    LeCun, Cortes and Burges, yann.lecun.com/exdb/mnist: the digits fill a box of 20×20 pixels in one direction, with
    their proportions kept and grey levels at their edges, and their centre of mass is the centre of the image.
    """
    image = torch.zeros(1, SIZE, SIZE, dtype=torch.uint8)
    rows, columns = strokes.any(dim=1).nonzero()[:, 0], strokes.any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return image
    cut = strokes[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(BOX * side / max(cut.shape))) for side in cut.shape)
    # Resampling.BOX: each new pixel is the mean of the pixels that it covers.
    small = Image.fromarray(cut.cpu().numpy()).resize((width, height), Image.Resampling.BOX)
    digit = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8).reshape(height, width)
    if digit.any():  # the mean of faint dust is 0
        top, left = corner(digit)
        image[0, top : top + height, left : left + width] = digit
    return image


def corner(digit):
    """The row and column at which a digit, (height, width) bytes, begins if its centre of mass is in the middle."""
    mass = digit.float()
    middle = []
    for size, weights in ((digit.shape[0], mass.sum(dim=1)), (digit.shape[1], mass.sum(dim=0))):
        centre = float((weights * torch.arange(size)).sum() / weights.sum())
        # Row 14, not 13.5, as in all 10,000 digits of the sample. Nothing of a lopsided drawing is cut off.
        middle.append(min(max(round(SIZE / 2 - centre), 0), SIZE - size))
    return middle
