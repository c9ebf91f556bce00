"""What the student does in chapter 5; `tests/lesson/script.py` says how this is read."""

RUN = """
    start imports split makers sweep rates best-rates other-seed own-net standings two-shown move permutation
    break-frozen on-frozen controls transfer few-train disagree first-layers rotation-and-scale reading-ours scoreboard
""".split()
CHANGES = {"other-seed": [("seed = 1", "seed = 7")]}
GUESSES = {
    "guess-hidden": ("match", "about 400", "about 80"),
    "guess-cost": ("cost", "both the same", "LeNet, 7 times as many"),
    "guess-same": (
        "same-rate",
        "LeNet, by more than 10 points",
        ("the MLP, by more than 10 points", "neither by that much"),
    ),
    "guess-lead": (
        "race-train",
        "LeNet leads by more than 10 points",
        ("less than 3 points apart", "LeNet leads by 3 to 10 points"),
    ),
    "guess-shift": ("shift-two", "LeNet 0.85, MLP 0.20", "LeNet 0."),
    "guess-maps": ("equivariant", "they stay the same", "they move by 1 cell"),
    "guess-shuffled": ("shuffle-train", "both, nearly all", "LeNet, some points"),
    "guess-frozen": ("frozen-train", "about 10%", "about 80%"),
    "guess-controls": ("controls-train", "more than 10 points", "less than 3 points, or it is ahead"),
    "guess-transfer": ("transfer-train", "worse by more than a point", "better by more than a point"),
    "guess-few": ("few-reveal", "60% and 60%", "nearly all and 75%"),
    "guess-test": ("test", "the MLP does", ("neither does", "LeNet does")),
}
BLANKS = {
    "hidden-units": ("int((parameters - 10) / 795)", "You round down"),
    "best-rate": ("train_acc > accs[best][0]", "You choose by training accuracy"),
    "two-to-the-right": ("images[..., 2:]", "nothing has moved"),
    "reuse": ("nn.Sequential(features, dense.requires_grad_(False))", "You froze the wrong half"),
    "only-first": ("right_a.sum()", "These are all images on which A is right"),
}
LABS = {
    "lab-versus": [
        ("key", "shift", "ArrowRight"),
        ("line", "versus shift=2"),
        ("line", "versus shift=2 shuffled=on"),
        ("press", "Train"),
    ],
    "lab-drawing": [
        ("line", "drawing example=none"),
        ("draw", (0.2, 0.2), (0.8, 0.2), (0.4, 0.8)),
    ],
    "lab-collect": [
        ("draw", (0.5, 0.2), (0.5, 0.8)),
        ("press", "Keep"),
    ],
    "lab-honest-split": [
        ("press", "Train"),
    ],
}
EXERCISES = {
    "ex-rates-stub": "last common",
    "ex-shift-stub": "off by one clear",
    "ex-lead-stub": "sqrt(a-b)",
    "ex-freeze-stub": "zero_grad",
    "ex-tolerant-stub": "no images/255 net",
}
