"""What the student does in chapter 4; `tests/lesson/script.py` says how this is read."""

RUN = """
    start imports new-net first-batch backward step generator count-right evaluate move mismatch find-device
    hundred-steps watch by-heart listings repair first-gradients
    own-net look own-bench your-row init-measure init-picture speed d2l-same save
""".split()
CHANGES = {
    "repair": [
        (".sigmoid()", ""),
        (".sigmoid(), y)", ", y)\n    loss.backward()"),
    ],
}
GUESSES = {
    "guess-to": ("to-answer", "both", "only layers"),
    "guess-loss": ("loss", "0.1", "2.3"),
    "guess-grad": ("add", "the same gradient", "twice the gradient"),
    "guess-steps": ("steps", "140 steps, 64 in the last", "141 steps, 40 in the last"),
    "guess-dropout": ("dropout", "yes", "no"),
    "guess-rate": ("sweep", "0.01", "1.0"),
    "guess-alive": ("alive", "about 80", "fewer than 10"),
    "guess-undivided": ("undivided", "it is as good as with pixels from 0 to 1", "it guesses"),
    "guess-bugs": ("bugs", "both", "only B"),
    "guess-plateau": (
        "plateau",
        "it falls from the first step on",
        ("it stays for a long time, then falls", "it stays to the end"),
    ),
    "guess-slopes": ("gradient-sizes", "average-pooling", "the sigmoids"),
    "guess-own": (
        "own-ahead",
        "LeNet, by more than 3 points",
        ("neither by more than 3 points", "yours, by more than 3 points"),
    ),
    "guess-hardest": ("confusion", "trouser", ("shirt", "pullover", "coat", "t-shirt", "dress")),
    "guess-init": ("init-fall", "both about equally fast", "sigmoid"),
    "guess-speed": ("speed-answer", "about as many", ("more than 5 times as many", "2 to 5 times as many")),
    "guess-bytes": ("bytes", "62,000", "250,000"),
    "guess-story": ("story-table", "batch normalisation", "tanh, not sigmoid"),
}
BLANKS = {
    "on-device": (["net.to(device)", "X.to(device)"], "The batch has not moved"),
    "cross-entropy": ("of_right.log().mean()", "The minus is missing"),
    "train-step": (["pass", "loss.backward()", "optimizer.step()"], "The second step is too long"),
    "one-epoch": (["loss", "loss_sum / num_images"], "A batch's loss is a mean over its images"),
    "measure": (["pass", "len(y)", "num_right / num_images"], ""),
}
LABS = {
    "lab": [
        ("press", "Draw what you expect"),
        ("key", "expected accuracy after epoch 1", "ArrowUp"),
        ("press", "Train"),
        ("line", "trainer lr=0.9", {"red": "Dead: the loss stays"}),
        ("line", "trainer lr=0.001"),
        ("line", "trainer batch=16 epochs=2"),
        ("line", "trainer batch=256 epochs=2"),
        ("line", "trainer kernel=1 epochs=2"),
        ("line", "trainer epochs=2"),
        ("press", "Look back"),
        ("key", "moment", "ArrowLeft"),
        ("line", "trainer moment=12"),
    ],
    "class-experiment": [
        ("paste", "result lines", "result lr=0.3 channels=6 kernel=5 parameters=61706 accuracy=0.7810"),
        ("choose", "accuracy against", "parameters"),
    ],
    "microscope": [
        ("choose", "layer", "1 convolution"),
        ("point", "canvas"),
        ("key", "channel", "ArrowRight"),
    ],
}
EXERCISES = {
    "ex-line": "255 and 255",
    "ex-step": "lacks optimizer.zero_grad()",
    "ex-evaluate": "first only",
    "ex-bugs": "one bug left",
    "ex-own": "three copies",
}
