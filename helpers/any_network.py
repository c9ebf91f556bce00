"""Any network that a student may bring: run and measured without being changed, or refused with a reason.

What a network keeps: the modes of all its modules, its memory format, its device.
"""

import contextlib
import re

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy

from helpers.any_data import PAIRS, as_classes, as_tensor, first_tensor, kind, to_floats
from helpers.errors import ShapeError, WeightsError

# These give the same numbers in either memory format. (Not dropout: it draws in the order in which numbers lie.)
IN_ANY_FORMAT = {
    DistributedDataParallel, nn.Sequential, nn.Conv2d, nn.BatchNorm2d, nn.AvgPool2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d,
    nn.Flatten, nn.Linear, nn.BatchNorm1d, nn.Sigmoid, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU,
    nn.Identity,
}  # fmt: skip
NO_MEMORY = "out of memory|can't allocate memory"  # in a GPU's message, and in a CPU's


def refuse_no_network(net):
    """Raise ShapeError for a function, a class or a list instead of a network."""
    if isinstance(net, type):
        raise ShapeError(f"this is the class {net.__name__}, not a network: write {net.__name__}(...) to make one")
    if not isinstance(net, nn.Module):
        raise ShapeError(f"this is a {type(net).__name__}, not a network: expected an nn.Module, such as lenet()")


def refuse_scripted(net):
    """Raise ShapeError for a network from `torch.jit.script`, whose layers are hidden."""
    if isinstance(net, torch.jit.ScriptModule) and not isinstance(net, torch.jit.TracedModule):
        raise ShapeError("the layers of a network from torch.jit.script are hidden: use the original network")


def has_unknown_sizes(net):
    """True if `net` has lazy layers that have not seen a batch yet."""
    refuse_no_network(net)
    return any(is_lazy(value) for value in [*net.parameters(), *net.buffers()])


def refuse_unknown_sizes(net):
    """Raise ShapeError, with the remedy, if `net` has lazy layers that have not seen a batch yet."""
    if has_unknown_sizes(net):
        lazy = next(layer for layer in net.modules() if any(is_lazy(value) for value in layer._parameters.values()))
        raise ShapeError(
            f"a {type(lazy).__name__} learns its size from the first batch, and this network has seen none yet: "
            "show it one, as in net(torch.zeros(1, 1, 28, 28)), and run this again"
        )


def first_number(net):
    """A float tensor from `net`, for its device and type; an empty one on the CPU if there is none."""
    refuse_no_network(net)
    values = (value for values in (net.parameters(), net.buffers()) for value in values)
    return next((value for value in values if value.is_floating_point()), torch.empty(0, device="cpu"))


