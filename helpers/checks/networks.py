"""Networks are judged by running them: what they compute counts, not the order in which their layers are defined."""

import copy
import itertools
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.any_network import measuring
from helpers.checks import answers
from helpers.checks.attempt import Attempt, Stopped, load_compiler


def module(net):
    """`net` itself; raises Stopped, with the reason, if it is not a network that can run."""
    if isinstance(net, type) and issubclass(net, nn.Module):
        raise Stopped(f"{net.__name__} is the class of a network: make one, with brackets, {net.__name__}()")
    if not isinstance(net, nn.Module):
        comma = ". Is there a comma after its last bracket?" if isinstance(net, tuple) and len(net) == 1 else ""
        raise Stopped(f"a network is expected, an nn.Module, but this is {answers.kind(net)}{comma}")
    if isinstance(net, (nn.ModuleList, nn.ModuleDict)):
        raise Stopped(f"nn.{type(net).__name__} only holds layers and runs none of them: use nn.Sequential")
    if isinstance(net, nn.Sequential) and not len(net):
        raise Stopped("your nn.Sequential() is empty: put its layers between the brackets")
    if type(net).forward is nn.Module.forward:
        raise Stopped(f"your class {type(net).__name__} has no method `forward`, so it cannot run its layers")
    found = set(map(id, net.modules()))
    for layer in net.modules():
        for name, value in vars(layer).items():
            lost = isinstance(value, (list, tuple)) and [one for one in value if isinstance(one, nn.Module)]
            if lost and any(id(one) not in found for one in lost):
                raise Stopped(f"the layers in the {type(value).__name__} `{name}` are hidden from PyTorch, which would "
                              "not train them: use nn.ModuleList")  # fmt: skip
    return net


def copied(net):
    """A copy of `net`; results of an earlier run, which deepcopy refuses, are copied without their graph."""
    attributes = [value for layer in module(net).modules() for value in vars(layer).values()]
    made = {id(t): t.detach().clone() for t in attributes if torch.is_tensor(t) and not t.is_leaf}
    try:
        return copy.deepcopy(net, made)
    except Exception as error:
        raise Stopped(f"your network holds something that cannot be copied ({error}): keep it outside") from None


def scores(net, X, classes=10):
    """The scores, (N, classes), that a copy of `net` gives for X, (N, channels, height, width), in evaluation.

    Raises Stopped, with the reason, if the network stops, returns something else or numbers that are not finite,
    differs in a second run or for an image among other images, or changes its input.
    """
    return run(copied(net), X, classes).scores


def run(net, X, classes=10):
    """The `ForwardPass` that gave the `scores`; it may change `net`, so give it a copy, from `copied`."""
    first = ForwardPass(net, X)
    y_hat, count = first.scores, len(X)
    if not y_hat.is_floating_point():
        raise Stopped(
            f"your network gives {y_hat.dtype}, not scores: return the scores themselves, without choosing a class"
        )
    if y_hat.shape != (count, classes):
        raise Stopped(f"for {count} images your network gives {answers.shape(y_hat)}, expected {count}×{classes}"
                      f"{_shape_advice(y_hat, count, classes)}")  # fmt: skip
    if not y_hat.isfinite().all():
        spoilt = next((name for name, p in net.named_parameters() if not p.isfinite().all()), None)
        where = f": its parameter {spoilt} holds some already" if spoilt else ""
        raise Stopped(f"some of your network's scores are infinite or NaN, not a number{where}")
    alone = ForwardPass(net, X[:1]).scores
    if alone.shape != (1, classes):
        raise Stopped(f"for one image alone your network gives {answers.kind(alone)}, expected 1×{classes}: "
                      "does it squeeze, or rely on the size of the batch?")  # fmt: skip
    others = torch.cat([X[:1], 1 - X[1:].flip(0)])
    for trial in (net, redrawn(copied(net))):
        some, again, among = [ForwardPass(trial, batch, seed).scores for batch, seed in ((X, 0), (X, 1), (others, 0))]
        if not _alike(some, again):
            raise Stopped(f"run twice on the same images, your network gives different scores{_chance(first)}")
        if not _alike(some[:1], among[:1]):
            softmax = ": a softmax with dim=0 runs over the images" if _ones(y_hat.sum(dim=0)) else ""
            raise Stopped(f"an image's scores change with the images beside it: a batch's images get mixed{softmax}")
    return first


def _alike(some, other):
    """True if scores are equal within rounding; infinity and NaN, which redrawn weights may give, count as 0."""
    some, other = some.double().nan_to_num(0, 0, 0), other.double().nan_to_num(0, 0, 0)
    return bool(((some - other).abs() <= 1e-4 * some.abs().max()).all())


