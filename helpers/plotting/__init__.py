"""Pictures: functions that turn a state into a Matplotlib figure. No widgets, no training, no pyplot.

The still picture of lab x is in `x.py`, and a picture in the text of chapter N in `chapterN.py`; charts, images and
matrices of numbers that several chapters show are in `charts.py` and `images.py`.
"""

from helpers.plotting.chapter1 import idx_file
from helpers.plotting.chapter2 import channels, sliding, window, windows_and_cells
from helpers.plotting.chapter3 import flattening, network
from helpers.plotting.chapter4 import story, training_loop
from helpers.plotting.chapter5 import gaps
from helpers.plotting.charts import bars, confusion_matrix, histogram, lines
from helpers.plotting.class_data import drawings
from helpers.plotting.class_experiment import scatter
from helpers.plotting.collect import asked_for
from helpers.plotting.colours import BLUE, COLOURS, DPI, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, TROUBLE
from helpers.plotting.convolution import convolution
from helpers.plotting.course_map import course_map
from helpers.plotting.drawing import opinions
from helpers.plotting.explorer import examples
from helpers.plotting.honest_split import honest_split
from helpers.plotting.images import feature_maps, images, matrices, predictions
from helpers.plotting.learn_kernel import learn_kernel
from helpers.plotting.microscope import microscope
from helpers.plotting.pooling import pooling
from helpers.plotting.reproduce import published_against_ours, reproduction
from helpers.plotting.shapes import network_with_costs
from helpers.plotting.style import Figure, Sheet, drawn
from helpers.plotting.trainer import LiveCurves, curves
from helpers.plotting.versus import accuracy_on, confusions
