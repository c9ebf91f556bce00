"""The plumbing behind the LeNet Lab notebooks. What a chapter teaches is written out in the chapter, not here."""

from helpers.environment import check_environment

check_environment()  # first: a clear message instead of a failing import

from helpers import checks, experiments, labs, plotting
from helpers.data import Batches, ImageData, fashion_mnist, mnist, train_validation_split
from helpers.diagnosis import diagnose
from helpers.errors import DataError
from helpers.image_arrays import idx_files, npz_file
from helpers.labs.class_drawings import class_data
from helpers.layers import layer_table
from helpers.machine import try_gpu
from helpers.metrics import Accumulator, Timer, accuracy, confusion_counts
from helpers.models import conv_output_size, lenet, mlp, num_parameters, xavier
from helpers.moving import moved
from helpers.not_yet_run import name_the_cell
from helpers.own_images import image_folder
from helpers.own_net import load_own_net, save_own_net
from helpers.training import Progress, evaluate_accuracy, train
from helpers.weights import load_weights, pretrained, save_weights