def _chance(first):
    """The words on why two runs may differ."""
    names = {name for name, _ in first.operations}
    drops = "bernoulli_" in names or "native_dropout" in names
    return ": F.dropout needs training=self.training" if drops else ": is a part of it random, or counting its calls?"


def _shape_advice(y_hat, count, classes):
    if y_hat.ndim and y_hat.shape[0] != count:
        return ": keep the first dimension, that of the images, in each reshape and view"
    return ": is nn.Flatten() missing?" if y_hat.ndim > 2 else f": {classes} classes, {classes} scores"


@dataclass
class Step:
    """A layer's turn: its name, its input and output, and its own multiply-adds."""

    name: str
    layer: nn.Module
    given: object
    made: object = None
    multiply_adds: int = 0


# The products of weights in PyTorch's operations, from their inputs and outputs.
_PRODUCTS = {
    "convolution": lambda out, X, weight, *rest: out.numel() * weight[0].numel(),
    "addmm": lambda out, bias, X, weight: out.numel() * X.shape[-1],
    "baddbmm": lambda out, bias, X, weight: out.numel() * X.shape[-1],
    "mm": lambda out, X, weight: out.numel() * X.shape[-1],
    "bmm": lambda out, X, weight: out.numel() * X.shape[-1],
}


class ForwardPass(TorchDispatchMode):
    """One run of `net` on X in evaluation, on the network's device; raises Stopped, naming the layer that stops.

    scores: on the CPU; trains: True if a gradient leads from them to a weight; multiply_adds: of all images together;
    operations: (PyTorch's name, and the input's shape for a convolution), in order, whether called by layers or by
    functions; steps: a `Step` for each layer, in the order in which they ended.
    """

    def __init__(self, net, X, seed=0):
        super().__init__()
        self.net, self.operations, self.steps, self.multiply_adds, self._open = net, [], [], 0, []
        weight = next(itertools.chain(net.parameters(), net.buffers()), X)
        if weight.is_meta:
            raise Stopped("your network's weights are on the device `meta`, which holds no numbers")
        X = X.to(weight.device, weight.dtype if weight.is_floating_point() else X.dtype)
        hooks = [hook for name, layer in net.named_modules() for hook in self._hooks(name, layer)]
        # An older PyTorch does not ask the two questions below, and an operation on `meta` needs the compiler.
        asks = hasattr(TorchDispatchMode, "_should_skip_dynamo")
        if not asks or any(parameter.is_meta for parameter in net.parameters()):
            load_compiler()  # otherwise the first operation loads it, on the student's time
        attempt = Attempt(self, ("X",))
        attempt.seed = seed
        try:
            with measuring(net):
                self.y_hat = attempt(X)
        except Stopped as stopped:
            raise Stopped(self._why(stopped, len(X)), stopped.error) from None
        finally:
            for hook in hooks:
                hook.remove()
        if any("changes its argument" in words for words in attempt.manners):
            raise Stopped("your network changes the images that it is given, in place: let it work on a copy")
        if attempt.manners:
            raise Stopped(attempt.manners[0])
        if not torch.is_tensor(self.y_hat):
            advice = "does `forward` end with `return`?" if self.y_hat is None else "return the scores alone, a tensor"
            raise Stopped(f"your network returns {answers.kind(self.y_hat)}: {advice}")
        self.trains = self.y_hat.requires_grad
        self.scores = answers.tensor(self.y_hat)

    @classmethod
    def _should_skip_dynamo(cls):
        """PyTorch asks this. To skip its compiler it would first load it, at the first recorded operation: 2 to 4 s."""
        return False

    @classmethod
    def ignore_compile_internals(cls):
        """PyTorch asks this, too: the compiler of a network that is compiled is not to compile the recording."""
        return True

    def __call__(self, X):
        """What `net` gives for X, recorded; `Attempt` calls it."""
        with self:
            return self.net(X)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        name = function._schema.name.removeprefix("aten::")
        if name in _PRODUCTS:
            products = _PRODUCTS[name](made, *args)
            self.multiply_adds += products
            if self._open:
                self._open[-1].multiply_adds += products
        self.operations.append((name, tuple(args[0].shape) if name == "convolution" else None))
        return made

    def _hooks(self, name, layer):
        def begin(layer, inputs):
            self._open.append(Step(name, layer, inputs[0] if inputs else None))

        def end(layer, inputs, output):
            step = self._open.pop()
            step.made = output
            self.steps.append(step)

        yield layer.register_forward_pre_hook(begin, prepend=True)
        yield layer.register_forward_hook(end)

    def _why(self, stopped, count):
        """Words for what stopped the run: about one of PyTorch's layers, if it stopped there, else about the code."""
        step = self._open[-1] if self._open else None
        ours = step and type(step.layer).forward.__module__.startswith("torch.nn")
        if stopped.error is None or not ours or isinstance(step.layer, nn.Sequential):
            return stopped.words
        said = str(stopped.error).strip().partition("\n")[0]
        layer = (f"layer {step.name}, " if step.name else "") + type(step.layer).__name__
        sizes = f"({step.layer.extra_repr()})" if isinstance(step.layer, (nn.Linear, _ConvNd)) else ""
        return f"{layer}{sizes}, stops: {_why(step.layer, step.given, said, count)}"

    def count(self, *names):
        """How many operations of these names there were."""
        return sum(name.rstrip("_") in names for name, _ in self.operations)


