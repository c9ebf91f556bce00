"""The plumbing behind the LeNet Lab notebooks. What a chapter teaches is written out in the chapter, not here."""

from helpers.environment import check_environment

check_environment()  # first: what is missing is said in words, not by the import that fails

from helpers import checks, cores, experiments, labs, plotting
from helpers.data import Batches, DataError, ImageData, fashion_mnist, mnist, train_validation_split
from helpers.diagnosis import diagnose
from helpers.metrics import Accumulator, Timer, accuracy, confusion_counts
from helpers.models import conv_output_size, layer_table, lenet, mlp, num_parameters, xavier
from helpers.pretrained import pretrained
from helpers.training import Progress, evaluate_accuracy, load_weights, save_weights, train, try_gpu

cores.keep_to_limit()
