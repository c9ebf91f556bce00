"""What the student does in chapter 2; `tests/lesson/script.py` says how this is read."""

RUN = """
    start imports tiny move all-places dot by-pytorch kernels bank trained photo channels-in by-hand
    channel-mismatch strided-windows sizes learn pooled change dilated too-large one-by-one strided
""".split()
CHANGES = {"move": [("0, 1", "1, 1"), ("0, 1", "2, 0")]}
GUESSES = {
    "guess-corner": ("corner", "11", "18"),
    "guess-dot": ("flip", "K", "K turned by 180°"),
    "guess-zeros": ("matrix", "16", "20"),
    "guess-flat": ("flat", "with a large positive number", "with 0"),
    "guess-silent": ("learnt-filters", "all six", "four"),
    "guess-numbers": ("channels-out", "600", "608"),
    "guess-used": ("padding", "9 and 9", "9 and 1"),
    "guess-rate": ("rate", "0.6", "0.4"),
    "guess-order": ("equivariant", "their numbers differ", "they are the same"),
    "guess-shift": ("tolerance", "by less than 0.2", "by 0.2 to 0.7"),
    "guess-field": ("gradient", "12×12 pixels, from row 0 and column 0", "14×14 pixels, from row 0 and column 0"),
}
BLANKS = {
    "corr2d": ("(window + K).sum()", "You add window and K"),
    "horizontal": ("-vertical.T", "Its sign is wrong"),
    "feature-map": ("sum(map + bias for map in maps)", "You added the bias once for each channel"),
    "output-size": ("(n + p - k) // s + 1", "The padding counts on both sides"),
    "step": ("kernel + lr * kernel.grad", "You walk uphill"),
    "pool2d": ("X[i : i + size, j : j + size]", "Your windows move by one pixel"),
}
LABS = {
    "lab-convolution": [
        ("point", "canvas"),
        ("line", "convolution numbers=0,0,0;0,0,1;0,0,0"),
        ("line", "convolution size=11 dilation=3", {"red": "larger than"}),
        ("line", "convolution"),
        ("key", "padding", "ArrowRight"),
    ],
    "lab-learn-kernel": [
        ("line", "learn lr=0.3"),
        ("press", "Run"),
        ("line", "learn lr=0.4"),
        ("press", "Run", {"red": "the learning rate 0.4 is too high"}),
        ("line", "learn target=outline-laplacian"),
        ("press", "Run"),
        ("line", "learn target=blur-mean"),
        ("press", "Run"),
    ],
    "lab-pooling": [("line", "pooling window=4 stride=4"), *[("key", "shift", "ArrowRight")] * 3],  # to 4 pixels
}
EXERCISES = {
    "exercise-1": "C gaps of two",
    "exercise-2": "vertical",
    "exercise-3": "flipped",
    "exercise-4": "window start i not i*stride",
    "exercise-5": "product of windows",
    "exercise-6": "per-channel mean",
}
