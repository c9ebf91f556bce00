"""Chapter 3: sizes and costs of a LeNet."""

import torch
from torch import nn

from helpers.checks import answers, networks
from helpers.checks.attempt import NotYet, Stopped
from helpers.checks.exercise import Exercise, Mistake, Sign, checked
from helpers.checks.verdict import not_yet, right, wrong

# Exercise 3.1


_ACTIVATIONS = {
    "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "celu", "gelu", "silu", "mish", "hardswish", "hardsigmoid",
    "hardtanh", "softplus", "clamp", "clamp_min", "maximum", "where", "exp", "abs", "log_sigmoid_forward", "threshold",
}  # fmt: skip


def _images(channels, size, count=4):
    """Images as different as can be: noise, brighter and darker, and one with a bright side."""
    X = torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(31))
    X *= torch.linspace(1, 0.4, count).view(-1, 1, 1, 1)
    X[1, :, :, : size // 2] = 1
    return X


def _unlimited(run, X):
    """Raise Stopped, with the reason, if something at the network's end keeps its scores within limits."""
    limit = networks.limit(networks.copied(run.net), X)
    if limit and "softmax" in limit:
        raise Stopped(f"remove the {limit} at the end: the loss function of chapter 4 contains one already")
    if limit:
        last = next((step.layer for step in reversed(run.steps) if not list(step.layer.children())), None)
        name = "activation" if last is None or hasattr(last, "weight") else type(last).__name__
        raise Stopped(f"your scores stay {limit}: remove the {name} at the end, since scores may have any size")


def _counted(count, thing):
    return f"{count} {thing}" + ("s" if count != 1 else "")


@checked
def check_colour_net(net):
    """Exercise 3.1; net: LeNet with another first layer, from (batch, 3, 32, 32) images to ten scores."""
    first = net[0] if isinstance(networks.module(net), nn.Sequential) else None
    if isinstance(first, nn.Conv2d):
        if (first.in_channels, first.out_channels, first.kernel_size, first.padding) == (1, 6, (5, 5), (2, 2)):
            return not_yet("Not done yet: change the line of the first convolution, then run the cell again.")
        if first.in_channels not in (0, 3):  # 0: a lazy one
            return wrong(f"Its first convolution takes {_counted(first.in_channels, 'channel')}; a colour image has 3.")
    if isinstance(net, nn.Conv2d):
        return wrong("That is the first convolution alone: LeNet's other layers have to follow it.")
    X = _images(3, 32)
    try:
        run = networks.run(networks.copied(net), X)
    except Stopped as stopped:
        maps = (6, 28, 28)
        if isinstance(first, nn.Conv2d):
            maps = networks.ForwardPass(networks.copied(first), X).scores.shape[1:]
        if maps != (6, 28, 28):
            made = f"Your first convolution makes maps of {answers.shape(maps)}, but the layers after it expect 6×28×28"
            size = "the size is 32 + 2·padding − kernel_size + 1"
            return wrong(f"{made}: {size if maps[1:] != (28, 28) else 'six channels have to come out'}.")
        if isinstance(first, nn.Conv2d) and len(net) > 1 and getattr(net[1], "in_channels", 0) == 1:
            return wrong(f"The old first layer still follows your new one: {stopped.words}.")
        if isinstance(net, nn.Sequential) and not any(isinstance(layer, nn.Conv2d) for layer in first.modules()):
            return wrong(f"LeNet's first layer is an nn.Conv2d, yours nn.{type(first).__name__}: {stopped.words}.")
        raise
    seen = next((shape[1] for name, shape in run.operations if name == "convolution"), 0)
    if seen != 3:
        sees = f"Its first convolution sees {_counted(seen, 'channel')}" if seen else "There is no convolution in it"
        return wrong(f"{sees}; a colour image has 3 channels.")
    _unlimited(run, X)
    activations = run.count(*_ACTIVATIONS)
    if activations < 4:
        return wrong(f"LeNet has 4 activations, your network {activations}: only the first convolution changes.")
    layers = [step.layer for step in run.steps if isinstance(step.layer, nn.Conv2d)]
    if run.count("convolution") != 2:
        return wrong(f"LeNet has 2 convolutions, your network {run.count('convolution')}: change the first, add none.")
    held = sum(p.numel() for p in layers[0].parameters()) if layers else 456
    return right(f"Right: {held:,} parameters there instead of 156; the layers after it see no colours.")


# Exercise 3.2


def _side(size, kernel, padding, second=0, plus=(1, 1), pools=(2, 2), kernel_2=None):
    """One side of the maps that reach Flatten; the options are mistakes."""
    size = (size + 2 * padding - kernel + plus[0]) // pools[0]
    return (size + 2 * second - (kernel_2 or kernel) + plus[1]) // pools[1]


def _nearest(size):
    return round(size / 2)


def _flat(words, side=_side, **options):
    """The mistake of another side, as of `_side` with options."""
    return Mistake(words, lambda n, k, p, c: c * side(n, k, p, **options) ** 2)


check_flatten_size = Exercise(
    task="3.2; flatten_size(image_size, kernel_size, padding, channels): a whole number.",
    solution=lambda image_size, kernel_size, padding, channels: channels * _side(image_size, kernel_size, padding) ** 2,
    probes=lambda: [
        (14, 3, 1, 2), (28, 5, 2, 16), (35, 5, 0, 9), (29, 4, 0, 9), (30, 8, 6, 12), (31, 5, 3, 12), (28, 5, 0, 7),
        (40, 4, 3, 5), (33, 3, 0, 4), (17, 2, 1, 6), (32, 4, 0, 3),
        (31, 4, 0, 7),
    ],
    praise="Right, for odd sizes too: now you can write the first Linear after any two convolutions.",
    read=answers.whole,
    mistakes=[
        Mistake("That is one map: times channels.", lambda n, k, p, c: _side(n, k, p) ** 2),
        Mistake("A map has two sides: square its size.", lambda n, k, p, c: c * _side(n, k, p)),
        Mistake("That is one side of one map: square it, times channels.", lambda n, k, p, c: _side(n, k, p)),
        Mistake("That is twice a side: a map has side · side numbers.", lambda n, k, p, c: 2 * c * _side(n, k, p)),
        Mistake("Square the side alone, not the channels.", lambda n, k, p, c: (c * _side(n, k, p)) ** 2),
        Mistake("In Python ^ is not a power: write **.", lambda n, k, p, c: c * _side(n, k, p) ^ 2),
        Mistake("Only the second convolution's maps reach Flatten, not 6 times as many.",
                lambda n, k, p, c: 6 * c * _side(n, k, p) ** 2),
        *(Mistake("All `channels` maps reach Flatten: pooling makes maps smaller, not fewer.",
                  lambda n, k, p, c, few=few: c // few * _side(n, k, p) ** 2) for few in (2, 4)),
        Mistake("400 is the answer for this chapter's LeNet: compute it from the arguments.", lambda n, k, p, c: 400),
        Mistake("The channels are fixed at 16: take `channels`.", lambda n, k, p, c: 16 * _side(n, k, p) ** 2),
        _flat("The image is fixed at 28: take `image_size`.", lambda n, k, p: _side(28, k, p)),
        _flat("The padding is fixed at 2: take `padding`.", lambda n, k, p: _side(n, k, 2)),
        _flat("Both kernels are fixed at 5: take `kernel_size`.", lambda n, k, p: _side(n, 5, p)),
        _flat("The second kernel is fixed at 5: take `kernel_size`.", kernel_2=5),
        _flat("The first kernel is fixed at 5: take `kernel_size`.", lambda n, k, p: _side(n, 5, p, kernel_2=k)),
        _flat("You forgot the padding of the first convolution.", lambda n, k, p: _side(n, k, 0)),
        _flat("You pad the second convolution in place of the first.", lambda n, k, p: _side(n, k, 0, second=p)),
        _flat("The padding counts on both sides: add 2 · padding.", lambda n, k, p: _side(n - p, k, p)),
        _flat("The padding makes the image larger: add it, do not subtract it.", lambda n, k, p: _side(n, k, -p)),
        _flat("The second convolution has no padding.", lambda n, k, p: _side(n, k, p, second=p)),
        _flat("The second convolution has no padding, not 2 either.", second=2),
        _flat("You forgot the second pooling.", pools=(2, 1)),
        _flat("You forgot the first pooling.", pools=(1, 2)),
        _flat("You forgot both poolings.", pools=(1, 1)),
        _flat("Pool after each convolution, not twice at the end.", pools=(1, 4)),
        *(_flat(f"{which} too large if the number is odd: do you round up, or add 2 in place of 1?", plus=plus)
          for which, plus in (("The first pooling's map is", (2, 1)), ("The second pooling's map is", (1, 2)),
                              ("The maps after both poolings are", (2, 2)))),
        _flat("A pooling rounds down; round() may round up.",
              lambda n, k, p: _nearest(_nearest(n + 2 * p - k + 1) - k + 1)),
        _flat("The first pooling rounds down; round() may round up.",
              lambda n, k, p: (_nearest(n + 2 * p - k + 1) - k + 1) // 2),
        _flat("The second pooling rounds down; round() may round up.",
              lambda n, k, p: _nearest((n + 2 * p - k + 1) // 2 - k + 1)),
        Mistake("Round down after each pooling, not at the end alone.",
                lambda n, k, p, c: int(c * (((n + 2 * p - k + 1) / 2 - k + 1) / 2) ** 2)),
        _flat("A pooling should halve the sides, and yours takes 1 away: does it move by 1, or are brackets "
              "missing before // 2?", pools=(1, 1), plus=(0, 0)),
        _flat("Both convolutions lack the + 1 of the size formula.", plus=(0, 0)),
        _flat("The first convolution lacks the + 1 of the size formula.", plus=(0, 1)),
        _flat("The second convolution lacks the + 1 of the size formula.", plus=(1, 0)),
        _flat("The size formula adds 1; your convolutions subtract 1.", plus=(-1, -1)),
        _flat("The first convolution is right for odd kernels only.", lambda n, k, p: _side(n, k, p, plus=(k % 2, 1))),
        _flat("The second convolution is right for odd kernels only.", lambda n, k, p: _side(n, k, p, plus=(1, k % 2))),
        _flat("Both convolutions are right for odd kernels only.", lambda n, k, p: _side(n, k, p, plus=(k % 2, k % 2))),
        _flat("You forgot the second convolution and pooling.", lambda n, k, p: (n + 2 * p - k + 1) // 2),
        _flat("You forgot the second convolution.", lambda n, k, p: (n + 2 * p - k + 1) // 4),
        _flat("You forgot the first convolution.", lambda n, k, p: (n // 2 - k + 1) // 2),
        _flat("Convolutions make maps smaller too, not only poolings.", lambda n, k, p: n // 4),
        _flat("That is the image itself: follow it through the four layers.", lambda n, k, p: n),
    ],
)  # fmt: skip


# Exercise 3.3


def _cost(i, o, k, n, p):
    """Parameters and multiply-adds of a convolution."""
    return (i * k * k + 1) * o, _places(n, k, p) * o * i * k * k


def _places(n, k, p):
    return (n + 2 * p - k + 1) ** 2


def _part(place, name):
    """An `observe` that judges one of the two numbers."""

    def observe(attempt, *probe):
        pair = answers.sequence(2, lambda part: part, "`parameters, multiply_adds`")(attempt(*probe))
        if pair[place] is ...:
            raise NotYet
        if pair[place] is None:
            raise answers.Unreadable(f"your {name} are None: they were never given a number")
        return pair[place]

    return observe


def _conv_cost(place, name, praise, mistakes):
    return Exercise(
        task=f"3.3; conv_cost(in_channels, out_channels, kernel_size, image_size, padding): {name}.",
        solution=lambda in_channels, out_channels, kernel_size, image_size, padding: _cost(
            in_channels, out_channels, kernel_size, image_size, padding
        ),
        probes=lambda: [(2, 3, 3, 5, 0), (2, 5, 3, 6, 1), (3, 8, 5, 20, 0), (4, 7, 4, 15, 2), (1, 6, 5, 28, 2)],
        praise=praise,
        read=answers.whole,
        observe=_part(place, name),
        difference=lambda value, expected: f"your {name} are {value:,}, expected {expected:,}",
        mistakes=[Mistake(words, lambda *case, gives=gives: (gives(*case),) * 2) for words, gives in mistakes],
    )


_parameters = _conv_cost(0, "parameters", "Parameters are right; now replace the dots of multiply_adds.", [
    ("You forgot the biases, one for each output channel.", lambda i, o, k, n, p: i * k * k * o),
    ("One bias for each output channel, not one in total.", lambda i, o, k, n, p: i * k * k * o + 1),
    ("One bias for each output channel, not for each kernel.", lambda i, o, k, n, p: (k * k + 1) * i * o),
    ("The biases belong to the output channels, not to the input channels.", lambda i, o, k, n, p: i * k * k * o + i),
    ("One bias for each output channel, not for each weight.", lambda i, o, k, n, p: 2 * i * k * k * o),
    ("The biases are added to the weights, not multiplied.", lambda i, o, k, n, p: i * k * k * o * o),
    ("Each kernel is as deep as the input: times in_channels.", lambda i, o, k, n, p: (k * k + 1) * o),
    ("Each kernel is as deep as the input, and has a bias: times in_channels.", lambda i, o, k, n, p: k * k * o),
    ("Each kernel is as deep as the input: times in_channels, not plus.", lambda i, o, k, n, p: (i + k * k + 1) * o),
    ("That is one output channel: times out_channels.", lambda i, o, k, n, p: i * k * k + 1),
    ("That is one output channel without its bias.", lambda i, o, k, n, p: i * k * k),
    ("That is one output channel's kernel: times out_channels.", lambda i, o, k, n, p: i * k * k + o),
    ("That is the kernel alone: a window is as deep as the input.", lambda i, o, k, n, p: k * k),
    ("A kernel has two sides: kernel_size squared.", lambda i, o, k, n, p: (i * k + 1) * o),
    ("A kernel has kernel_size · kernel_size places, not 2 · kernel_size.", lambda i, o, k, n, p: (i * 2 * k + 1) * o),
    ("Square the kernel's side alone, not the channels.", lambda i, o, k, n, p: ((i * k) ** 2 + 1) * o),
    ("In Python ^ is not a power: write **.", lambda i, o, k, n, p: (i * k ^ 2 + 1) * o),
    ("The kernel's size counts, not the image's.", lambda i, o, k, n, p: (i * n * n + 1) * o),
    ("These are the multiply-adds: did you swap the two numbers?", lambda *case: _cost(*case)[1]),
    ("All places share one kernel: leave the output's size out.",
     lambda i, o, k, n, p: _places(n, k, p) * (i * k * k + 1) * o),
    ("That is a dense layer's: each output number would have weights of its own.",
     lambda i, o, k, n, p: i * n * n * o * _places(n, k, p)),
    ("156 is LeNet's first layer: compute it from the arguments.", lambda i, o, k, n, p: 156),
    ("The channels are fixed at LeNet's: take in_channels and out_channels.", lambda i, o, k, n, p: (k * k + 1) * 6),
])  # fmt: skip


def _work(places, products=lambda i, k: i * k * k):
    return lambda i, o, k, n, p: places(n, k, p) * o * products(i, k)


_multiply_adds = _conv_cost(
    1, "multiply-adds", "Right: few parameters, each of them used at every place of the output.", [
    ("The window stops at as many places as the *output* has.", _work(lambda n, k, p: n * n)),
    ("The window stops at as many places as the *output* has, not as the padded image.",
     _work(lambda n, k, p: (n + 2 * p) ** 2)),
    ("The window stops at the *output*'s places, and the biases are no products.",
     _work(lambda n, k, p: n * n, lambda i, k: i * k * k + 1)),
    ("The window stops at the *output*'s places, and the parameters hold in_channels already.",
     lambda i, o, k, n, p: i * n * n * (i * k * k + 1) * o),
    ("You forgot the padding in the output size.", _work(lambda n, k, p: (n - k + 1) ** 2)),
    ("The padding counts on both sides: add 2 · padding.", _work(lambda n, k, p: (n + p - k + 1) ** 2)),
    ("The padding makes the image larger: add it.", _work(lambda n, k, p: (n - 2 * p - k + 1) ** 2)),
    ("The size formula ends with + 1.", _work(lambda n, k, p: (n + 2 * p - k) ** 2)),
    ("The size formula ends with + 1, not - 1.", _work(lambda n, k, p: (n + 2 * p - k - 1) ** 2)),
    ("The size formula adds 1, not 2.", _work(lambda n, k, p: (n + 2 * p - k + 2) ** 2)),
    ("Your window moves by 2: the stride is 1.", _work(lambda n, k, p: ((n + 2 * p - k) // 2 + 1) ** 2)),
    ("Your window moves by its own size: the stride is 1.", _work(lambda n, k, p: (n // k) ** 2)),
    ("A map has two sides: square the output size.", _work(lambda n, k, p: n + 2 * p - k + 1)),
    ("A map has side · side places, not 2 · side.", _work(lambda n, k, p: 2 * (n + 2 * p - k + 1))),
    ("That is one place: times the number of places in the output.", _work(lambda n, k, p: 1)),
    ("Biases are added, not multiplied: leave them out.", _work(_places, lambda i, k: i * k * k + 1)),
    ("A multiply-add is product and sum together: each weight counts, none is left out.",
     _work(_places, lambda i, k: i * k * k - 1)),
    ("A multiply-add is one step, product and sum together.", _work(_places, lambda i, k: 2 * i * k * k)),
    ("A multiply-add is one step: do not count the sums separately.", _work(_places, lambda i, k: 2 * i * k * k - 1)),
    ("Each output number sums over all input channels: times in_channels.", _work(_places, lambda i, k: k * k)),
    ("Each kernel has kernel_size squared weights, and each makes a product.", _work(_places, lambda i, k: i)),
    ("A kernel has two sides: kernel_size squared.", _work(_places, lambda i, k: i * k)),
    ("A kernel has kernel_size · kernel_size weights, not 2 · kernel_size.", _work(_places, lambda i, k: i * 2 * k)),
    ("That is one output channel: times out_channels.", lambda i, o, k, n, p: _places(n, k, p) * i * k * k),
    ("That is one output channel, from one input channel: times both.", lambda i, o, k, n, p: _places(n, k, p) * k * k),
    ("That is how many numbers come out: each needs its products.", lambda i, o, k, n, p: _places(n, k, p) * o),
    ("In Python ^ is not a power: write **.", lambda i, o, k, n, p: o * _places(n, k, p) * i * k ^ 2),
    ("In Python ^ is not a power: write **.", lambda i, o, k, n, p: o * (n + 2 * p - k + 1) ^ 2 * i * k * k),
    ("These are the parameters: leave out the biases, and multiply by the places of the output.",
     lambda *case: _cost(*case)[0]),
    ("That is a dense layer's: a window sees a part of the image.",
     lambda i, o, k, n, p: i * n * n * o * _places(n, k, p)),
    ("117,600 is LeNet's first layer: compute it from the arguments.", lambda i, o, k, n, p: 117_600),
])  # fmt: skip


def check_conv_cost(conv_cost):
    """Exercise 3.3; conv_cost(in_channels, out_channels, kernel_size, image_size, padding): two whole numbers."""
    parameters = _parameters(conv_cost)
    multiply_adds = parameters if parameters.right is False else _multiply_adds(conv_cost)
    if parameters.right is None and multiply_adds:
        return wrong("Multiply-adds are right; now replace the dots of parameters.")
    return wrong(parameters.message) if parameters and multiply_adds.right is None else multiply_adds


# Exercise 3.4


def _as_conv(dense, channels, height, width, order=lambda weight, *sizes: weight.reshape(-1, *sizes), **options):
    conv = nn.Conv2d(channels, dense.out_features, (height, width), **options)
    with torch.no_grad():
        conv.weight.copy_(order(dense.weight, channels, height, width))
        conv.bias.copy_(dense.bias)
    return conv


def _dense(outputs, channels, height, width):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(33)
        return nn.Linear(channels * height * width, outputs), channels, height, width


def _computes(attempt, dense, channels, height, width):
    """What is judged of a convolution: its weights, its bias and its output for two maps, if it takes them."""
    conv = attempt(dense, channels, height, width)
    if attempt.manners:
        raise Stopped(attempt.manners[0])
    if not isinstance(conv, nn.Conv2d):
        raise answers.Unreadable(f"the layer alone is expected, an nn.Conv2d, but you return {answers.kind(conv)}")
    maps = torch.rand(2, channels, height, width, generator=torch.Generator().manual_seed(33))
    fits = isinstance(conv, nn.LazyConv2d) or conv.in_channels == channels
    try:
        output = conv.cpu()(maps).detach() if fits else torch.zeros(0)
    except RuntimeError:  # a kernel larger than the maps: its shape tells
        output = torch.zeros(0)
    bias = torch.zeros(0) if conv.bias is None else conv.bias.detach()
    return conv.weight.detach(), bias, output


def _shape(words, pattern):
    """A sign of weights whose shape is such; that of a square kernel, or of 1×1, may be right by chance."""

    def seen(value, dense, channels, height, width):
        shape, expected = tuple(value[0].shape), (dense.out_features, channels, height, width)
        return pattern(shape, *expected) if height != width or shape != expected else True

    return Sign(words, seen)


def _weights_differ(value, dense, channels, height, width):
    return not answers.same(value[0].flatten(1), dense.weight.data)


def _another_order(value, dense, channels, height, width):
    ours, theirs = (weight.flatten().sort().values for weight in (value[0], dense.weight.data))
    return _weights_differ(value, dense, channels, height, width) and answers.same(ours, theirs)


def _conv_difference(value, expected):
    for what, yours, theirs in zip(("weights", "bias", "outputs"), value, expected, strict=True):
        if what == "outputs" and not len(yours):
            return "your layer cannot take such maps"
        if yours.shape != theirs.shape:
            return f"the shape of your {what} is {answers.shape(yours)}, expected {answers.shape(theirs)}"
        if not answers.same(yours, theirs):
            return f"{what}: {answers.difference(yours, theirs)}"
    return "your layer differs"


check_dense_to_conv = Exercise(
    task="3.4; dense_to_conv(dense, channels, height, width): a Conv2d that computes what `dense` does.",
    solution=lambda dense, channels, height, width: _as_conv(dense, channels, height, width),
    probes=lambda: [_dense(7, 3, 2, 4), _dense(5, 2, 3, 3), _dense(120, 16, 5, 5), _dense(4, 6, 1, 1)],
    praise="Right: the same outputs, from the maps themselves.",
    read=lambda value: value,
    observe=_computes,
    difference=_conv_difference,
    mistakes=[
        Sign("Some of your weights are NaN or infinite.",
             lambda value, *sizes: not value[0].isfinite().all() or not value[1].isfinite().all()),
        _shape("You exchanged the channels: in come `channels`, out come the outputs of `dense`.",
               lambda shape, o, c, h, w: shape[:2] == (c, o) != (o, c)),
        _shape("The kernel size is (height, width), in this order.",
               lambda shape, o, c, h, w: shape == (o, c, w, h) != (o, c, h, w)),
        _shape("The kernel is as large as the maps: (height, width).",
               lambda shape, o, c, h, w: shape[:2] == (o, c) and shape[2:] != (h, w)),
        _shape("Your weights do not have the shape of the kernels that are expected.",
               lambda shape, *sizes: shape != sizes),
        Mistake("You turned the kernels around: a convolution layer does not flip them.",
                lambda *given: _as_conv(*given, order=lambda w, *s: w.reshape(-1, *s).flip(2, 3))),
        Mistake("You exchanged rows and columns: Flatten goes through channels, then rows, then columns.",
                lambda *given: _as_conv(*given, order=lambda w, c, h, v: w.reshape(-1, c, v, h).transpose(2, 3))),
        Mistake("The channels come first, not last: Flatten goes through channels, then rows, then columns.",
                lambda *given: _as_conv(*given, order=lambda w, c, h, v: w.reshape(-1, h, v, c).permute(0, 3, 1, 2))),
        Mistake("`dense.weight` has a row for each output, so the outputs come first in the reshape.",
                lambda *given: _as_conv(*given, order=lambda w, c, h, v: w.reshape(c, -1, h, v).transpose(0, 1))),
        Sign("All weights are there, but in another order: Flatten goes through channels, then rows, then columns.",
             _another_order),
        Sign("Neither weights nor bias are those of `dense`: a new layer draws its own, so copy both.",
             lambda value, *sizes: _weights_differ(value, *sizes) and not answers.same(value[1], sizes[0].bias.data)),
        Sign("The weights are not those of `dense`; the bias is.", _weights_differ),
        Sign("The weights are right, but there is no bias: copy it as well.", lambda value, *sizes: not len(value[1])),
        Sign("The weights are right, but the bias is not that of `dense`: copy it as well.",
             lambda value, dense, *sizes: not answers.same(value[1], dense.bias.data)),
        Sign("The layer computes in a different type of number than `dense`: leave the type as it is.",
             lambda value, dense, *sizes: value[0].dtype != dense.weight.dtype),
        Sign("Weights and bias are right, the output is not: use no padding, and stride, dilation and groups of 1.",
             lambda value, *sizes: True),
    ],
)  # fmt: skip


# Exercise 3.5


@checked
def check_own_network(net, max_parameters, max_multiply_adds):
    """Exercise 3.5; net: a module from (batch, 1, 28, 28) images to ten scores, with three convolutions or more."""
    X = _images(1, 28)
    run = networks.run(networks.copied(net), X)
    convolutions, defined = run.count("convolution"), sum(isinstance(layer, nn.Conv2d) for layer in net.modules())
    if convolutions < 3:
        idle = f" ({defined} are defined, but not all run)" if defined > convolutions else ""
        return wrong(
            f"It runs, but has {_counted(convolutions, 'convolution')}{idle}; the exercise asks for three or more."
        )
    _unlimited(run, X)
    if not run.trains and any(p.requires_grad for p in net.parameters()):
        return wrong("It cannot learn: no gradient leads from its scores to a weight. Is there detach() or no_grad()?")
    held = {name: sum(p.numel() for p in layer.parameters(recurse=False)) for name, layer in run.net.named_modules()}
    work = dict.fromkeys(held, 0)
    for step in run.steps:
        work[step.name] += step.multiply_adds // len(X)
    parameters, multiply_adds = sum(p.numel() for p in run.net.parameters()), run.multiply_adds // len(X)
    for name, costs, total, most, advice in (
        ("parameters", held, parameters, max_parameters, "make it narrower, or the maps before it smaller"),
        ("multiply-adds", work, multiply_adds, max_multiply_adds,
         "give it fewer channels or a smaller kernel, or pool before it"),
    ):  # fmt: skip
        if total > most:
            dearest = max(costs, key=costs.get)
            return wrong(f"{total:,} {name} are {total - most:,} too many; {costs[dearest]:,} of them belong to "
                         f"{_layer(run, dearest, costs is work)}: {advice}.")  # fmt: skip
    costs = f"{parameters:,} parameters, {multiply_adds:,} multiply-adds, {convolutions} convolutions."
    return right(f"It runs: {costs}{_without_activation(run, X)}")


def _layer(run, name, work):
    """A layer described by its output, or as one that never runs."""
    layer = type(run.net.get_submodule(name)).__name__
    step = next((step for step in run.steps if step.name == name), None)
    if step is None:
        return f"`{name}`, a {layer} that never runs"
    if not name and not work:
        return f"`{max(run.net.named_parameters(recurse=False), key=lambda pair: pair[1].numel())[0]}`, in no layer"
    if not name or not torch.is_tensor(step.made):
        return f"the code of {layer}, outside of its layers"
    return f"the {layer} that makes {answers.shape(step.made.shape[1:])}"


def _without_activation(run, X):
    """A remark on a network that has no activation, or nothing."""
    if networks.is_affine(networks.copied(run.net), X):
        return " But there is no activation in it: its layers could be replaced by one."
    if not run.count(*_ACTIVATIONS) and run.count("max_pool2d_with_indices"):
        return " But there is no activation in it: only max-pooling keeps its layers from being replaced by one."
    return ""


def _new_lenet(from_maps=6, from_numbers=400, classes=10):
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(from_maps, 16, kernel_size=5), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(), nn.Linear(from_numbers, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(),
        nn.Linear(84, classes),
    )  # fmt: skip


def _three_numbers(attempt):
    """The numbers that replace the dots of `new_lenet`, if everything else is as in the chapter."""
    net = attempt()
    if not isinstance(net, nn.Sequential):
        raise answers.Unreadable(f"an nn.Sequential is expected, but you return {answers.kind(net)}")
    if list(map(type, net)) != list(map(type, _new_lenet())):
        raise answers.Unreadable("only the three dots change: these are other layers than the chapter's twelve")
    three = net[3].in_channels, net[7].in_features, net[11].out_features
    if str(net) != str(_new_lenet(*three)):
        raise answers.Unreadable("only the three dots change, and here another number of a layer has changed")
    return three


def _sides(value):
    return f"your three numbers are {value[0]}, {value[1]} and {value[2]}: follow one image through the layers"


def _at(place, *numbers):
    """A sign: one of these numbers is at this place, instead of the right one."""
    return lambda value: value[place] in numbers


def _shapes_of(net, X, follow=lambda layer, X, first: layer(X), shape=lambda X: tuple(X.shape)):
    shapes, first = [], X
    for layer in net:
        X = follow(layer, X, first)
        shapes.append(shape(X))
    return shapes


def _shapes(value):
    if not isinstance(value, list) or not all(isinstance(shape, tuple) for shape in value):
        raise answers.Unreadable(
            f"a list of shapes is expected, as the chapter's lines make it, but you return {value}"
        )
    return value


def _layers(value):
    if not isinstance(value, nn.Sequential):
        raise answers.Unreadable(
            f"two parts of `net` are expected, each an nn.Sequential; one of yours is {answers.kind(value)}"
        )
    return tuple(map(str, value))


def _counts(count):
    return lambda net: sum(count(parameter.detach()) for parameter in net.parameters())


BLANKS = {  # functions that the chapter's text leaves to the student, see blank.py
    "place_of": Exercise(
        task="3, section 2; place_of(row, column): where a pixel of a 28×28 image lands in the flattened row.",
        solution=lambda row, column: 28 * row + column,
        probes=lambda: [(0, 5), (2, 10), (14, 0), (20, 27)],
        praise="Right: 28 numbers for each row above, and then the column.",
        read=answers.whole,
        setting=lambda row, column: f"For row {row}, column {column}",
        mistakes=[
            Mistake("Rows are laid end to end, not columns: exchange the two.", lambda r, c: 28 * c + r),
            Mistake("Everything is counted from 0: row 0 begins at place 0.",
                    *(lambda r, c, less=less: 28 * r + c - less for less in (1, 28, 29, -1))),
            Mistake("That is one row further down: row 0 has no row above it.", lambda r, c: 28 * (r + 1) + c),
            Mistake("That is where its row begins: go on to its column.", lambda r, c: 28 * r),
            Mistake("Each row above takes 28 places, not one.", lambda r, c: r + c),
            Mistake("A row has 28 numbers, however far right the pixel is: add the column, do not multiply by it.",
                    lambda r, c: r * c, lambda r, c: 28 * r * c),
            Mistake("The image has 28 columns, 0 to 27, so a row takes 28 places, not 27.", lambda r, c: 27 * r + c),
            Mistake("Each row above takes 28 places, each column just one.", lambda r, c: 28 * (r + c)),
        ],
    ),
    "new_lenet": Exercise(
        task="3, section 3; new_lenet(): LeNet as an nn.Sequential.",
        solution=_new_lenet,
        probes=lambda: [()],
        praise="Right: each layer takes what the one before it gives.",
        read=lambda value: value,
        same=lambda value, other: value == other,
        observe=_three_numbers,
        difference=lambda value, expected: _sides(value),
        setting=lambda: "In this network",
        mistakes=[
            Sign("The second convolution sees maps, not the grey image: how many does the first one make?", _at(0, 1)),
            Sign("16 maps leave the second convolution: how many come in?", _at(0, 16)),
            Sign("5 is the kernel's size: how many maps come into the second convolution?", _at(0, 5)),
            Sign("28 is the size of the maps: how many of them come into the second convolution?", _at(0, 28, 14)),
            Sign("5×5 is one map, and 16 maps reach Flatten.", _at(1, 25)),
            Sign("16 maps reach Flatten, and each of them has 5·5 numbers.", _at(1, 16, 80)),
            Sign("6 maps leave the first convolution, but 16 reach Flatten.", _at(1, 6 * 25)),
            Sign("A kernel of 5×5 without padding takes 4 rows from a map, not 2.", _at(1, 16 * 36)),
            Sign("Is 784 the image? Only the last maps reach Flatten. Or 16·7·7? The second convolution pads nothing.",
                 _at(1, 784)),
            Sign("A pooling follows the second convolution, too: it halves the maps.", _at(1, 16 * 100)),
            Sign("The first convolution has padding, so its maps are as large as the image.", _at(1, 16 * 16)),
            Sign("Ten kinds of clothes need ten scores.", lambda value: value[2] != 10),
        ],
    ),
    "shapes_of": Exercise(
        task="3, section 3; shapes_of(net, X): the shape of what each layer gives.",
        solution=lambda net, X: _shapes_of(net, X),
        probes=lambda: [
            (nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten()), torch.zeros(1, 1, 4, 4)),
            (nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.Linear(5, 7)), torch.zeros(2, 3, 2, 2)),
            (_new_lenet(), torch.zeros(1, 1, 28, 28)),
        ],
        praise="Right: what one layer gives is what the next one takes.",
        read=_shapes,
        same=lambda value, other: value == other,
        difference=lambda value, expected: f"you get {value}, expected {expected}",
        setting=lambda net, X: f"For {len(net)} layers and X of {answers.shape(X)}",
        mistakes=[
            Mistake("X never changes: let each layer compute with it.",
                    lambda net, X: _shapes_of(net, X, lambda layer, X, first: X)),
            Mistake("Within the loop only `layer` works on X, not the whole network.",
                    lambda net, X: _shapes_of(net, X, lambda layer, X, first: net(X))),
            Mistake("Those are the shapes of the weights: what does the layer give?",
                    lambda net, X: _shapes_of(net, X, lambda layer, X, first: layer.weight)),
            Mistake("The batch belongs to the shape as well: leave it there.",
                    lambda net, X: _shapes_of(net, X, shape=lambda X: tuple(X.shape[1:]))),
        ],
    ),
    "halves": Exercise(
        task="3, section 3; halves(net): the feature extractor of a LeNet, and its classifier.",
        solution=lambda net: (net[:7], net[7:]),
        probes=lambda: [(_new_lenet(),), (_new_lenet(8, 200, 4),)],
        praise="Right: images in, 400 features out; features in, ten scores out.",
        read=answers.sequence(2, _layers, "`feature_extractor, classifier`"),
        difference=lambda value, expected: f"your halves have {len(value[0])} and {len(value[1])} layers",
        same=lambda value, other: value == other,
        setting=lambda net: "Of the 12 layers",
        mistakes=[
            Mistake("`Flatten`, layer 6, belongs to the feature extractor, and net[:6] ends before it.",
                    lambda net: (net[:6], net[6:])),
            Mistake("The first dense layer, layer 7, belongs to the classifier.", lambda net: (net[:8], net[8:])),
            Mistake("The feature extractor comes first.", lambda net: (net[7:], net[:7])),
            Mistake("Layer 7 is in neither half: net[:7] ends before it.", lambda net: (net[:7], net[8:])),
            Mistake("`Flatten` is in both halves, or in neither: begin the second where the first ends.",
                    lambda net: (net[:7], net[6:]), lambda net: (net[:6], net[7:])),
            Mistake("Both convolutions belong to the feature extractor, with their poolings.",
                    lambda net: (net[:3], net[3:])),
            Mistake("Not half of the layers: everything up to and including `Flatten`, whatever comes after.",
                    *(lambda net, at=at: (net[:at], net[at:]) for at in (5, 9))),
        ],
    ),
    "count_parameters": Exercise(
        task="3, section 5; count_parameters(net): how many numbers training may change.",
        solution=_counts(torch.Tensor.numel),
        probes=lambda: [(nn.Linear(3, 2),), (nn.Conv2d(2, 4, 3),), (_new_lenet(),)],
        praise="Right: every weight and every bias counts once.",
        read=answers.number,
        setting=lambda net: f"For {net if isinstance(net, (nn.Linear, nn.Conv2d)) else 'LeNet'}",
        mistakes=[
            Mistake("You count tensors, not the numbers in them.", _counts(lambda p: 1)),
            Mistake("`len` counts the rows of a tensor, not all its numbers.", _counts(len)),
            Mistake("You count the last dimension alone: multiply all of them.", _counts(lambda p: p.shape[-1])),
            Mistake("You count dimensions, not the numbers in the tensor.", _counts(lambda p: p.ndim)),
            Mistake("The dimensions of a tensor are multiplied, not added.", _counts(lambda p: sum(p.shape))),
            Mistake("You add the weights themselves: count them.", _counts(lambda p: p.sum())),
            Mistake("These are bytes, four for each number.", _counts(lambda p: p.nbytes)),
            Mistake("You count the bytes of one number.", _counts(lambda p: p.element_size())),
            Mistake("You count the first two dimensions alone: a kernel has rows and columns, too.",
                    _counts(lambda p: p.shape[:2].numel())),
        ],
    ),
}  # fmt: skip
