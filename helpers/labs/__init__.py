"""Labs: what you can move in a notebook. Each lab has a file of its own, and is one line in its chapter.

Also `predict`, with which a student commits to a guess before a cell shows the truth, and the `Scoreboard`.
"""

from helpers.labs.bench import bench
from helpers.labs.class_data import class_data
from helpers.labs.class_experiment import class_experiment
from helpers.labs.collect import collect
from helpers.labs.convolution import convolution
from helpers.labs.drawing import drawing
from helpers.labs.explorer import explorer
from helpers.labs.honest_split import honest_split
from helpers.labs.learn_kernel import learn_kernel
from helpers.labs.microscope import microscope
from helpers.labs.pooling import pooling
from helpers.labs.question import Prediction, predict
from helpers.labs.question_bars import predict_bars
from helpers.labs.question_place import predict_place
from helpers.labs.scoreboard import Scoreboard
from helpers.labs.shapes import shapes
from helpers.labs.trainer import trainer
from helpers.labs.versus import versus
from helpers.labs.watch import watch
