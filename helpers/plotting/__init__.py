"""Pictures: functions from a state to a Matplotlib figure. No widgets, no training, no pyplot."""

from helpers.plotting.charts import LiveCurves, bars, confusion_matrix, curves, histogram, lines, scatter
from helpers.plotting.datasets import counts_and_means, example_at, examples, photo_to_example, pixel_numbers
from helpers.plotting.descent import kernel_learning
from helpers.plotting.flattening import flattening
from helpers.plotting.gaps import gaps
from helpers.plotting.idx import idx_file
from helpers.plotting.images import feature_maps, images, matrices, predictions
from helpers.plotting.loops import training_loop
from helpers.plotting.maps import course_map
from helpers.plotting.microscope import microscope
from helpers.plotting.networks import network, network_with_costs
from helpers.plotting.places import sliding, windows_and_cells
from helpers.plotting.results import published_against_ours, reproduction, story
from helpers.plotting.rivals import accuracy_on, confusions, opinions
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
from helpers.plotting.windows import convolution, output_cell_at, pooling

__all__ = [
    "BLUE", "COLOURS", "DPI", "GREEN", "GREY", "ORANGE", "PURPLE", "RED", "SKY", "TROUBLE", "Figure", "LiveCurves",
    "Sheet", "accuracy_on", "bars", "confusion_matrix", "confusions", "convolution", "counts_and_means", "course_map",
    "curves", "drawn", "example_at", "examples", "feature_maps", "flattening", "gaps", "histogram", "idx_file",
    "images", "kernel_learning", "lines", "matrices", "microscope", "network", "network_with_costs", "opinions",
    "output_cell_at", "photo_to_example", "pixel_numbers", "pooling", "predictions", "published_against_ours",
    "reproduction", "scatter", "sliding", "story", "training_loop", "windows_and_cells",
]  # fmt: skip
