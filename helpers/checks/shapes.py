"""Chapter 3: sizes and costs of a LeNet."""

import torch
from torch import nn

from helpers.checks.old import NOT_YET, Verdict, checked, wrong
from helpers.models import layer_table


def _shape(shape):
    return "×".join(map(str, shape)) or "a single number"


def _counted(count, thing):
    return f"{count} {thing}" + ("s" if count != 1 else "")


# What PyTorch says when a tensor is copied into, or reshaped to, another shape.
_SHAPES_DIFFER = ("must match the size of tensor", "doesn't match the broadcast shape", "is invalid for input of size")
# A network of these alone is one weighted sum, however many layers it has.
_LINEAR = (
    nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Flatten, nn.Identity, nn.Dropout, nn.BatchNorm1d,
    nn.BatchNorm2d,
)  # fmt: skip
_MAXIMUM = (nn.MaxPool2d, nn.AdaptiveMaxPool2d)


def _whole(answer):
    """`answer` as a whole number, or what is wrong with it in words."""
    if torch.is_tensor(answer) and answer.numel() == 1:
        answer = answer.item()
    if answer is None:
        return "nothing (None): does the function end with `return`?"
    if isinstance(answer, float):
        return f"{answer}, which is not a whole number to Python: divide with // instead of /"
    if isinstance(answer, bool) or not isinstance(answer, int):
        return f"{type(answer).__name__}, but a whole number is wanted"
    return answer


def _sentence(words):
    return words if words.endswith("?") else words + "."


def _output_size(image_size, kernel_size, padding):
    return image_size + 2 * padding - kernel_size + 1


def _judge_number(call, answer, right, mistakes):
    """A verdict on one number, or None where it is right; mistakes: [(wrong number, what went wrong)]."""
    answer = _whole(answer)
    if isinstance(answer, str):
        return wrong(_sentence(f"{call} gives {answer}"))
    if answer == right:
        return None
    hint = next((words for wrong, words in mistakes if wrong == answer), "open the hints and count once more")
    return wrong(_sentence(f"{call} gives {answer:,}, expected {right:,}: {hint}"))


@checked
def check_colour_net(net):
    """Exercise 3.1; net: LeNet with another first layer, from (batch, 3, 32, 32) images to ten scores."""
    if net is ...:
        return NOT_YET
    if not isinstance(net, nn.Module):
        return wrong(f"colour_net is {type(net).__name__}; keep nn.Sequential(...) around the layers.")
    first = next((layer for layer in net.modules() if isinstance(layer, nn.Conv2d)), None)
    if first is None:
        return wrong("there is no convolution in it: the first layer must be nn.Conv2d(3, 6, ...).")
    if (first.in_channels, first.kernel_size, first.padding) == (1, (5, 5), (2, 2)):
        return Verdict(None, "Not done yet: change the line of the first convolution, then run the cell again.")
    if first.in_channels != 3:
        return wrong(f"its first convolution takes {_counted(first.in_channels, 'channel')}; a colour image has 3.")
    X = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(31))
    output, trouble = _scores(net, X)
    if trouble is None and output.shape == (2, 10):
        held = sum(parameter.numel() for parameter in first.parameters())
        return Verdict(True, f"Right: {held:,} parameters there instead of 156; the layers after it see no colours.")
    maps, broken = _scores(nn.Sequential(first), X)
    if broken is None and maps.shape[1:] != (6, 28, 28):
        return wrong(
            f"your first convolution makes maps of {_shape(maps.shape[1:])}, but the layers after it expect 6×28×28: "
            "the size is 32 + 2·padding − kernel_size + 1."
        )
    return wrong(broken or trouble or f"your output is {_shape(output.shape)} for two images, expected 2×10.")