def _why(layer, X, said, count):
    """Words for why one of PyTorch's layers cannot take `X`; said: the first line of its error; count: of images."""
    if not torch.is_tensor(X):
        return f"{answers.kind(X)} reaches it, not a tensor: what does the layer before it give?"
    comes = answers.shape(X.shape[1:])
    weight = next((p for p in layer.parameters() if not isinstance(p, nn.parameter.UninitializedParameter)), X)
    if weight.device != X.device:
        return f"its weights are on {weight.device}, the numbers that reach it on {X.device}"
    if weight.dtype != X.dtype and weight.is_floating_point():
        return f"its weights are {weight.dtype}, the numbers that reach it {X.dtype}"
    if X.ndim and X.shape[0] != count:
        return f"{answers.shape(X)} reaches it from {count} images: the first dimension must remain that of the images"
    if isinstance(layer, nn.Linear):
        if X.ndim > 2:
            return f"maps of {comes} reach it; put nn.Flatten() before it"
        return f"it is made for {layer.in_features} numbers, but {comes} reach it. Check the flatten size"
    if type(layer).__name__.endswith(("1d", "3d")) and X.ndim == 4:
        return f"maps of {comes} reach it; for maps there is {type(layer).__name__[:-2]}2d"
    maps = isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.BatchNorm2d))
    if X.ndim != 4 and maps:
        return f"{comes} numbers reach it, which are no longer maps ({said})"
    made_for = getattr(layer, "in_channels", getattr(layer, "num_features", None))
    if maps and made_for and made_for != X.shape[1]:
        return f"it is made for {made_for} channel{'s' * (made_for != 1)}, but maps of {comes} reach it"
    if maps and ("Kernel size" in said or "too small" in said):
        return f"its window does not fit on maps of {comes}: use a smaller kernel, more padding or less pooling"
    return f"{comes} reaches it, and PyTorch says {said}"


def redrawn(net, seed=35):
    """`net` with large random weights of both signs: what it cannot do with these, it cannot do with any."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in filter(torch.is_floating_point, net.parameters()):
            fan_in = max(p[0].numel(), 1) if p.ndim > 1 and len(p) else 1
            p.copy_(torch.randn(p.shape, generator=generator) * (10 / fan_in**0.5 if p.ndim > 1 else 2))
    return net


def limit(net, X):
    """What limits the scores of `net`: "softmax", "log-softmax", a text such as "between -1 and 1", or None.

    It shows in the scores for several large weights, however they are computed. `net` is changed: pass it `copied`.
    Raises Stopped if all images get the same scores, whatever the weights.
    """
    trained = ForwardPass(net, X).scores.double()
    if (trained >= 0).all() and _ones(trained.sum(dim=1)):
        return "softmax"
    if _ones(trained.exp().sum(dim=1)):
        return "log-softmax"
    drawn = [ForwardPass(redrawn(net, seed), X).scores.double() for seed in range(6)]
    finite = [y_hat for y_hat in drawn if y_hat.isfinite().all()]
    if not finite:
        return None
    y_hat = torch.stack(finite)
    if (y_hat == y_hat[:, :1]).all():
        raise Stopped("your network gives every image the same scores: does it use the images that it is given?")
    low, high = y_hat.min().item(), y_hat.max().item()
    if low < -2 and high > 2:
        return None
    return _between(low, high)


def _ones(sums):
    return bool((sums - 1).abs().max() < 1e-3)


def _between(low, high):
    low, high = round(min(low, 0), 1) + 0, round(max(high, 0), 1) + 0
    if high > 2:
        return f"at {low:g} or above"
    return f"at {high:g} or below" if low < -2 else f"between {low:g} and {high:g}"


def is_affine(net, X):
    """True if `net`, with any weights, does no more than one weighted sum could. `net` is changed: pass it `copied`."""
    for seed in range(3):
        one, other, middle = [
            ForwardPass(redrawn(net, seed), images).scores.double() for images in (X, X.flip(0), (X + X.flip(0)) / 2)
        ]
        if ((one + other) / 2 - middle).abs().max() > 1e-4 * middle.abs().max():
            return False
    return True
