"""Pictures: functions from a state to a Matplotlib figure. No widgets, no training, no pyplot."""

from helpers.plotting.charts import LiveCurves, accuracy_on, bars, confusion_matrix, curves, histogram, lines
from helpers.plotting.images import feature_maps, images, matrices, predictions
from helpers.plotting.networks import network
from helpers.plotting.style import (
    BLUE,
    COLOURS,
    DPI,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    TROUBLE,
    Figure,
    Sheet,
    drawn,
)
from helpers.plotting.windows import convolution

__all__ = [
    "BLUE", "COLOURS", "DPI", "GREEN", "GREY", "ORANGE", "PURPLE", "RED", "SKY", "TROUBLE", "Figure", "LiveCurves",
    "Sheet", "accuracy_on", "bars", "confusion_matrix", "convolution", "curves", "drawn", "feature_maps", "histogram",
    "images", "lines", "matrices", "network", "predictions",
]  # fmt: skip
