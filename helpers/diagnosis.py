"""How a training run is going, judged by its losses and by the gradients that reach the layers (chapter 4)."""

import math
from dataclasses import dataclass

import torch

# The shortest gradient of a layer's weights as a share of the longest, measured on LeNet with the sample: 0.1 to 0.5
# while it learns, 0.002 to 0.04 on the plateau of its sigmoids, 0 with dead ReLUs, 1e-9 with saturated tanhs. A weight
# of 0.1 does not change if less than 4e-9 is added to it.
WEAK, NONE = 0.05, 1e-7
NEAR = 1.15  # times the loss of guessing: a loss above that is no longer near it


@dataclass(frozen=True)
class Diagnosis:
    """How a run is going.

    state: "learning", "learning slowly", "unsteady", "overfitting", "plateau", "not learning", or, if the run is lost,
    "diverged", "dead", "above its start", "risen"; advice: what the curve shows and what to do about it, "" for
    "learning".
    """

    state: str
    advice: str = ""

    @property
    def lost(self):
        """True if training longer will not help."""
        return self.state in ("diverged", "dead", "above its start", "risen")

    def __str__(self):
        return self.advice or "The network is learning."


def gradient_range(net):
    """The lengths (norms) of two gradients in `net`: the shortest of a layer's weights, the longest of any parameter.

    They are the gradients that `backward` left, and stay on the device; parameters without one do not count.
    """
    lengths = [(p.ndim, p.grad.norm()) for p in net.parameters() if p.grad is not None]
    if not lengths:  # the loss does not depend on these parameters
        return 0.0, 0.0
    weights = [length for ndim, length in lengths if ndim > 1] or [length for _, length in lengths]
    return torch.stack(weights).min(), torch.stack([length for _, length in lengths]).max()


def recent(history, epochs=0.5):
    """The mean loss of a run over its last `epochs`, and its shortest gradient as a share of the longest.

    A longer stretch is used if there are no gradients in this one, and all of a shorter run.
    """
    totals = [0.0] * 4  # of losses, of examples, of the shortest gradients, of the longest
    for before, after in zip([*history[-2::-1], None], history[::-1], strict=True):
        ends = [after.sums[0], after.sums[2], after.gradients[0], after.gradients[1]]
        begins = [0.0] * 4
        if before and math.ceil(before.epoch) == math.ceil(after.epoch):  # else the sums started again in between
            begins = [before.sums[0], before.sums[2], before.gradients[0], before.gradients[1]]
        totals = [total + end - begin for total, begin, end in zip(totals, begins, ends, strict=True)]
        if before and history[-1].epoch - before.epoch >= epochs and totals[3]:
            break
    loss, examples, shortest, longest = totals
    return loss / examples, shortest / longest if longest else 1.0


def diagnose(history):
    """Say how a run is going (chapter 4): a `Diagnosis`.

    history: a list of at least one `Progress` from `train`; the loss must be the cross-entropy. A network that only
    guesses has a loss of about ln(number of classes); its gradients, never the loss alone, tell whether it can still
    learn.
    """
    last = history[-1]
    if not math.isfinite(last.loss):
        return Diagnosis(
            "diverged",
            "Diverged: the loss is infinite or NaN, because the steps were too long. This network is lost: choose a "
            "smaller learning rate and train a new one.",
        )
    guessing = math.log(last.num_classes) if last.num_classes > 1 else math.nan
    loss, share = recent(history)
    first, best = history[0].loss, min(history, key=lambda progress: progress.loss)
    scale = f"ln {last.num_classes} = {guessing:.2f}, the loss of pure guessing"
    place = f"(near {scale})" if loss < NEAR * guessing else f"(above {scale})"
    if last.epoch >= 0.5 and loss > 0.98 * guessing and share < NONE:
        return Diagnosis(
            "dead",
            f"Dead: the loss stays at {loss:.2f} {place}, and no gradient gets back through all layers, so "
            "their weights never move again. Choose a smaller learning rate and train a new network.",
        )
    if loss > 1.2 * max(first, guessing):
        return Diagnosis(
            "above its start",
            f"The loss, {loss:.2f}, is above its start, {first:.2f}: the steps are too long. Choose a smaller "
            "learning rate.",
        )
    if loss > best.loss + 0.25 * guessing:
        return Diagnosis(
            "risen",
            f"The loss had come down to {best.loss:.2f} and has risen to {loss:.2f}: the steps are too long. "
            "Choose a smaller learning rate.",
        )
    return _not_lost(history, loss, share, guessing, scale)


def _not_lost(history, loss, share, guessing, scale):
    """The `Diagnosis` of a run that may still succeed."""
    last = history[-1]
    if last.epoch >= 0.5 and loss > NEAR * guessing:
        return Diagnosis(
            "not learning",
            f"Not learning yet: the loss, {loss:.2f}, is above {scale}: the network is sure of wrong answers. "
            "Scale the pixels from 0 to 1, begin with smaller weights, or choose a smaller learning rate.",
        )
    if last.epoch >= 0.5 and loss > 0.98 * guessing and share < WEAK:
        return Diagnosis(
            "plateau",
            f"A plateau: the loss stays near {scale}. Little gradient gets back to the first layers, but their weights "
            "still move, so it may end: train for more epochs, or choose another activation.",
        )
    if last.epoch >= 0.5 and loss > 0.998 * guessing:
        return Diagnosis(
            "not learning",
            f"Not learning yet: the loss is near {scale}, although gradients reach every layer. If the curve falls a "
            "little, choose a larger learning rate; if it jumps, a smaller one.",
        )
    if last.epoch >= 1 and loss > 0.9 * guessing:
        return Diagnosis(
            "learning slowly",
            f"Learning slowly: the loss falls, but is still near {scale}. Train for more epochs, or choose a larger "
            "learning rate.",
        )
    measured = [progress for progress in history if progress.val_acc is not None]
    if measured and measured[-1].train_acc - measured[-1].val_acc > 0.1:
        now, _ = recent(history, 0.1)
        if now > loss + 0.1 * guessing:  # a network of this one moment, not one that has learned its images by heart
            return Diagnosis(
                "unsteady",
                f"Unsteady: the loss jumps. It is {now:.2f} now, {loss:.2f} on average over the last half epoch, and "
                f"at this moment only {measured[-1].val_acc:.0%} of the validation images are right. Choose a smaller "
                "learning rate.",
            )
        best = max(measured, key=lambda progress: progress.val_acc)
        return Diagnosis(
            "overfitting",
            f"Overfitting: {measured[-1].train_acc:.0%} of the training images are right, but only "
            f"{measured[-1].val_acc:.0%} of the validation images (at best {best.val_acc:.0%}, after epoch "
            f"{best.epoch:.0f}). Train for fewer epochs, use more images or a smaller network.",
        )
    return Diagnosis("learning")
