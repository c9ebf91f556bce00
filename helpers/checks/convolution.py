"""Chapter 2: convolution and pooling."""

import torch
from torch.nn import functional as F

from helpers.checks.verdict import NOT_YET, Verdict, wrong


def _shape(tensor):
    return "×".join(map(str, tensor.shape)) or "a single number"


def _trouble(answer, expected):
    """What is wrong with the type or the shape of `answer`, or an empty text."""
    if not torch.is_tensor(answer):
        return f"your function returns {type(answer).__name__}; return a tensor."
    if answer.shape != expected.shape:
        return f"your output has the shape {_shape(answer)}, expected {_shape(expected)}."
    return ""


def _same(answer, expected):
    return torch.is_tensor(answer) and answer.shape == expected.shape and torch.allclose(answer, expected, atol=1e-4)


def check_output_sizes(answers):
    """Exercise 2.1; answers: three numbers, the widths of three maps."""
    if answers is ... or (isinstance(answers, (list, tuple)) and any(answer is ... for answer in answers)):
        return NOT_YET
    if not isinstance(answers, (list, tuple)) or len(answers) != 3:
        return wrong("expected a list of three numbers, such as [28, 14, 10].")
    if any(isinstance(answer, bool) or not isinstance(answer, (int, float)) for answer in answers):
        return wrong("each answer must be a plain number, without quotation marks.")
    layers = [  # name, right, {wrong: what went wrong}
        ("A (28 wide, kernel 7)", 22, {21: "you forgot the + 1", 28: "there is no padding here"}),
        (
            "B (28 wide, kernel 5, padding 2, stride 2)",
            14,
            {
                13: "you forgot the + 1",
                14.5: "round the division down before you add 1",
                15: "round the division down, not up",
                12: "you forgot the padding",
                12.5: "you forgot the padding",
                13.5: "the padding counts on both sides: add 2·2",
                28: "you forgot the stride",
            },
        ),
        (
            "C (32 wide, kernel 3, dilation 2)",
            28,
            {
                27: "you forgot the + 1",
                30: "you forgot the dilation: the kernel covers 2·(3 − 1) + 1 = 5 pixels",
                26: "the kernel covers 2·(3 − 1) + 1 = 5 pixels, not 2·3 + 1 = 7",
                15: "dilation is not stride: the kernel still moves by one pixel",
                16: "dilation is not stride: the kernel still moves by one pixel",
                14: "dilation is not stride: the kernel still moves by one pixel",
            },
        ),
    ]
    for (name, right, mistakes), answer in zip(layers, answers, strict=True):
        if answer != right:
            hint = mistakes.get(answer, "put the numbers into the formula of section 4 once more")
            return wrong(f"{name}: {answer:g} is not right; {hint}.")
    return Verdict(True, "All three are right: 22, 14 and 28.")


