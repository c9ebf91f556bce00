"""What the student does in chapter 3; `tests/lesson/script.py` says how this is read."""

RUN = """
    start imports at-work flatten-picture neighbours shuffle walk picture boot-maps halves-split break-mend break-lenet
    parameters-total parameters-bars variant-wide bug-listing own-net c5-equal c5-larger
""".split()
CHANGES = {
    "flatten-picture": [("14, 12", "0, 0"), ("14, 12", "27, 27")],
    "boot-maps": [("layers = 1", f"layers = {layers}") for layers in (3, 4, 6)],
    "break-mend": [("16 * 4 * 4", "net[:7](boot).shape[1]")],
    "break-lenet": [("(0, 0)", "(3, 0)"), ("kernel_size=11", "kernel_size=9")],
    "bug-listing": [
        (
            "16, kernel_size=5, padding=2",
            "16, kernel_size=5",
            "120, kernel_size=5, padding=2",
            "120, kernel_size=5",
            "120 * 7 * 7",
            "120",
        )
    ],
}
GUESSES = {
    "guess-second": ("second", "bag", "sneaker"),
    "guess-shuffled": ("shuffle-equal", "no, the images are destroyed", "yes, exactly the same"),
    "guess-photo": ("photo-weights", "3 MB", "3 GB"),
    "guess-maps": ("second-maps", "14×14", "10×10"),
    "guess-error": ("break-build", "when the network is built", "when an image goes through"),
    "guess-conv-2": ("parameters-conv", "416", "2,416"),
    "guess-dense-1": ("parameters-dense", "48,000", "48,120"),
    "guess-work": ("work-bars", "dense 1", "conv 2"),
    "guess-wide": (
        "wide-table",
        "twice the parameters and twice the work",
        "half the parameters and about 7 times the work",
    ),
    "guess-place": ("place", "107", "132"),
    "guess-c5": ("c5-shape", "16×120×5×5", "120×16×5×5"),
    "guess-paper": ("paper", "59,706, rounded up", "60,000 exactly"),
    "guess-unpadded": ("unpadded", "as many, 61,706", "fewer"),
}
BLANKS = {
    "place-of": ("28 * column + row", "Rows are laid end to end"),
    "lenet-by-hand": (["1", "25", "10"], "The second convolution sees maps, not the grey image"),
    "shapes-of": ("net(X)", "only `layer` works on X"),
    "halves-blank": (["net[:6]", "net[6:]"], "`Flatten`, layer 6, belongs to the feature extractor"),
    "count-parameters": ("len(parameter)", "`len` counts the rows of a tensor"),
}
LABS = {
    "own-lab": [
        ("line", "shapes"),
        ("line", "shapes image_size=48"),
        ("point", ".lab-of-dense"),
        ("line", "shapes"),
        ("key", "dense 1", "Home"),
        ("key", "kernel 2", "End"),
        ("line", "shapes kernel_1=11 kernel_2=11 padding_1=0", {"red": "larger than"}),
        ("key", "image size", "End"),
        ("line", "shapes channels_1=8 channels_2=16 dense_1=60 dense_2=30 pooling=max"),
        ("press", "Copy the line of Python"),
    ],
}
EXERCISES = {
    "exercise-1": "kept padding",
    "exercise-2": "second kernel 5 fixed",
    "exercise-3": "no bias",
    "exercise-4": "hwc order",
    "exercise-5": "lenet()",
}
