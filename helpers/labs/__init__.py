"""Labs: what moves under the hand in a notebook. One file a lab; each is one line in its chapter."""

from helpers.labs.convolution import convolution
from helpers.labs.explorer import explorer
from helpers.labs.live import watch
from helpers.labs.pooling import pooling
from helpers.labs.shapes import shapes
from helpers.labs.trainer import trainer
from helpers.labs.versus import versus

__all__ = ["convolution", "explorer", "pooling", "shapes", "trainer", "versus", "watch"]
