"""Checks of the exercises: each runs a student's answer and says ✅, or which mistake was made and what to try.

And `predict`, with which a student commits to a guess before a cell shows the truth.
"""

from helpers.checks.convolution import (
    check_conv_layer,
    check_diagonal_kernel,
    check_max_pool,
    check_output_sizes,
    check_receptive_field,
)
from helpers.checks.data import (
    check_balanced_subset,
    check_batch_sizes,
    check_mean_brightness,
    check_normalise,
    check_read_labels,
)
from helpers.checks.prediction import Prediction, predict
from helpers.checks.shapes import check_conv_cost, check_dense_to_conv, check_flatten_size, check_own_network
from helpers.checks.training import check_challenge, check_evaluate, check_repaired_epoch, check_training_step
from helpers.checks.verdict import NOT_YET, Verdict
from helpers.checks.versus import (
    check_class_accuracy,
    check_freeze_features,
    check_hidden_width,
    check_permute_weights,
    check_shift_right,
)

__all__ = [
    "NOT_YET",
    "Prediction",
    "Verdict",
    "check_balanced_subset",
    "check_batch_sizes",
    "check_challenge",
    "check_class_accuracy",
    "check_conv_cost",
    "check_conv_layer",
    "check_dense_to_conv",
    "check_diagonal_kernel",
    "check_evaluate",
    "check_flatten_size",
    "check_freeze_features",
    "check_hidden_width",
    "check_max_pool",
    "check_mean_brightness",
    "check_normalise",
    "check_output_sizes",
    "check_own_network",
    "check_permute_weights",
    "check_read_labels",
    "check_receptive_field",
    "check_repaired_epoch",
    "check_shift_right",
    "check_training_step",
    "predict",
]