@contextlib.contextmanager
def modes_kept(net):
    """A context after which each module of `net` is back in its mode, training or evaluation."""
    refuse_no_network(net)
    modes = [(module, module.training) for module in net.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextlib.contextmanager
def measuring(net):
    """A context in which `net` is in evaluation mode and keeps no graph; afterwards all modes are restored."""
    with modes_kept(net), torch.no_grad():
        net.eval()
        yield


def set_to_training(net, frozen):
    """Put `net` in training mode, except for its frozen layers, which are returned as a list.

    A layer is frozen if it is in `eval` while the network is in training mode. If the network itself is in `eval`, as
    after measuring, the modes of its layers mean nothing: then the layers in `frozen` stay frozen.
    """
    if net.training:
        frozen = [module for module in net.modules() if not module.training]
    net.train()
    for module in frozen:
        module.training = False
    return frozen


def as_input(X, net, device):
    """A batch in the form that `net` takes: on `device`, bytes and floats converted to the type of its weights."""
    if not torch.is_tensor(X) and not hasattr(X, "__array__"):
        return X  # a network with several inputs knows what to do with them
    X = to_floats(torch.as_tensor(X))
    return X.to(device, first_number(net).dtype) if X.is_floating_point() else X.to(device)


def on_device(y, device):
    """Labels as a tensor on `device`; several tensors, for a loss function of your own, are returned unchanged."""
    several = not torch.is_tensor(y) and first_tensor(y) is not None
    return y if several else as_tensor(y, "labels").to(device)


def as_pair(batch, net, device):
    """A batch, X and y, both on `device`, X in the form that `net` takes. Raises ShapeError if it is no such pair."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        of = f" of {len(batch)}" if hasattr(batch, "__len__") and getattr(batch, "ndim", 1) else ""
        raise ShapeError(f"a batch is a {type(batch).__name__}{of}, not a pair: {PAIRS}")
    X, y = as_input(batch[0], net, device), on_device(batch[1], device)
    if torch.is_tensor(y) and not y.ndim:
        raise ShapeError(f"this is one image and its label, not a batch of them: {PAIRS}")
    return X, y


def scores_of(net, X, left_over=False):
    """The output of `net` for a batch; None for a last batch of one, `left_over`, that batch normalisation refuses.

    Convolutions on CPUs and new GPUs prefer channels-last: a step of LeNet takes a quarter less time on a 2-core CPU.
    It is enough to convert the batch; weights, gradients and scores are not touched. A network that could notice, with
    modules of your own or hooks, gets the batch unchanged, because `view` refuses channels-last maps.
    """
    try:
        if torch.is_tensor(X) and X.ndim == 4 and all(map(_takes_any_format, net.modules())):
            return net(X.to(memory_format=torch.channels_last)).contiguous()
        return net(X)
    except (RuntimeError, TypeError) as error:
        if re.search(f"{NO_MEMORY}|CUDA error", str(error)):
            raise
        given = f"of shape {tuple(X.shape)}, {kind(X)}" if torch.is_tensor(X) else f"that is a {type(X).__name__}"
        raise ShapeError(f"the network cannot take a batch {given}: {error}") from error
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        if left_over and len(X) == 1:
            return None
        raise ShapeError(
            f"batch normalisation needs the mean of more than one number, but this batch is {tuple(X.shape)}: "
            "choose a larger batch_size"
        ) from error


def _takes_any_format(module):
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return type(module) in IN_ANY_FORMAT and not any(hooks)


def no_memory(error, y, device):
    """The MemoryError for a batch that does not fit on `device`, or None for another error; y: its labels, or None."""
    if not re.search(NO_MEMORY, str(error)):
        return None
    size = 0 if y is None else len(first_tensor(y))
    which = f"a batch of {size}" if size else "the first batch"
    advice = f"batches of {size // 2}" if size > 1 else "smaller batches or a smaller network"
    return MemoryError(f"{which} does not fit into the memory of the {device.type}: try {advice}")


def classes_of(net, images):
    """The class that `net` predicts for each image, (N,) integers on the CPU; keeps every module's mode.

    images: (N, channels, height, width), bytes or floats from 0 to 1.
    """
    with measuring(net):
        return as_classes(scores_of(net, as_input(images, net, first_number(net).device))).cpu()


def refuse_unfit(nets, image, num_classes, least, most):
    """Raise ShapeError, with a message for the student, unless `nets` are networks that a lab can compare.

    nets: {name: network}, from `least` to `most` of them, each with `num_classes` scores for one image, (1, height,
    width) bytes.
    """
    wanted = f'expected {least if least == most else f"{least} or {most}"} networks, {{"LeNet": net, "MLP": other}}'
    if not isinstance(nets, dict):
        raise ShapeError(f"this is a {type(nets).__name__}: {wanted}")
    if not least <= len(nets) <= most:
        raise ShapeError(f"there are {len(nets)} networks: {wanted}")
    for name, net in nets.items():
        if not isinstance(net, nn.Module):
            raise ShapeError(f"{name} is a {type(net).__name__}, not a network: {wanted}")
        refuse_unknown_sizes(net)
        X, expected = as_input(image[None], net, first_number(net).device), (1, num_classes)
        with measuring(net):
            try:
                scores = net(X)
            except RuntimeError as error:
                raise ShapeError(f"{name} cannot take an image of shape {tuple(image.shape)}: {error}") from error
        if not torch.is_tensor(scores) or scores.shape != expected:
            got = tuple(scores.shape) if torch.is_tensor(scores) else f"a {type(scores).__name__}"
            raise ShapeError(f"{name} returns {got} for one image: expected {expected}, a score for each class")


def shape_taken(nets):
    """The image shape that the first of `nets` takes: (1, 28, 28) if possible, else the first square that fits."""
    shapes = [(channels, size, size) for size in (28, *range(16, 65)) for channels in (1, 3)]
    net = next(iter(nets.values()), None) if isinstance(nets, dict) else None
    if not isinstance(net, nn.Module) or has_unknown_sizes(net):
        return shapes[0]
    own = first_number(net)
    for shape in shapes:
        with measuring(net), contextlib.suppress(RuntimeError):
            scores = net(torch.zeros(1, *shape, device=own.device, dtype=own.dtype))
            if torch.is_tensor(scores) and scores.ndim == 2:
                return shape
    return shapes[0]  # then `refuse_unfit` says why it does not fit


def unwrapped(net):
    """The network inside `torch.compile` or `nn.DataParallel`, which put a prefix before the name of each weight."""
    net = getattr(net, "_orig_mod", net)
    return net.module if isinstance(net, (nn.DataParallel, DistributedDataParallel)) else net


def refuse_other_weights(weights, net, path):
    """Raise WeightsError unless `weights`, read from `path`, are finite and fit `net`, name by name."""
    own = net.state_dict()
    alike = isinstance(weights, dict) and weights.keys() == own.keys()
    if not alike or not all(_fits(weights[name], own[name]) for name in own):
        raise WeightsError(f"{path} holds the weights of another network: build that network first")
    for name in own:
        if not torch.is_tensor(own[name]):
            continue
        if weights[name].dtype != own[name].dtype:
            kinds = f"{weights[name].dtype}, not {own[name].dtype}"
            raise WeightsError(f"{path}: the numbers of {name} are {kinds}: save the network again")
        if not weights[name].isfinite().all():
            remedy = "train with a smaller learning rate and save that network"
            raise WeightsError(f"{path}: {name} holds infinity or NaN, as after training that diverged: {remedy}")


def _fits(theirs, own):
    """True if `theirs` can replace a network's `own` tensor; a lazy layer takes any shape."""
    if not torch.is_tensor(own):
        return not torch.is_tensor(theirs)
    if not torch.is_tensor(theirs) or is_lazy(theirs) or theirs.is_meta or theirs.layout != torch.strided:
        return False
    return is_lazy(own) or theirs.shape == own.shape
