"""Chapter 2: convolution and pooling."""

import functools
import itertools
import numbers

import numpy as np
import torch
from torch.nn import functional as F

from helpers.checks import answers
from helpers.checks.exercise import Exercise, Mistake, Sign, checked
from helpers.checks.verdict import right, wrong

# Exercise 2.1


WIDTHS = [  # name, the right width, {a wrong width: the mistake that gives it, or the two that do}
    ("A (28 wide, kernel 7)", 22, {21: "you forgot the + 1", 28: "there is no padding here"}),
    ("B (28 wide, kernel 5, padding 2, stride 2)", 14, {
        13: "you forgot the + 1, or the padding on one of the two sides",
        14.5: "round the division down before you add 1",
        15: "round the division down, not up",
        12: "you forgot the padding",
        12.5: "you forgot the padding",
        13.5: "the padding counts on both sides: add 2·2",
        28: "you forgot the stride",
    }),
    ("C (32 wide, kernel 3, dilation 2)", 28, {
        27: "you forgot the + 1, or your kernel covers 2·3 = 6 pixels instead of 2·(3 − 1) + 1 = 5",
        30: "you forgot the dilation: the kernel covers 2·(3 − 1) + 1 = 5 pixels",
        26: "the kernel covers 2·(3 − 1) + 1 = 5 pixels, not 2·3 + 1 = 7",
        15: "dilation is not stride: the kernel still moves by one pixel",
        16: "dilation is not stride: the kernel still moves by one pixel",
        14: "dilation is not stride: the kernel still moves by one pixel",
    }),
]  # fmt: skip


@checked
def check_output_sizes(widths):
    """Exercise 2.1; widths: a list of three numbers, those of three maps."""
    if not isinstance(widths, (list, tuple, torch.Tensor, np.ndarray)) or len(widths) != 3:
        return wrong(f"A list of three numbers is expected, such as [28, 14, 10]; this is {answers.kind(widths)}.")
    if sorted(map(str, widths)) == ["14", "22", "28"] and str(widths[0]) + str(widths[1]) != "2214":
        return wrong("These are the three widths, but not in the order A, B, C.")
    for (name, expected, mistakes), width in zip(WIDTHS, widths, strict=True):
        if width is ...:
            return wrong(f"Right so far; now replace the dots of {name}.")
        if getattr(width, "ndim", 0) or not isinstance(width, (numbers.Real, torch.Tensor, np.ndarray)):
            return wrong(f"{name}: one number is expected, but this is {answers.kind(width)}.")
        width = answers.number(width)
        if width != expected:
            hint = mistakes.get(width, "put the numbers into the formula of section 4 once more")
            return wrong(f"{name}: {width:g} is not right; {hint}.")
    return right("All three are right: 22, 14 and 28.")


# Exercise 2.2


@checked
def check_diagonal_kernel(K):
    """Exercise 2.2; K: (3, 3) weights, positive at an edge with a bright lower left and a dark upper right."""
    if isinstance(K, (list, tuple)) and "Ellipsis" in repr(K):
        return wrong("Replace the dots in all three rows.")
    if not torch.is_tensor(K):
        return wrong(f"Your kernel K must be a tensor, torch.tensor([[...], [...], [...]]); this is {answers.kind(K)}.")
    K = answers.tensor(K).double()
    if K.shape != (3, 3):
        return wrong(f"Your kernel K has the shape {answers.shape(K)}, expected 3×3.")
    if not K.isfinite().all():
        return wrong("Some of your weights are infinite or NaN, not a number: was something divided by 0?")
    if not K.any():
        return wrong("All your weights are zero, so the output is zero everywhere.")
    total, K = float(K.sum()), K / K.abs().max()  # its scale does not matter
    if abs(float(K.sum())) > 1e-3:
        return wrong(
            f"Your weights sum to {total:g}, so K responds with {total:g} inside a uniformly bright area, where there "
            "is no edge: make the sum 0."
        )
    ones = torch.ones(3, 3)
    sides = [ones.tril(), ones.tril(-1)]  # the two places where the window straddles the edge
    low, high = sorted(_answers(K, sides))
    strength = max(abs(low), abs(high))
    straight, other = _other_edges(ones)
    if strength < 1e-3:
        mirrored = max(map(abs, _answers(K, *other.values()))) > 1e-3
        sees = "it sees the other diagonal, the one from top right to bottom left" if mirrored else "it does not see it"
        return wrong(
            f"Your kernel K responds with 0 to the diagonal edge: {sees}. The weights below the diagonal from top left "
            "to bottom right have one sign, those above it the other."
        )
    if trouble := _confused(K, straight, strength):  # before the sign, which is not its main fault
        return wrong(trouble)
    if high <= 0:
        return wrong(f"The sign is the wrong way round: K responds with {high:.3g} to the edge. Multiply it by −1.")
    if low <= 0:
        return wrong(
            f"Your kernel K responds with {high:.3g} on one side of the edge and {low:.3g} on the other: that is a "
            "detector of a diagonal line. For an edge, all weights below the diagonal have one sign, all above it the "
            "other."
        )
    if trouble := _confused(K, other, strength):
        return wrong(trouble)
    return right(
        "Your kernel responds most strongly to the diagonal edge, less to every other edge, and with 0 to flat areas."
    )


# Exercise 2.3


def _answers(K, patches):
    return [float((patch * K).sum()) for patch in patches]


def _other_edges(ones):
    """The edges to which K must respond less, {name: patches}: the straight ones, and the other diagonal."""
    columns = [torch.tensor([bright] * 3) for bright in ([1.0, 0, 0], [1.0, 1, 0])]  # of a window on the edge
    straight = {"a vertical edge": columns, "a horizontal edge": [window.T for window in columns]}
    return straight, {"the other diagonal": [side.flip(way) for side in (ones.tril(), ones.tril(-1)) for way in (0, 1)]}