def check_diagonal_kernel(K):
    """Exercise 2.2; K: (3, 3) weights, large where bright lies below left of dark."""
    if K is ... or (isinstance(K, (list, tuple)) and any(row is ... for row in K)):
        return NOT_YET
    if not torch.is_tensor(K):
        return wrong("K must be a tensor: write torch.tensor([[...], [...], [...]]).")
    if K.shape != (3, 3):
        return wrong(f"K has the shape {_shape(K)}, expected 3×3.")
    K = K.detach().cpu().float()
    if K.abs().sum() == 0:
        return wrong("all your weights are zero, so the output is zero everywhere.")
    if K.sum().abs() > 1e-4:
        return wrong(
            f"your weights sum to {float(K.sum()):g}, so K answers {float(K.sum()):g} inside a uniformly bright area, "
            "where there is no edge: make the sum 0."
        )

    def strongest(edge):
        """The smaller and the larger answer at the two places where the window straddles the edge."""
        answers = sorted(float((patch * K).sum()) for patch in edge)
        return answers[0], answers[1]

    def strength(patches):
        """The largest answer at these places, whatever its sign."""
        return max(abs(float((patch * K).sum())) for patch in patches)

    ones = torch.ones(3, 3)
    edge = [ones.tril(), ones.tril(-1)]
    low, high = strongest(edge)
    if strength(edge) < 1e-4:
        return wrong("K answers 0 at the diagonal edge: it does not see it.")
    others = {
        "a vertical edge": [torch.tensor([[1.0, 0, 0]] * 3), torch.tensor([[1.0, 1, 0]] * 3)],
        "a horizontal edge": [torch.tensor([[0.0, 0, 1]] * 3).T, torch.tensor([[0.0, 1, 1]] * 3).T],
        "the other diagonal": [ones.tril().flip(0), ones.tril(-1).flip(0), ones.tril().flip(1), ones.tril(-1).flip(1)],
    }

    def confused(*names):
        """The first of these edges that K answers at least as strongly as the right one, in words, or an empty text."""
        for name in names:
            if strength(others[name]) >= strength(edge) - 1e-4:
                return (
                    f"signs apart, K answers {strength(others[name]):g} at {name} and {strength(edge):g} at yours, "
                    "so it does not prefer yours: make K mirror-symmetric, up to the sign, "
                    "about the diagonal from top left to bottom right."
                )
        return ""

    if trouble := confused("a vertical edge", "a horizontal edge"):  # before the sign, which is not its main fault
        return wrong(trouble)
    if high <= 0:
        return wrong(f"the sign is the wrong way round: K answers {high:g} at the edge. Multiply K by −1.")
    if low <= 0:
        return wrong(
            f"K answers {high:g} on one side of the edge and {low:g} on the other: that is a detector of a diagonal "
            "line. For an edge, give all weights below the diagonal one sign and all above it the other."
        )
    if trouble := confused("the other diagonal"):
        return wrong(trouble)
    return Verdict(
        True, f"Your kernel answers {high:g} at the diagonal edge, less at every other, and 0 on flat areas."
    )


def check_conv_layer(conv_layer):
    """Exercise 2.3; conv_layer(X, W, b, padding): (in, h, w), (out, in, k, k), (out,) to (out, h', w')."""
    generator = torch.Generator().manual_seed(23)
    X = torch.rand(3, 9, 8, generator=generator)
    W = torch.randn(4, 3, 3, 3, generator=generator)
    b = torch.randn(4, generator=generator)

    def library(padding=1, X=X, W=W, b=b):
        return F.conv2d(X[None], W, b, padding=padding)[0]

    answer, expected = conv_layer(X.clone(), W.clone(), b.clone(), 1), library()
    if answer is ...:
        return NOT_YET
    if _same(answer, expected):
        if _same(conv_layer(X.clone(), W.clone(), b.clone(), 0), library(0)):
            return Verdict(True, "Your layer agrees with nn.Conv2d, with and without padding.")
        return wrong("right with padding 1, but not with padding 0: use the argument `padding`, not a fixed 1.")
    separate = torch.stack([F.conv2d(X[:, None], w[:, None], padding=1).diagonal().movedim(-1, 0) for w in W])
    if torch.is_tensor(answer) and answer.ndim == 4:
        return wrong(
            f"your output has the shape {_shape(answer)}: one map for each pair of channels. "
            "You forgot to sum over the input channels."
        )
    if _same(answer, separate.mean(dim=1) + b[:, None, None]):
        return wrong("you took the mean over the input channels: the library computes their sum.")
    if _same(answer, library(W=W.flip(2, 3))):
        return wrong("you flipped the kernel: that is convolution; the library computes cross-correlation.")
    if _same(answer, library(b=None)):
        return wrong("everything is there but the bias: add b[o] to the map of output channel o.")
    if _same(answer, library(b=3 * b)):
        return wrong("you added the bias once for each input channel: add it once for each output channel.")
    if torch.is_tensor(answer) and answer.shape == library(0).shape:
        return wrong("your output is 7×6, expected 9×8: did you forget the padding?")
    if torch.is_tensor(answer) and answer.shape == (4, 8, 7):
        return wrong("your output is 8×7, expected 9×8: add `padding` zeros on all four sides, not on two.")
    if trouble := _trouble(answer, expected):
        return wrong(trouble)
    return wrong(
        f"the shape {_shape(answer)} is right, but the numbers differ by up to "
        f"{float((answer - expected).abs().max()):.3g}. Each cell sums over the channels and the window, plus b[o]."
    )


