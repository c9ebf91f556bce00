"""Errors for students: each has a message that gives the numbers and says what to do."""


class ShapeError(ValueError):
    """A network, images, labels or sizes that do not fit; the message has the numbers and says what to try."""


class DataError(ValueError):
    """A data file is missing or is not what it should be; the message names the file and the remedy."""


class WeightsError(ValueError):
    """A file does not hold weights for the network at hand; the message names the file and what to do."""