def _confused(K, edges, strength):
    """Words for the first of these edges to which K responds as strongly as to the right one, or ""."""
    for name, patches in edges.items():
        there = max(map(abs, _answers(K, patches)))
        if there >= strength - 1e-3:
            repair = "make K mirror-symmetric, up to the sign, about the diagonal from top left to bottom right."
            if torch.allclose(K, -K.T, atol=1e-3):
                repair = "on each side of the diagonal, give all three weights the same sign, and none of them 0."
            return (
                f"Signs apart, and with its largest weight as 1, K responds with {there:.3g} to {name} and "
                f"{strength:.3g} to yours, so it does not prefer yours: {repair}"
            )
    return ""


def _map(value):
    """A tensor; a list of numbers is not accepted, since the chapter's next cells could not use it."""
    if isinstance(value, (list, tuple)) and not isinstance(value, answers.Yielded):
        join = ": torch.stack joins maps" if isinstance(value, list) else ""
        raise answers.Unreadable(f"a tensor is expected, but you return {answers.kind(value)}{join}")
    return answers.tensor(value)


def _random(*sizes, seed=24):
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(seed))


def _layer(X, W, b, padding, **options):
    return F.conv2d(F.pad(X, [padding] * 4, **options)[None], W, b)[0]


def _pairs(X, W):
    """The map of each pair of channels, before the sum: (out, in, height, width)."""
    return torch.stack([F.conv2d(X[:, None], w[:, None], groups=1).diagonal().movedim(-1, 0) for w in W])


def _padded_pairs(X, W, padding):
    return _pairs(F.pad(X, [padding] * 4), W)