def check_max_pool(max_pool):
    """Exercise 2.4; max_pool(X, size, stride): (h, w) to the largest value of each window."""
    X = torch.randn(9, 11, generator=torch.Generator().manual_seed(24)) - 1

    def library(size=3, stride=2, pool=F.max_pool2d, X=X):
        return pool(X[None, None], size, stride)[0, 0]

    places = "the number of places is (size of X − size of window) // stride + 1"
    try:
        answer, expected = max_pool(X.clone(), 3, 2), library()
        gaps = max_pool(X.clone(), 2, 3) if _same(answer, expected) else None
    except RuntimeError as error:
        if "Expected reduction dim" not in str(error):  # what max() says of no numbers at all
            raise
        return wrong(f"a window is empty: start it at `i * stride`, `j * stride`; {places}.")
    if answer is ...:
        return NOT_YET
    if _same(answer, expected):
        if _same(gaps, library(2, 3)):
            return Verdict(
                True, "Your pooling agrees with nn.MaxPool2d, for windows that overlap and for windows with gaps."
            )
        if torch.is_tensor(gaps) and gaps.shape == (9 // 3, 11 // 3) and not _same(gaps, library(3, 3)):
            return wrong(
                f"right for size 3, stride 2, but for size 2, stride 3 your output is 3×3, expected 3×4: {places}."
            )
        return wrong(
            "right for size 3 and stride 2, but not for size 2 and stride 3: use the arguments, not fixed numbers."
        )
    if _same(answer, library(pool=F.avg_pool2d)):
        return wrong("you took the average of each window: max-pooling takes the largest value.")
    if _same(answer, -library(X=-X)):
        return wrong("you took the smallest value of each window: max-pooling takes the largest.")
    if _same(answer, library(stride=1)):
        return wrong("your output is 7×9, expected 4×5: your window moves by 1. Start it at i * stride, j * stride.")
    if _same(answer, library(stride=3)):
        return wrong("your output is 3×3, expected 4×5: your window moves by its own size. Start it at i * stride.")
    if _same(answer, library(X=X.clamp(min=0))):
        return wrong("your largest value starts at 0, so negative values are lost: start with the window's own values.")
    if torch.is_tensor(answer) and answer.ndim == 2 and answer.shape != expected.shape:
        return wrong(f"your output is {_shape(answer)}, expected 4×5: {places}.")
    if trouble := _trouble(answer, expected):
        return wrong(trouble)
    return wrong(
        "the shape is right, but some values differ: each is the maximum of "
        "X[i * stride : i * stride + size, j * stride : j * stride + size]."
    )


def check_receptive_field(receptive_field):
    """Exercise 2.5; receptive_field(layers): [(kernel_size, stride, dilation), ...] to a whole number of pixels."""

    def field(layers, strides=True, dilations=True, early=False):
        size, step = 1, 1
        for kernel_size, stride, dilation in layers:
            step *= stride if strides and early else 1
            size += (kernel_size - 1) * step * (dilation if dilations else 1)
            step *= stride if strides and not early else 1
        return size

    for layers in (
        [(5, 1, 1), (2, 2, 1), (5, 1, 1)],
        [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
        [(7, 2, 1), (3, 2, 1), (3, 1, 2), (3, 2, 1), (3, 1, 1)],
    ):
        answer, expected = receptive_field(list(layers)), field(layers)
        if answer is ...:
            return NOT_YET
        if isinstance(answer, bool) or not isinstance(answer, (int, float)):
            return wrong(f"your function returns {type(answer).__name__}; return one whole number.")
        if answer == expected:
            continue
        said = f"for {layers} you get {answer:g}, expected {expected}"
        if answer == field(layers, strides=False):
            return wrong(f"{said}: you left out the stride. After a stride of 2, neighbours lie 2 pixels apart.")
        if answer == field(layers, dilations=False):
            return wrong(f"{said}: you left out the dilation. It spreads the kernel: (kernel_size − 1) · dilation.")
        if answer == field(layers, early=True):
            return wrong(
                f"{said}: a layer's own stride counts only for the layers after it. Grow `size` first, then `step`."
            )
        if answer == expected - 1:
            return wrong(f"{said}: start from 1, for one cell sees itself.")
        if answer == sum(kernel_size for kernel_size, _, _ in layers):
            return wrong(f"{said}: you summed the kernel sizes. A layer adds (kernel_size − 1) steps.")
        return wrong(f"{said}.")
    return Verdict(True, "Right for strides and for dilations.")
