"""What the student does in chapter 1; `tests/lesson/script.py` says how this is read."""

RUN = """
    start imports read-ten first-20 header-bytes by-hand ranges balance ten-means split-by-hand memoriser
    batches-helper shuffled-first little-endian magic photo-by-hand own-folder
    own-read own-outliers normalised-means loaders
""".split()
CHANGES = {}
GUESSES = {
    "guess-paper": ("paper", "all ten", "four or fewer"),
    "guess-count": ("count", "39 · 100 + 16", "39 · 256 + 16"),
    "guess-black": ("histogram", "about 80%", "about 50%"),
    "guess-byte": ("three-versions", "336", "80"),
    "guess-twice": ("twice", "nearly all", "about one in ten"),
    "guess-pair": ("look-alikes", "sneaker – ankle boot", "pullover – coat"),
    "guess-sorted": ("sorted-split", "in about 10% of the cases", "in more than 90%"),
    "guess-memory": ("memory-answer", "100% and 100%", "100% and 80%"),
    "guess-winner": ("lucky", "20% and 20%", "20% and 10%"),
    "guess-last": ("last-batch", "35 batches of 256", "35 batches of 256, and a smaller one"),
    "guess-present": ("present", "more than 90%", "50 to 90%"),
    "guess-loader": ("loader-seconds", "less time", ("more than twice as long", "up to twice as long")),
    "guess-range": ("normalise", "-1.0 to 1.0", "-0.8 to 2.0"),
}
BLANKS = {
    "read-images": ("pixels.reshape(header[1], header[3], header[2])", "rows and columns the wrong way round"),
    "mean-images": ("images[labels == label].float()", "You have floats, but from 0 to 255"),
    "split": (["order[:num_validation]", "order"], "Your training set still holds the validation images"),
    "batches-by-hand": (
        ["images[start:batch_size] / 255", "labels[start:batch_size]"],
        "Your slice ends at batch_size, in every batch",
    ),
}
LABS = {
    "draw": [
        ("draw", (0.06, 0.06), (0.3, 0.06), (0.14, 0.35)),
        ("press", "Clear"),
        ("draw", (0.5, 0.1), (0.5, 0.9)),
        ("draw", (0.2, 0.1), (0.5, 0.1)),
        ("press", "Clear"),
        ("draw", (0.2, 0.9), (0.2, 0.5), (0.5, 0.1), (0.8, 0.5), (0.8, 0.9), (0.2, 0.9)),
    ],
    "explorer": [
        ("line", "explorer class_name=shirt"),
        ("line", "explorer class_name=t-shirt"),
        ("line", "explorer view=numbers place=8"),
        ("line", "explorer view=counts-and-means"),
        ("line", "explorer view=own-photo"),
        ("upload", "grace_hopper.jpg"),
        ("choose", "invert the photo", "yes"),
        ("choose", "invert the photo", "no"),
    ],
}
EXERCISES = {
    "answer-1": "nonzero only",
    "answer-2": "tuple incl count",
    "answer-3": "images only shuffled",
    "answer-4": "joint",
    "answer-5": "no [:k]",
    "answer-6": "min not argmin",
}