check_conv_layer = Exercise(
    task="2.3; conv_layer(X, W, b, padding): (in, h, w), (out, in, k, k), (out,) to (out, h', w').",
    solution=_layer,
    probes=lambda: [
        (torch.tensor([[[1.0, 2, 0], [0, 1, 3]]]), torch.tensor([[[[1.0, 0], [-1, 2]]]]), torch.tensor([10.0]), 0),
        (_random(3, 9, 8), _random(4, 3, 3, 3), _random(4), 1),
        (_random(3, 9, 8), _random(4, 3, 3, 3), _random(4), 0),
        (_random(2, 6, 7), _random(3, 2, 2, 2), _random(3), 2),
        (_random(4, 6, 5, seed=25), _random(4, 4, 3, 3, seed=26), _random(4, seed=27), 1),
    ],
    praise="Your layer agrees with nn.Conv2d, with and without padding.",
    read=_map,
    mistakes=[
        Mistake("You used the first input channel only: sum over all of them.",
                lambda X, W, b, p: _layer(X[:1], W[:, :1], b, p)),
        Mistake("You kept the last input channel only: sum over all of them.",
                lambda X, W, b, p: _layer(X[-1:], W[:, -1:], b, p)),
        Mistake("You took the weights of one input channel for all: each has its own, W[o, c].",
                lambda X, W, b, p: _layer(X, W[:, :1].expand_as(W), b, p)),
        Mistake("You took the mean over the input channels: the library computes their sum.",
                lambda X, W, b, p: _padded_pairs(X, W, p).mean(dim=1) + b[:, None, None]),
        Mistake("You flipped the kernel: that is convolution; the library computes cross-correlation.",
                lambda X, W, b, p: _layer(X, W.flip(2, 3), b, p)),
        Mistake("You turned the kernel on its side: rows of W[o, c] belong to rows of X.",
                lambda X, W, b, p: _layer(X, W.mT, b, p)),
        Mistake("Your maps are turned on their side: keep the rows as rows.",
                lambda X, W, b, p: _layer(X, W, b, p).mT),
        Mistake("You have the channels last: the order is (out, height, width).",
                lambda X, W, b, p: _layer(X, W, b, p).movedim(0, -1)),
        Mistake("Everything is there but the bias: each map of an output channel gets its own.",
                lambda X, W, b, p: _layer(X, W, None, p)),
        Mistake("You added the bias once for each input channel: add it once for each output channel.",
                lambda X, W, b, p: _layer(X, W, len(X) * b, p)),
        Mistake("You added all biases to every map: each output channel has one of its own.",
                lambda X, W, b, p: _layer(X, W, None, p) + b.sum()),
        Mistake("You added the first bias to every map: each output channel has one of its own.",
                lambda X, W, b, p: _layer(X, W, b[:1].expand_as(b), p)),
        Mistake("You added the bias twice.", lambda X, W, b, p: _layer(X, W, 2 * b, p)),
        Mistake("You subtracted the bias.", lambda X, W, b, p: _layer(X, W, -b, p)),
        Mistake("Your output is as it would be without padding: zeros around X come first.",
                lambda X, W, b, p: _layer(X, W, b, 0)),
        Mistake("You always pad by 1: use the argument `padding`.", lambda X, W, b, p: _layer(X, W, b, 1)),
        Mistake("You always pad as for padding=\"same\": use the argument `padding`.",
                lambda X, W, b, p: _layer(X, W, b, W.shape[-1] // 2)[:, -X.shape[1] :, -X.shape[2] :]),
        Mistake("You took `padding` for the stride, the fourth argument of F.conv2d.",
                lambda X, W, b, p: F.conv2d(X[None], W, b, p)[0]),
        Mistake("You pad twice, by hand and in the layer.", lambda X, W, b, p: _layer(X, W, b, 2 * p)),
        Mistake("Both the padding and the bias are missing.", lambda X, W, b, p: _layer(X, W, None, 0)),
        Mistake("Your padding is 1 instead of 0.", lambda X, W, b, p: _layer(X, W, b, p, value=1.0)),
        Mistake("Your padding repeats the outermost pixels: this layer pads with zeros.",
                lambda X, W, b, p: _layer(X, W, b, p, mode="replicate") if p else _layer(X, W, b, p)),
        Mistake("You pad the output: the zeros come around X, before the kernel moves.",
                lambda X, W, b, p: F.pad(_layer(X, W, b, 0), [p] * 4)),
        Mistake("You pad columns or rows only: `padding` zeros come on all four sides.",
                lambda X, W, b, p: F.conv2d(F.pad(X, (p, p))[None], W, b)[0],
                lambda X, W, b, p: F.conv2d(F.pad(X, (0, 0, p, p))[None], W, b)[0]),
        Mistake("You pad on two sides: `padding` zeros come on all four.",
                lambda X, W, b, p: F.conv2d(F.pad(X, (p, 0, p, 0))[None], W, b)[0],
                lambda X, W, b, p: F.conv2d(F.pad(X, (0, p, 0, p))[None], W, b)[0]),
        Mistake("You set negative pixels to 0: that is ReLU, and comes after a layer.",
                lambda X, W, b, p: _layer(X.relu(), W, b, p)),
        Mistake("You set negative outputs to 0: that is ReLU, which is not asked for here.",
                lambda X, W, b, p: _layer(X, W, b, p).relu()),
        Mistake("That is the first map alone: there is one for each output channel.",
                lambda X, W, b, p: _layer(X, W, b, p)[0]),
        Sign("You returned the one image as a batch: take it out, with [0].",
             lambda Y, X, W, b, p: Y.shape == (1, *_layer(X, W, b, p).shape)),
        Sign("That is one map for each pair of channels: you forgot to sum over the input channels.",
             lambda Y, X, W, b, p: Y.shape[:2] == W.shape[:2] or Y.shape[:1] == (len(W) * len(X),)),
        Sign("All is 0: are the sums written into the maps?", lambda Y, X, W, b, p: Y.numel() and not Y.any()),
        Sign("Your maps are not floats: leave out what rounds or compares the numbers.",
             lambda Y, X, W, b, p: not Y.is_floating_point()),
    ],
)  # fmt: skip


# Exercise 2.4


def _pool(X, size, stride, pool=F.max_pool2d, **options):
    return pool(X[None], size, stride, **options)[0]


def _largest_at(X, size, stride):
    """The place of each window's largest value, counted through X."""
    return F.max_pool2d(X[None], size, stride, return_indices=True)[1][0]


def _windows(X, size, stride, rows, columns, at=None):
    """The largest values of windows at `at(i, j)`, (rows, columns); a window over the border is cut."""
    places = [[at(i, j) if at else (i * stride, j * stride) for j in range(columns)] for i in range(rows)]
    return torch.stack([torch.stack([X[i:, j:][:size, :size].max() for i, j in row]) for row in places])


def _places(X, size, stride, more=0):
    return [(length - size) // stride + 1 + more for length in X.shape]


check_max_pool = Exercise(
    task="2.4; max_pool(X, size, stride): (height, width) to the largest value of each window.",
    solution=_pool,
    probes=lambda: [
        (torch.tensor([[-3.0, -1, -2, -5], [-2, -5, -4, -1], [-6, -3, -2, -4]]), 2, 1),
        (_random(9, 11) - 1, 3, 2),
        (_random(9, 11, seed=25) - 3, 2, 3),
        (_random(8, 6), 2, 2),
        (_random(7, 8) + 5, 1, 3),
        (_random(8, 9, seed=26), 4, 3),
    ],
    praise="Your pooling agrees with nn.MaxPool2d, for windows that overlap and for windows with gaps.",
    read=_map,
    mistakes=[
        Mistake("You took the average of each window: max-pooling takes the largest value.",
                lambda X, s, t: _pool(X, s, t, F.avg_pool2d)),
        Mistake("You took the sum of each window: max-pooling takes the largest value.",
                lambda X, s, t: _pool(X, s, t, F.avg_pool2d) * s * s),
        Mistake("You took the smallest value of each window: max-pooling takes the largest.",
                lambda X, s, t: -_pool(-X, s, t)),
        Mistake("You took the largest absolute value: max-pooling takes the largest value, even if all are negative.",
                lambda X, s, t: _pool(X.abs(), s, t)),
        Mistake("Your largest value starts at 0, so negative values are lost: start with the window's own values.",
                lambda X, s, t: _pool(X.relu(), s, t)),
        Mistake("Your largest value starts at -1, so lower values are lost: start with the window's own values.",
                lambda X, s, t: _pool(X.clamp(min=-1), s, t)),
        Mistake("Your largest value starts at X[0, 0], which lies in one window only: start with the window's own.",
                lambda X, s, t: _pool(X.clamp(min=X[0, 0].item()), s, t)),
        Mistake("Your windows move by 1: window (i, j) begins `stride` further for each.",
                lambda X, s, t: _pool(X, s, 1)),
        Mistake("There are as many windows as there should be, but they move by 1: where does window (i, j) begin?",
                lambda X, s, t: _pool(X, s, 1)[: _places(X, s, t)[0], : _places(X, s, t)[1]]),
        Mistake("Your window moves by its own size, not by `stride`.", lambda X, s, t: _pool(X, s, s)),
        Mistake("Your window moves by `stride`, but never by more than its size: gaps are expected too.",
                lambda X, s, t: _pool(X, s, min(s, t))),
        Mistake("You exchanged `size` and `stride`.", lambda X, s, t: _pool(X, t, s)),
        Mistake("Your window is as large as `stride`, not as `size`.",
                lambda X, s, t: _windows(X, t, t, *_places(X, s, t)), lambda X, s, t: _pool(X, t, t)),
        Mistake("Your windows are one wider than `size`: the end of a slice does not count.",
                lambda X, s, t: _windows(X, s + 1, t, *_places(X, s, t))),
        Mistake("Your windows are one narrower than `size`: the end of a slice does not count.",
                lambda X, s, t: _windows(X, s - 1, t, *_places(X, s, t))),
        Mistake("Your window (i, j) begins at multiples of `size`: windows move by `stride`.",
                lambda X, s, t: _windows(X, s, t, *_places(X, s, t), at=lambda i, j: (i * s, j * s))),
        Mistake("You pad, which is not asked for: all windows lie inside X.",
                lambda X, s, t: _pool(X, s, t, padding=s // 2),
                lambda X, s, t: _pool(F.pad(X, [s // 2] * 4), s, t)),
        Mistake("Those are the places of the largest values: return the values.",
                _largest_at),
        Mistake("Your window is 3 wide, whatever `size` says.", lambda X, s, t: _pool(X, 3, t)),
        Mistake("Your window is 2 wide, whatever `size` says.", lambda X, s, t: _pool(X, 2, t)),
        Mistake("You count the places as for a window of 2: use `size`.",
                lambda X, s, t: _windows(X, s, t, *_places(X, 2, t))),
        Mistake("The last window of each row and column is missing: places are (length − size) // stride + 1.",
                lambda X, s, t: _windows(X, s, t, *_places(X, s, t, more=-1))),
        Mistake("You count length // stride places: a window must lie inside X, so its size counts too.",
                lambda X, s, t: _windows(X, s, t, *(length // t for length in X.shape))),
        Mistake("Your last windows hang over the border: a window must lie inside X.",
                lambda X, s, t: _windows(X, s, t, *(-(-length // t) for length in X.shape)),
                lambda X, s, t: _windows(X, s, t, *((length - s + t - 1) // t + 1 for length in X.shape)),
                lambda X, s, t: _pool(X, s, t, ceil_mode=True)),
        Mistake("Your answer is turned on its side: i counts rows, the first size of X.",
                lambda X, s, t: _pool(X, s, t).T),
        Mistake("`stride` applies to rows and to columns; yours applies to one of them.",
                lambda X, s, t: _pool(X, s, (t, 1)), lambda X, s, t: _pool(X, s, (1, t))),
        Mistake("That is the first value of each window, not the largest.",
                lambda X, s, t: X[: 1 - s or None : t, : 1 - s or None : t]),
        Mistake("You look along the diagonal of each window only.",
                lambda X, s, t: X.unfold(0, s, t).unfold(1, s, t).diagonal(dim1=2, dim2=3).amax(-1)),
        Mistake("These are the numbers in one row: keep rows and columns, (rows, columns).",
                lambda X, s, t: _pool(X, s, t).flatten()),
        Sign("All is 0: is each window's largest value written into the map?",
             lambda Y, X, s, t: Y.numel() and not Y.any()),
        Sign("Take the one map out of the batch, with [0].", lambda Y, X, s, t: Y.ndim > 2 and 1 in Y.shape[:-2]),
    ],
)  # fmt: skip


# Exercise 2.5


def _field(layers, start=1, strides=True, dilations=True, step_first=False, taps=lambda k, d: d * (k - 1), step=None):
    """The receptive field in pixels, right or with a mistake; step(step, stride, dilation): the next step."""
    size, now = start, 1
    for kernel_size, stride, dilation in layers:
        following = step(now, stride, dilation) if step else now * stride
        size += taps(kernel_size, dilation if dilations else 1) * (following if step_first else now)
        now = following if strides else 1
    return size


check_receptive_field = Exercise(
    task="2.5; receptive_field(layers): [(kernel_size, stride, dilation), ...] to a whole number of pixels.",
    solution=_field,
    probes=lambda: [
        ([(3, 1, 1), (2, 2, 1)],),
        ([(5, 1, 1), (2, 2, 1), (5, 1, 1)],),
        ([(3, 1, 1), (3, 1, 2), (4, 1, 4)],),
        ([(7, 2, 1), (3, 2, 1), (3, 1, 2), (3, 2, 1), (3, 1, 1)],),
        ([(3, 3, 2), (2, 1, 1), (4, 2, 3), (2, 1, 2)],),
    ],
    praise="Right for strides and for dilations.",
    read=answers.whole,
    mistakes=[
        Mistake("You left out the stride: after a stride of 2, neighbours lie 2 pixels apart.",
                lambda layers: _field(layers, strides=False)),
        Mistake("You left out the dilation. It spreads the kernel: a layer adds dilation · (kernel_size − 1) steps.",
                lambda layers: _field(layers, dilations=False)),
        Mistake("A layer's own stride counts only for the layers after it. Grow `size` first, then `step`.",
                lambda layers: _field(layers, step_first=True)),
        Mistake("Start from 1: a cell sees itself.", lambda layers: _field(layers, start=0)),
        Mistake("Strides multiply. After two strides of 2, neighbours lie 4 pixels apart.",
                lambda layers: _field(layers, step=lambda now, stride, dilation: stride)),
        Mistake("Strides multiply, they do not add up: after two strides of 2, neighbours lie 4 pixels apart.",
                lambda layers: _field(layers, step=lambda now, stride, dilation: now + stride)),
        Mistake("You multiply by the layer's own stride: what counts is how far the strides before it have spread.",
                lambda layers: 1 + sum(s * d * (k - 1) for k, s, d in layers)),
        Mistake("You multiply what is seen by the stride: in this order only the step grows by it.",
                lambda layers: functools.reduce(lambda n, layer: n * layer[1] + layer[2] * (layer[0] - 1), layers, 1)),
        Mistake("The first layer's dilation is left out.",
                lambda layers: _field([(*layers[0][:2], 1), *layers[1:]])),
        Mistake("That is the area of the square: return its width.", lambda layers: _field(layers) ** 2),
        Mistake("Nothing is added to the 1 from which you start: is your step 0?", lambda layers: 1),
        Mistake("Only what the last layer adds is left: does `size` grow, or is it set again for each layer?",
                lambda layers: _field(layers) - _field(layers[:-1])),
        Mistake("You count the first kernel twice: start from 1.",
                lambda layers: _field(layers, start=layers[0][0])),
        Mistake("You exchanged kernel_size and stride: a layer is (kernel_size, stride, dilation).",
                lambda layers: _field([(s, k, d) for k, s, d in layers])),
        Mistake("You keep the largest stride; strides multiply.",
                lambda layers: _field(layers, step=lambda now, stride, dilation: max(now, stride))),
        Mistake("You double the step at a stride of 2, but strides may be 3 too.",
                lambda layers: _field(layers, step=lambda now, stride, dilation: now * (2 if stride == 2 else 1))),
        Mistake("You multiply the step by the dilation too: a dilation spreads its own layer's kernel alone.",
                lambda layers: _field(layers, step=lambda now, stride, dilation: now * stride * dilation)),
        Mistake("A layer that is dilated has a stride too: `step` grows after every layer.",
                lambda layers: _field(layers, step=lambda now, s, d: now * (s if d == 1 else 1))),
        Mistake("That is the first layer alone: is `return` inside the loop?",
                lambda layers: _field(layers[:1])),
        Mistake("The last layer is missing.", lambda layers: _field(layers[:-1])),
        Mistake("The first layer is missing.", lambda layers: _field(layers[1:])),
        Mistake("You go through the layers from the last to the first; this rule starts at the image.",
                lambda layers: _field(layers[::-1])),
        Mistake("You summed the kernel sizes: a kernel of 3 adds 2 steps, not 3.",
                lambda layers: _field(layers, taps=lambda k, d: d * k),
                lambda layers: _field(layers, start=0, taps=lambda k, d: d * k),
                lambda layers: _field(layers, taps=lambda k, d: d * (k - 1) + 1),
                lambda layers: _field(layers, start=0, taps=lambda k, d: d * (k - 1) + 1)),
        Mistake("You summed the kernel sizes: a kernel of 3 adds 2 steps, and steps are as wide as the strides before.",
                lambda layers: sum(k for k, _, _ in layers)),
        Mistake("A dilated kernel adds dilation · (kernel_size − 1) steps: the brackets come first.",
                lambda layers: _field(layers, taps=lambda k, d: d * k - 1)),
        Mistake("You multiplied the widths of the kernels: each layer adds to what is seen already.",
                lambda layers: torch.tensor([d * (k - 1) + 1 for k, _, d in layers]).prod().item()),
        Mistake("You halve kernel_size − 1 and lose the remainder: kernels may have even sizes.",
                lambda layers: _field(layers, taps=lambda k, d: (k - 1) // 2 * 2 * d)),
        Mistake("You count kernel_size // 2 on each side, one too many for an even kernel.",
                lambda layers: _field(layers, taps=lambda k, d: k // 2 * 2 * d)),
        Mistake("At the end you multiply by the step: `size` is in pixels already.",
                lambda layers: _field(layers) * torch.tensor([s for _, s, _ in layers]).prod().item()),
        Mistake("You exchanged stride and dilation: a layer is (kernel_size, stride, dilation).",
                lambda layers: _field([(k, d, s) for k, s, d in layers])),
        Mistake("That is the step at the end, not the size.",
                lambda layers: torch.tensor([s for _, s, _ in layers]).prod().item()),
    ],
)  # fmt: skip


# Exercise 2.6


VERTICAL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])  # Sobel's kernel, as section 2 has it


def _grey(photo, weights=(0.299, 0.587, 0.114)):
    return (torch.tensor(weights)[:, None, None] * photo).sum(dim=0)


def _mean(photo):
    return photo.mean(dim=0)


def _edges(photo, strength=torch.hypot, grey=_grey, mode="replicate"):
    """`strength` of the maps of Sobel's two kernels, as large as the photo; mode: how the brightness is padded."""
    padded = F.pad(grey(photo)[None, None], (1, 1, 1, 1), mode=mode)
    return strength(*F.conv2d(padded, torch.stack([VERTICAL, VERTICAL.T])[:, None])[0])


def _scaled(edges):
    return edges / edges.abs().max()


def _maps(strength=torch.hypot, finish=_scaled, modes=("replicate", "reflect", "constant"), greys=(_grey, _mean)):
    """A function for each way to pad and to take the brightness."""
    ways = itertools.product(modes, greys)
    return [lambda photo, mode=mode, grey=grey: finish(_edges(photo, strength, grey, mode)) for mode, grey in ways]


def _weights(*weights):
    return [lambda photo: _grey(photo, weights)]


PADDED = "replicate", "reflect"  # both are right at the border

check_edge_map = Exercise(
    task="2.6; edge_map(photo): (3, h, w) from 0 to 1, to (h, w), the strength of its edges from 0 to 1.",
    solution=lambda photo: _scaled(_edges(photo)),
    probes=lambda: [
        (0.5 + _random(3, 9, 12, seed=26).sigmoid() / 2,),
        (0.2 + _random(3, 7, 6, seed=27).sigmoid() / 4,),
        (_random(3, 130, 101, seed=28).sigmoid(),),
    ],
    praise="Right, for edges of every direction. Now draw with it.",
    also={
        "Right, for edges of every direction. Now draw with it.": _maps(modes=PADDED),
        "Right, for edges of every direction, with torchvision's weights of the colours. Now draw with it.":
            _maps(modes=PADDED, greys=_weights(0.2989, 0.587, 0.114)),
        "Right, for edges of every direction, with the colours weighted as on high-definition television.":
            _maps(modes=PADDED, greys=_weights(0.2126, 0.7152, 0.0722)),
    },
    read=_map,
    mistakes=[
        Mistake("Right but for its scale: divide by the largest value.", *_maps(finish=lambda m: m, modes=PADDED)),
        Mistake("Right but for its scale: cutting at 1 does not scale. Divide by the largest value.",
                *_maps(finish=lambda m: m.clamp(0, 1), modes=PADDED)),
        Mistake("Right but for its scale: divide by the largest value, not by the sum.",
                *_maps(finish=lambda m: m / m.sum(), modes=PADDED)),
        Mistake("You stretch the map so that its weakest edge is 0: divide by the largest value only.",
                *_maps(finish=lambda m: (m - m.min()) / (m.max() - m.min()), modes=PADDED[:1])),
        Mistake("Right inside, but not at the border: the zeros of your padding are dark, so a bright photo seems to "
                "have an edge all around. Pad the brightness with mode='replicate' first.", *_maps(modes=["constant"])),
        Mistake("You use one edge kernel only: combine the maps of both.",
                *(m for k in (0, 1) for m in _maps(lambda *vh, k=k: vh[k]) + _maps(lambda *vh, k=k: vh[k].abs()))),
        Mistake("You add the two maps: where their signs differ they cancel. Square both first.",
                *_maps(lambda v, h: v + h), *_maps(lambda v, h: (v + h).abs())),
        Mistake("You add |v| and |h|: diagonal edges come out too strong. Square, add, root.",
                *_maps(lambda v, h: v.abs() + h.abs())),
        Mistake("You take the larger of |v| and |h|: diagonal edges come out too weak. Square, add, root.",
                *_maps(lambda v, h: torch.maximum(v.abs(), h.abs()))),
        Mistake("You set what is negative to 0: an edge from bright to dark counts as much as one from dark to bright.",
                *_maps(lambda v, h: torch.hypot(v.relu(), h.relu()))),
        Mistake("The root is missing: √(v² + h²).", *_maps(lambda v, h: v**2 + h**2)),
        Mistake("You scale v and h separately: put them together first, then divide by the largest value.",
                *_maps(lambda v, h: torch.hypot(_scaled(v), _scaled(h)))),
        Mistake("You make the strong edges 1 and the others 0: return how strong each is.",
                *_maps(finish=lambda m: (_scaled(m) > 0.5).float())),
        Mistake("Your strongest edge is 0, and flat areas are 1: invert it only when you draw with it.",
                *_maps(finish=lambda m: 1 - _scaled(m))),
        Mistake("Your map is in bytes, from 0 to 255: the largest value should be 1.",
                *_maps(finish=lambda m: (255 * _scaled(m)).byte()), *_maps(finish=lambda m: 255 * _scaled(m))),
        Mistake("You scale each row or column on its own: divide all by the one largest value.",
                *(m for i in (0, 1) for m in _maps(finish=lambda m, i=i: m / m.amax(i, keepdim=True)))),
        Mistake("That is turned on its side: keep the rows of the photo as rows.",
                *_maps(finish=lambda m: _scaled(m).T)),
        Mistake("Your weights are those of blue, green, red: a photo's channels are red, green, blue.",
                *_maps(greys=_weights(0.114, 0.587, 0.299))),
        Mistake("You look at one colour only: brightness is made of all three.",
                *_maps(greys=[lambda photo, c=c: photo[c] for c in range(3)])),
        Mistake("You took the largest of the colours: brightness is made of all three.",
                *_maps(greys=[lambda photo: photo.amax(dim=0)])),
        Mistake("That is the brightness itself: look for its edges.",
                _mean, _grey, lambda photo: _scaled(_mean(photo)), lambda photo: _scaled(_grey(photo))),
        Mistake("You look for edges in each colour by itself: first one channel, the brightness, then its edges.",
                lambda photo: _scaled(torch.stack([_edges(c[None], grey=_mean) for c in photo]).mean(dim=0)),
                lambda photo: _scaled(torch.stack([_edges(c[None], grey=_mean) for c in photo]).amax(dim=0))),
        Mistake("The border of your map is 0: pad the photo before the convolution, not the map after it.",
                *_maps(finish=lambda m: _scaled(F.pad(m[1:-1, 1:-1], (1, 1, 1, 1))))),
        Sign("That is a map for each colour: make one channel, the brightness, before you look for edges.",
             lambda m, photo: m.shape == photo.shape),
        Sign("Those are the two maps: combine them, √(v² + h²).", lambda m, photo: m.shape == (2, *photo.shape[1:])),
        Sign("Take the one map out, with [0, 0] or [0].", lambda m, photo: m.ndim > 2 and 1 in m.shape[:-2]),
        Sign("Your map is 2 pixels smaller than the photo: pad by one pixel on each side.",
             lambda m, photo: m.shape[-2:] == (photo.shape[1] - 2, photo.shape[2] - 2)),
        Sign("Your map is 2 pixels larger than the photo: one pixel on each side is enough.",
             lambda m, photo: m.shape[-2:] == (photo.shape[1] + 2, photo.shape[2] + 2)),
        Sign("Right but for its scale: divide by the largest value.",
             lambda m, photo: answers.same(_scaled(m), _scaled(_edges(photo)))),
        Sign("Some values are not numbers: there is a division by 0, or a root of a negative number.",
             lambda m, photo: not m.isfinite().all()),
    ],
)  # fmt: skip


def _corr2d(X, K, cell):
    """A cross-correlation whose cells are `cell(window, K)`."""
    kh, kw = K.shape
    Y = torch.zeros(X.shape[0] - kh + 1, X.shape[1] - kw + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = cell(X[i : i + kh, j : j + kw], K)
    return Y


SOBEL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def _feature_map(X, K, bias, joined=lambda maps, bias: maps.sum(dim=0) + bias):
    """One map of all channels; joined: how, from the map of each channel, (in, height, width), and the bias."""
    return joined(torch.stack([F.conv2d(x[None, None], k[None, None])[0, 0] for x, k in zip(X, K, strict=True)]), bias)


def _step(kernel, images, wanted, lr, new=lambda kernel, loss, lr: kernel - lr * kernel.grad):
    """One step of gradient descent; new: the kernel after it, from the one before with its gradient."""
    kernel = kernel.detach().requires_grad_()
    loss = F.mse_loss(F.conv2d(images, kernel), wanted)
    loss.backward()
    return new(kernel, loss, lr).detach()


def _tried_kernels():
    """Arguments for `step`: kernels of different sizes that are more or less wrong."""
    for size, lr, seed in ((2, 0.5, 1), (3, 0.1, 2), (3, 2.0, 3)):
        kernel, true = _random(1, 1, size, size, seed=seed), _random(1, 1, size, size, seed=seed + 9)
        images = _random(2, 1, 6, 6, seed=seed + 5)
        yield kernel, images, F.conv2d(images, true), lr


def _own_window(X, size, i, j):
    return X[i * size : (i + 1) * size, j * size : (j + 1) * size]


def _pool2d(X, size, window):
    """Max-pooling whose window (i, j) is `window(X, size, i, j)`."""
    rows, columns = X.shape[0] // size, X.shape[1] // size
    return torch.stack([torch.stack([window(X, size, i, j).max() for j in range(columns)]) for i in range(rows)])


BLANKS = {  # functions that the chapter's text leaves to the student, see blank.py
    "corr2d": Exercise(
        task="2, section 1; corr2d(X, K): the cross-correlation of X, (height, width), with K, (kh, kw).",
        solution=lambda X, K: _corr2d(X, K, lambda window, K: (window * K).sum()),
        probes=lambda: [
            (torch.tensor([[1.0, 2, 0], [0, 1, 3]]), torch.tensor([[1.0, -1], [2, 0]])),
            (torch.tensor([[3.0, 1, 0], [2, 5, 1], [0, 4, 2]]), torch.tensor([[1.0, 2], [-1, 3]])),
            (torch.arange(20.0).reshape(4, 5), torch.tensor([[2.0, 0, 1], [1, -1, 3]])),
        ],
        praise="Right: multiply, then add everything up.",
        mistakes=[
            *[Mistake(words, lambda X, K, cell=cell: _corr2d(X, K, cell)) for words, cell in {
                "You add the pixels of the window: multiply each by its weight first.": lambda W, K: W.sum(),
                "You multiply, but take the mean instead of the sum.": lambda W, K: (W * K).mean(),
                "You multiply, but take the largest product instead of the sum.": lambda W, K: (W * K).max(),
                "You add window and K: multiply them instead.": lambda W, K: (W + K).sum(),
                "You sum pixels and weights first: multiply each pixel by its weight.": lambda W, K: W.sum() * K.sum(),
                "You turned K by 180°, as mathematics does: leave it.": lambda W, K: (W * K.flip(0, 1)).sum(),
                "`@` multiplies matrices: `*` multiplies element by element.": lambda W, K: (W @ K).sum(),  # may stop
                "Y[i, j] takes one number: add up all the products, with .sum().": lambda W, K: W * K,  # stops
            }.items()],
        ],
    ),
    "horizontal": Exercise(
        task="2, section 2; horizontal(vertical): Sobel's kernel for horizontal edges from his for vertical edges.",
        solution=lambda vertical: vertical.T,
        probes=lambda: [(SOBEL,)],  # alone, so that a table that is written out is right too
        praise="Right: it compares what is below with what is above.",
        read=_map,
        mistakes=[
            *[Mistake(words, *functions) for words, *functions in (
                ("That is still the kernel for vertical edges: its rows should become columns.",
                 lambda vertical: vertical, lambda vertical: vertical.flip(0)),
                ("That still compares left with right, only the other way around: its rows should become columns.",
                 lambda vertical: -vertical, lambda vertical: vertical.flip(1), lambda vertical: vertical.flip(0, 1)),
                ("Its sign is wrong: it should be positive if it is brighter below.",
                 lambda vertical: -vertical.T, lambda vertical: vertical.rot90()),
            )],
        ],
    ),
    "feature_map": Exercise(
        task="2, section 3; feature_map(X, K, bias): (in, height, width), (in, k, k), a number to one map.",
        solution=_feature_map,
        probes=lambda: [
            (_random(3, 5, 6), _random(3, 2, 2), torch.tensor(0.5)),
            (_random(2, 4, 4, seed=25), _random(2, 3, 3, seed=26), torch.tensor(-2.0)),
        ],
        praise="Right: one kernel, one map, however many channels come in.",
        read=_map,
        mistakes=[
            *[Mistake(words, *[lambda X, K, bias, joined=one: _feature_map(X, K, bias, joined) for one in ways])
              for words, *ways in (
                ("The bias is missing: it is added once to the whole map.", lambda maps, bias: maps.sum(dim=0)),
                ("You added the bias once for each channel: add it once, to the sum.",
                 lambda maps, bias: (maps + bias).sum(dim=0)),
                ("You took the mean of the maps: add them up.", lambda maps, bias: maps.mean(dim=0) + bias),
                ("That is the first channel's map alone: add up all of them.", lambda maps, bias: maps[0] + bias),
                ("That is the last channel's map alone: add up all of them.", lambda maps, bias: maps[-1] + bias),
                ("These are still the maps of the channels, one each: add them up to one.",
                 lambda maps, bias: maps + bias, lambda maps, bias: maps),
                ("That is one number: add the maps to each other, element by element, and keep the map.",
                 lambda maps, bias: maps.sum() + bias, lambda maps, bias: maps.sum()),
                ("You multiply by the bias: add it.", lambda maps, bias: maps.sum(dim=0) * bias),
                ("You subtract the bias: add it.", lambda maps, bias: maps.sum(dim=0) - bias),
            )],
        ],
    ),
    "output_size": Exercise(
        task="2, section 4; output_size(n, k, p, s): how many places there are for a kernel in one direction.",
        solution=lambda n, k, p=0, s=1: (n + 2 * p - k) // s + 1,
        probes=lambda: [(5, 3, 0, 1), (6, 3, 0, 2), (28, 5, 2, 1), (9, 2, 1, 3), (28, 5, 2, 2)],
        praise="Right: one place for the kernel's own width, and one more for every further step.",
        read=answers.number,
        mistakes=[
            *[Mistake(words, *functions) for words, *functions in (
                ("You forgot the first place: the division counts the further ones.",
                 lambda n, k, p=0, s=1: (n + 2 * p - k) // s),
                ("Round down (//) before you add 1: part of a place does not count.",
                 lambda n, k, p=0, s=1: (n + 2 * p - k) / s + 1),
                ("Add 1 after the division, not before it.", lambda n, k, p=0, s=1: (n + 2 * p - k + 1) // s),
                ("The padding counts on both sides: 2 · p.", lambda n, k, p=0, s=1: (n + p - k) // s + 1),
                ("You forgot the padding.", lambda n, k, p=0, s=1: (n - k) // s + 1),
                ("You forgot the stride.", lambda n, k, p=0, s=1: n + 2 * p - k + 1),
                ("You forgot padding and stride.", lambda n, k, p=0, s=1: n - k + 1),
                ("Round down, not up: a place that sticks out does not count.",
                 lambda n, k, p=0, s=1: -(-(n + 2 * p - k) // s) + 1),
                ("Only the room that the kernel leaves is divided: subtract k first.",
                 lambda n, k, p=0, s=1: (n + 2 * p) // s - k + 1),
            )],
        ],
    ),
    "step": Exercise(
        task="2, section 5; step(kernel, images, wanted, lr): the kernel after one step of gradient descent.",
        solution=_step,
        probes=lambda: list(_tried_kernels()),
        praise="Right: each weight moves against its gradient.",
        mistakes=[
            *[Mistake(words, lambda kernel, images, wanted, lr, new=new: _step(kernel, images, wanted, lr, new))
              for words, new in {
                "You walk uphill: the loss grows in the gradient's direction, so subtract.":
                    lambda kernel, loss, lr: kernel + lr * kernel.grad,
                "You left out the learning rate: the step is lr times the gradient.":
                    lambda kernel, loss, lr: kernel - kernel.grad,
                "That is the step alone: the new kernel is the old one minus the step.":
                    lambda kernel, loss, lr: lr * kernel.grad,
                "That is the step alone: begin with the old kernel.": lambda kernel, loss, lr: -lr * kernel.grad,
                "That is the gradient itself: the new kernel is the old one minus lr times it.":
                    lambda kernel, loss, lr: kernel.grad,
                "That is the kernel as it was: subtract lr times its gradient.": lambda kernel, loss, lr: kernel,
                "You subtract the learning rate: subtract lr times the gradient.":
                    lambda kernel, loss, lr: kernel - lr,
                "You subtract the loss, one number for all weights: each weight has its own gradient.":
                    lambda kernel, loss, lr: kernel - lr * loss,
                "You shrink the kernel by its own weights: take its gradient, kernel.grad.":
                    lambda kernel, loss, lr: kernel - lr * kernel,
                "You take only the gradient's sign: a step is also larger where the gradient is.":
                    lambda kernel, loss, lr: kernel - lr * kernel.grad.sign(),
            }.items()],
        ],
    ),
    "pool2d": Exercise(
        task="2, section 6; pool2d(X, size): the largest number of each window of size×size; no two overlap.",
        solution=lambda X, size: _pool2d(X, size, _own_window),
        probes=lambda: [
            (torch.tensor([[1.0, 3, 2, 0], [5, 7, 4, 2], [0, 2, 9, 1], [6, 0, 1, 1]]), 2),
            (_random(6, 9, seed=25), 3),
            (_random(7, 5, seed=26) - 3, 2),
        ],
        praise="Right: the windows are side by side.",
        mistakes=[
            *[Mistake(words, lambda X, size, cut=cut: _pool2d(X, size, cut)) for words, cut in {
                "Your windows move by one pixel: window (i, j) begins at row i * size and column j * size.":
                    lambda X, s, i, j: X[i : i + s, j : j + s],
                "Your window is 2 wide, whatever `size` says.":
                    lambda X, s, i, j: X[i * 2 : (i + 1) * 2, j * 2 : (j + 1) * 2],
                "Your window is the whole image.": lambda X, s, i, j: X,
                "Your window has the right rows, but all columns.": lambda X, s, i, j: X[i * s : (i + 1) * s],
                "Your window has the right columns, but all rows.": lambda X, s, i, j: X[:, j * s : (j + 1) * s],
                "Your window is one pixel: it reaches from i * size to (i + 1) * size, and the same for columns.":
                    lambda X, s, i, j: X[i * s : i * s + 1, j * s : j * s + 1],
                "Your window ends one too early: the end of a slice does not count.":
                    lambda X, s, i, j: X[i * s : (i + 1) * s - 1, j * s : (j + 1) * s - 1],
                "Your window is one too wide: the end of a slice does not count.":
                    lambda X, s, i, j: X[i * s : (i + 1) * s + 1, j * s : (j + 1) * s + 1],
            }.items()],
            Mistake("You took the mean of each window: this is max-pooling.",
                    lambda X, size: F.avg_pool2d(X[None], size)[0]),
        ],
    ),
}  # fmt: skip
