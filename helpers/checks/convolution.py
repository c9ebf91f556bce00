"""Chapter 2: convolution and pooling."""

import torch
from torch.nn import functional as F

from helpers.checks.old import NOT_YET, Verdict, checked, wrong


def _shape(tensor):
    return "×".join(map(str, tensor.shape)) or "a single number"


def _of_type(answer, wanted):
    """What is wrong with the type of what a function returns, in words."""
    if answer is None:
        return "your function returns None: does it end with a `return`?"
    return f"your function returns {type(answer).__name__}; return {wanted}."


def _trouble(answer, expected):
    """What is wrong with the type or the shape of `answer`, or an empty text."""
    if not torch.is_tensor(answer):
        return _of_type(answer, "a tensor")
    if answer.shape != expected.shape:
        return f"your output has the shape {_shape(answer)}, expected {_shape(expected)}."
    return ""


def _same(answer, expected):
    if not torch.is_tensor(answer) or answer.shape != expected.shape:
        return False
    return torch.allclose(answer.detach().cpu().float(), expected, atol=1e-4)


@checked
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


@checked
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
        return wrong(
            "K answers 0 at the diagonal edge: it does not see it. Give the weights below the diagonal from top left "
            "to bottom right one sign, those above it the other, and put zeros on it."
        )
    others = {
        "a vertical edge": [torch.tensor([[1.0, 0, 0]] * 3), torch.tensor([[1.0, 1, 0]] * 3)],
        "a horizontal edge": [torch.tensor([[0.0, 0, 1]] * 3).T, torch.tensor([[0.0, 1, 1]] * 3).T],
        "the other diagonal": [ones.tril().flip(0), ones.tril(-1).flip(0), ones.tril().flip(1), ones.tril(-1).flip(1)],
    }

    def confused(*names):
        """The first of these edges that K answers at least as strongly as the right one, in words, or an empty text."""
        repair = "make K mirror-symmetric, up to the sign, about the diagonal from top left to bottom right."
        if torch.allclose(K, -K.T):
            repair = "on each side of the diagonal, give all three weights the same sign, and none of them 0."
        for name in names:
            if strength(others[name]) >= strength(edge) - 1e-4:
                return (
                    f"signs apart, K answers {strength(others[name]):g} at {name} and {strength(edge):g} at yours, "
                    f"so it does not prefer yours: {repair}"
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


@checked
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
    if torch.is_tensor(answer) and answer.shape == (1, *expected.shape):
        return wrong(f"your output has the shape {_shape(answer)}: take the one image out, with [0].")
    if torch.is_tensor(answer) and answer.ndim == 4:
        return wrong(
            f"your output has the shape {_shape(answer)}: one map for each pair of channels. "
            "You forgot to sum over the input channels."
        )
    if _same(answer, library(X=X[:1], W=W[:, :1])):
        return wrong("you used the first input channel only: sum over all of them.")
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


@checked
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


@checked
def check_receptive_field(receptive_field):
    """Exercise 2.5; receptive_field(layers): [(kernel_size, stride, dilation), ...] to a whole number of pixels."""

    def field(layers, strides=True, dilations=True, early=False, forgetful=False):
        size, step = 1, 1
        for kernel_size, stride, dilation in layers:
            step *= stride if strides and early else 1
            size += (kernel_size - 1) * step * (dilation if dilations else 1)
            step = 1 if forgetful else step
            step *= stride if strides and not early else 1
        return size

    def added(layers):
        """What a student finds who adds the strides instead of multiplying them."""
        size, step = 1, 1
        for kernel_size, stride, dilation in layers:
            size, step = size + (kernel_size - 1) * dilation * step, step + stride
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
            return wrong(_of_type(answer, "one whole number"))
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
        if answer == field(layers, forgetful=True):
            return wrong(f"{said}: strides multiply. After two strides of 2, neighbours lie 4 pixels apart.")
        if answer == added(layers):
            return wrong(f"{said}: strides multiply: step *= stride, not step += stride.")
        if answer == field(layers[:1]):
            return wrong(f"{said}, which is right for the first layer alone: does `return` stand inside the loop?")
        wider = [(kernel_size + 1, stride, dilation) for kernel_size, stride, dilation in layers]
        if answer in (field(wider), field(wider) - 1, sum(kernel_size for kernel_size, _, _ in layers)):
            return wrong(f"{said}: you summed the kernel sizes. A layer adds (kernel_size − 1) steps.")
        return wrong(f"{said}.")
    return Verdict(True, "Right for strides and for dilations.")


@checked
def check_edge_map(edge_map):
    """Exercise 2.6; edge_map(photo): (3, h, w) from 0 to 1, to (h, w), the strength of its edges from 0 to 1."""
    photo = 0.5 + torch.rand(3, 9, 12, generator=torch.Generator().manual_seed(26)) / 2
    answer = edge_map(photo.clone())
    if answer is ...:
        return NOT_YET
    if not torch.is_tensor(answer):
        return wrong(_of_type(answer, "a tensor"))
    if answer.shape == (3, 9, 12):
        return wrong("you return a map for each colour: make one channel, the brightness, before you look for edges.")
    if answer.ndim > 2 and answer.shape[-2:] == (9, 12):
        return wrong(f"your map has the shape {_shape(answer)}, expected 9×12: take the one map out, with [0, 0].")
    if answer.shape == (7, 10):
        return wrong("your map is 7×10, expected 9×12: pad by one pixel, so that it is as large as the photo.")
    if answer.shape != (9, 12):
        return wrong(f"your map has the shape {_shape(answer)}, expected 9×12, that of the photo.")
    answer = answer.detach().cpu().float()
    if not answer.isfinite().all():
        return wrong("some values are not numbers: there is a division by 0, or a root of a negative number.")

    def matches(strength, **padding):
        """Is the answer `strength` of the two edge maps, up to its scale? For both common kinds of brightness."""
        found = [strength(*_edges(grey, **padding)) for grey in _greys(photo)]
        largest = answer.abs().max().clamp(min=1e-12)
        return any(_same(answer / largest, edges / edges.abs().max()) for edges in found)

    if matches(torch.hypot) or matches(torch.hypot, mode="reflect"):
        if abs(float(answer.max()) - 1) < 1e-4:
            return Verdict(True, "Right, for edges of every direction. Now draw with it.")
        return wrong(f"right but for its scale: its largest value is {float(answer.max()):.3g}. Divide by it.")
    if matches(torch.hypot, mode="constant"):
        return wrong(
            "right inside, but not at the border: the zeros of your padding are dark, so a bright photo seems to have "
            'an edge all around. Pad the brightness with mode="replicate" first, and the convolution with nothing.'
        )
    mistakes = [
        (lambda v, h: v, "you use one edge kernel only: combine the maps of both."),
        (lambda v, h: h, "you use one edge kernel only: combine the maps of both."),
        (lambda v, h: v + h, "you add the two maps: where their signs differ they cancel. Square both first."),
        (lambda v, h: v.abs() + h.abs(), "you add |v| and |h|: diagonal edges come out too strong. Square, add, root."),
        (lambda v, h: v**2 + h**2, "the root is missing: √(v² + h²)."),
    ]
    for strength, words in mistakes:
        for mode in ("replicate", "reflect", "constant"):
            if matches(strength, mode=mode) or matches(lambda v, h, f=strength: f(v, h).abs(), mode=mode):
                return wrong(words)
    return wrong(
        "the shape is right, but the values differ. Brightness first; then both kernels of section 2 on it; "
        "then √(v² + h²), divided by its largest value."
    )


def _greys(photo):
    """The brightness of a photo, as section 3 weights it and as the mean of its channels."""
    return (torch.tensor([0.299, 0.587, 0.114])[:, None, None] * photo).sum(dim=0), photo.mean(dim=0)


def _edges(grey, mode="replicate"):
    """The maps of Sobel's two kernels, as large as `grey`; mode: how it is padded."""
    vertical = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    padded = F.pad(grey[None, None], (1, 1, 1, 1), mode=mode)
    return F.conv2d(padded, torch.stack([vertical, vertical.T])[:, None])[0]