@checked
def check_flatten_size(flatten_size):
    """Exercise 3.2; flatten_size(image_size, kernel_size, padding, channels): a whole number."""

    def last_size(image, kernel, padding, padding_2=0, pool=lambda size: size // 2, pool_2=None):
        size = pool(_output_size(image, kernel, padding))
        return (pool_2 or pool)(_output_size(size, kernel, padding_2))

    # In the first case every mistake below gives another number, so that the hint names the right one.
    for image, kernel, padding, channels in [
        (30, 8, 6, 12),
        (31, 5, 3, 12),
        (28, 5, 2, 16),
        (28, 5, 0, 7),
        (40, 4, 3, 5),
    ]:
        answer = flatten_size(image, kernel, padding, channels)
        if answer is ...:
            return NOT_YET
        sizes = image, kernel, padding
        side = last_size(*sizes)
        wrong_sides = [
            (last_size(image, kernel, 0), "you forgot the padding of the first convolution"),
            (last_size(image, kernel, padding / 2), "the padding counts on both sides: add 2 · padding"),
            (last_size(*sizes, padding_2=padding), "the second convolution has no padding"),
            (last_size(*sizes, pool_2=lambda size: size), "you forgot the second pooling"),
            (last_size(*sizes, pool=lambda size: size), "you forgot both poolings"),
            (last_size(*sizes, pool=lambda size: -(-size // 2)), "a pooling rounds down, not up"),
            (last_size(image, kernel + 1, padding), "the size formula ends with + 1"),
            (last_size(*sizes, pool=lambda size: size) // 4, "pool after each convolution, not twice at the end"),
            (_output_size(image, kernel, padding) // 2, "you forgot the second convolution and pooling"),
        ]
        mistakes = [
            (side**2, "that is one map: times channels"),
            (side * channels, "a map has two sides: square its size"),
            (side, "that is one side of one map: square it, times channels"),
            *((channels * wrong**2, words) for wrong, words in wrong_sides),
        ]
        call = f"flatten_size({image}, {kernel}, {padding}, {channels})"
        verdict = _judge_number(call, answer, channels * side**2, mistakes)
        if verdict is not None:
            return verdict
    return Verdict(True, "Right, for odd sizes too: now you can write the first Linear after any two convolutions.")


@checked
def check_conv_cost(conv_cost):
    """Exercise 3.3; conv_cost(in_channels, out_channels, kernel_size, image_size, padding): two whole numbers."""
    for case in [(3, 8, 5, 20, 0), (4, 7, 4, 15, 2), (1, 6, 5, 28, 2)]:
        answer = conv_cost(*case)
        if answer is ...:
            return NOT_YET
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            return wrong("the function must return two numbers: `return parameters, multiply_adds`.")
        if all(part is ... for part in answer):
            return NOT_YET
        inputs, outputs, kernel, size, padding = case
        window, places = kernel**2, _output_size(size, kernel, padding) ** 2
        parameters, work = (inputs * window + 1) * outputs, places * outputs * inputs * window
        call = "conv_cost" + str(case)
        if answer[0] is not ...:
            verdict = _judge_number(
                f"parameters: {call}",
                answer[0],
                parameters,
                [
                    (inputs * window * outputs, "you forgot the biases, one for each output channel"),
                    (inputs * window * outputs + 1, "one bias for each output channel, not one in all"),
                    ((window + 1) * outputs, "each kernel is as deep as the input: times in_channels"),
                    ((window + 1) * inputs * outputs, "one bias for each output channel, not for each kernel"),
                    (inputs * window + 1, "that is one output channel: times out_channels"),
                    ((inputs * kernel + 1) * outputs, "a kernel has two sides: kernel_size squared"),
                    (work, "these are the multiply-adds: did you exchange the two numbers?"),
                ],
            )
            if verdict is not None:
                return verdict
        if answer[1] is ...:
            return wrong("parameters are right; now replace the dots of multiply_adds.")
        verdict = _judge_number(
            f"multiply-adds: {call}",
            answer[1],
            work,
            [
                (size**2 * outputs * inputs * window, "the window stops at as many places as the *output* has"),
                (
                    _output_size(size, kernel, 0) ** 2 * outputs * inputs * window,
                    "you forgot the padding in the output size",
                ),
                (
                    _output_size(size, kernel, padding / 2) ** 2 * outputs * inputs * window,
                    "the padding counts on both sides: add 2 · padding",
                ),
                (places * outputs * (inputs * window + 1), "biases are added, not multiplied: leave them out"),
                (places * outputs * window, "each output number sums over all input channels: times in_channels"),
                (places * outputs * inputs, "each kernel has kernel_size squared weights, and each makes a product"),
                (places * outputs * inputs * kernel, "a kernel has two sides: kernel_size squared"),
                (
                    (_output_size(size, kernel, padding) - 1) ** 2 * outputs * inputs * window,
                    "the size formula ends with + 1",
                ),
                (places * inputs * window, "that is one output channel: times out_channels"),
                (outputs * inputs * window, "that is one place: times the number of places in the output"),
                (
                    _output_size(size, kernel, padding) * outputs * inputs * window,
                    "a map has two sides: square the output size",
                ),
                (2 * work, "a multiply-add is one step, product and sum together"),
            ],
        )
        if verdict is not None:
            return verdict
        if answer[0] is ...:
            return wrong("multiply-adds are right; now replace the dots of parameters.")
    return Verdict(True, "Right: few parameters, each of them used at every place of the output.")


@checked
def check_dense_to_conv(dense_to_conv):
    """Exercise 3.4; dense_to_conv(dense, channels, height, width): a Conv2d that computes what `dense` does."""
    generator = torch.Generator().manual_seed(33)
    for outputs, channels, height, width in [(7, 3, 2, 4), (120, 16, 5, 5)]:
        maps = torch.rand(5, channels, height, width, generator=generator)
        with torch.random.fork_rng(devices=[]):  # new layers draw their weights from the global generator
            torch.manual_seed(33)
            dense = nn.Linear(channels * height * width, outputs)
            try:
                conv = dense_to_conv(dense, channels, height, width)
            except RuntimeError as error:
                if "in-place operation" in str(error):
                    return wrong("PyTorch records what you do with weights: copy them within `with torch.no_grad():`.")
                if not any(words in str(error) for words in _SHAPES_DIFFER):
                    raise
                return wrong(
                    f"the shapes do not fit ({error}): copy `dense.weight.reshape(outputs, channels, height, width)`; "
                    "the kernel size is `(height, width)`."
                )
        if conv is ...:
            return NOT_YET
        given = f"For maps of {channels}×{height}×{width} and {outputs} outputs"
        if conv is None:
            return wrong("the function returns nothing (None): does it end with `return conv`?")
        if not isinstance(conv, nn.Conv2d):
            return wrong(f"the function returns {type(conv).__name__}; return the nn.Conv2d itself.")
        kernel = (outputs, channels, height, width)
        if tuple(conv.weight.shape) != kernel:
            if tuple(conv.weight.shape) == (outputs, channels, width, height):
                return wrong(f"{given} your kernel is {width}×{height}: the kernel size is (height, width).")
            return wrong(f"{given} your weights are {_shape(conv.weight.shape)}, expected {_shape(kernel)}.")
        with torch.no_grad():
            y, y_hat = dense(maps.flatten(1)), conv(maps)
        if y_hat.shape != (5, outputs, 1, 1):
            return wrong(
                f"{given} your output is {_shape(y_hat.shape)}, expected 5×{outputs}×1×1: use no padding and stride 1."
            )
        if not torch.allclose(conv.weight.flatten(1), dense.weight, atol=1e-6):
            ours, theirs = conv.weight.flatten().sort().values, dense.weight.flatten().sort().values
            if torch.allclose(ours, theirs, atol=1e-6):
                return wrong(
                    "all weights are there, but in another order: Flatten goes through channels, then rows, "
                    "then columns, so reshape(outputs, channels, height, width) is enough."
                )
            return wrong("the weights are not those of `dense`: copy them, reshaped, with conv.weight.copy_(...).")
        if conv.bias is None or not torch.allclose(conv.bias, dense.bias, atol=1e-6):
            return wrong("the weights are right, but the bias is not that of `dense`: copy it as well.")
        if not torch.allclose(y_hat.flatten(1), y, atol=1e-4):
            return wrong("weights and bias are right, the outputs are not: use stride, dilation and groups of 1.")
    return Verdict(True, "Right: the same outputs, from the maps themselves.")


@checked
def check_own_network(net, max_parameters, max_multiply_adds):
    """Exercise 3.5; net: a module from (batch, 1, 28, 28) images to ten scores, with three convolutions or more."""
    if net is ...:
        return NOT_YET
    if not isinstance(net, nn.Module):
        return wrong(f"my_net is {type(net).__name__}; write my_net = nn.Sequential(...) with layers inside.")
    output, trouble = _scores(net, torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(34)))
    if trouble:
        return wrong(trouble)
    if output.ndim != 2:
        return wrong(f"your output is {_shape(output.shape)} for two images, expected 2×10: is nn.Flatten() missing?")
    if output.shape != (2, 10):
        return wrong(f"your output is {_shape(output.shape)} for two images, expected 2×10: ten classes, ten scores.")
    layers = [layer for layer in net.modules() if not list(layer.children())]
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in layers)
    if convolutions < 3:
        return wrong(f"it runs, but it has {_counted(convolutions, 'convolution')}, and three or more are wanted.")
    if isinstance(layers[-1], (nn.Softmax, nn.LogSoftmax)):
        return wrong("remove the softmax at the end: the loss function of chapter 4 has it inside, twice is wrong.")
    if isinstance(layers[-1], (nn.Sigmoid, nn.Tanh, nn.ReLU)):
        name = type(layers[-1]).__name__
        return wrong(f"remove the {name} at the end: it limits the scores, and scores may have any size.")
    table = layer_table(net)
    for cost, most, advice in (
        ("parameters", max_parameters, "make it narrower, or the maps before it smaller"),
        ("multiply_adds", max_multiply_adds, "give it fewer channels or a smaller kernel, or pool before it"),
    ):
        name, total = cost.replace("_", "-"), getattr(table, cost)
        if total > most:
            dearest = max(table, key=lambda layer: getattr(layer, cost))
            return wrong(
                f"{total:,} {name} are {total - most:,} too many; {getattr(dearest, cost):,} of them are those of the "
                f"{dearest.name} that makes {_shape(dearest.output_shape[1:])}: {advice}."
            )
    message = (
        f"It runs: {table.parameters:,} parameters, {table.multiply_adds:,} multiply-adds, {convolutions} convolutions."
    )
    return Verdict(True, message + _without_activation(net, layers))


def _without_activation(net, layers):
    """A remark on a network that has no activation, or nothing; what a `forward` of one's own does is not known."""
    containers = [module for module in net.modules() if module not in layers]
    known = all(isinstance(layer, _LINEAR + _MAXIMUM) for layer in layers)
    if not known or not all(isinstance(container, nn.Sequential) for container in containers):
        return ""
    if any(isinstance(layer, _MAXIMUM) for layer in layers):
        return " But there is no activation in it: only max-pooling keeps its layers from being replaced by one."
    return " But there is no activation in it: its layers could be replaced by one."


def _scores(net, X):
    """What `_run` gives, without gradients and in evaluation; `net` keeps its mode."""
    training = net.training
    try:
        with torch.no_grad():
            output, trouble = _run(net.eval(), X)
    finally:
        net.train(training)
    if trouble is None and not torch.is_tensor(output):
        return None, f"your network returns {type(output).__name__}; it must return the scores, a tensor."
    return output, trouble


def _run(net, X):
    """The output of `net`, and in words what stopped it: one of the two is None."""
    if not isinstance(net, nn.Sequential):
        return net(X), None
    for i, layer in enumerate(net):
        try:
            output = layer(X)
        except (RuntimeError, ValueError) as error:
            return None, f"layer {i}, {layer}, stops: {_why(layer, X, error)}"
        X = output
    return X, None


def _why(layer, X, error):
    """Why `layer` cannot take `X`, in words."""
    comes = _shape(X.shape[1:])
    if isinstance(layer, nn.Linear) and X.ndim > 2:
        return f"maps of {comes} reach it; put nn.Flatten() before it."
    if isinstance(layer, nn.Linear):
        return f"it is made for {layer.in_features} numbers, but {comes} reach it. Mind the flatten size."
    if isinstance(layer, nn.Conv2d) and X.ndim == 4 and X.shape[1] != layer.in_channels:
        return f"it is made for {layer.in_channels} channels, but maps of {comes} reach it."
    if X.ndim == 4:
        return f"its window does not fit on maps of {comes}: use a smaller kernel, more padding or less pooling."
    return f"{comes} numbers reach it, no maps any more ({error})."
