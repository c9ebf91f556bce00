"""Checks of the exercises: each runs a student's answer and says ✅, or which mistake was made and what to try."""

from helpers.checks.blank import yours
from helpers.checks.chapter1 import (
    check_balanced_subset,
    check_mean_brightness,
    check_mean_model,
    check_mini_batches,
    check_normalise,
    check_read_labels,
)
from helpers.checks.chapter2 import (
    check_conv_layer,
    check_diagonal_kernel,
    check_edge_map,
    check_max_pool,
    check_output_sizes,
    check_receptive_field,
)
from helpers.checks.chapter3 import (
    check_colour_net,
    check_conv_cost,
    check_dense_to_conv,
    check_flatten_size,
    check_own_network,
)
from helpers.checks.chapter4 import (
    check_challenge,
    check_evaluate,
    check_mended_loss,
    check_repaired_epoch,
    check_training_step,
)
from helpers.checks.chapter5 import (
    check_choose_rates,
    check_freeze_features,
    check_lead,
    check_shift_right,
    check_tolerant,
)
from helpers.checks.verdict import NOT_YET, Verdict
