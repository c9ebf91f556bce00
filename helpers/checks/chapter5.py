"""Chapter 5: LeNet against an MLP."""

import copy
import itertools
import math
import numbers
import operator

import torch
from torch import nn
from torch.nn import functional as F

from helpers.checks import answers, networks
from helpers.checks.attempt import Attempt
from helpers.checks.exercise import Exercise, Mistake, Sign, checked
from helpers.checks.verdict import right, wrong
from helpers.data import Batches
from helpers.machine import try_gpu
from helpers.training import evaluate_accuracy

# Exercise 5.1


def _best(accs):
    """The rate with the highest accuracy."""
    return max(accs, key=accs.get)


def _common(choose):
    """A function that gives all networks the best rate of the one that `choose` picks."""
    return lambda tried: dict.fromkeys(tried, _best(tried[choose(list(tried))]))


def _each(choose):
    return lambda tried: {name: choose(accs) for name, accs in tried.items()}


def _overall(tried):
    return max((acc, rate) for accs in tried.values() for rate, acc in accs.items())[1]


def _rates(value):
    """{name: rate} from what the answer returned."""
    if not isinstance(value, dict):
        raise answers.Unreadable(f"a dictionary {{name: rate}} is expected, but you return {answers.kind(value)}")
    for name, rate in value.items():
        if answers.all_dots(rate) or not isinstance(name, str):
            raise answers.Unreadable(f"in {{name: rate}}, {answers.kind(name)} comes first, then {answers.kind(rate)}")
    return {name: _rate(name, rate) for name, rate in value.items()}


def _rate(name, rate):
    try:
        return answers.number(rate)
    except answers.Unreadable as unreadable:
        raise answers.Unreadable(f"for {name}, {unreadable}") from None


check_choose_rates = Exercise(
    task="5.1; choose_rates(tried): for each network the learning rate of its own highest accuracy, {name: rate}.",
    solution=_each(_best),
    probes=lambda: [
        ({"LeNet": {0.001: 0.77, 0.01: 0.85, 0.1: 0.11}, "MLP": {0.001: 0.61, 0.01: 0.80, 0.1: 0.83}},),
        ({"A": {0.3: 0.2, 0.1: 0.5, 0.03: 0.4}, "B": {0.3: 0.6, 0.1: 0.3, 0.03: 0.1}, "C": {0.3: 0.1, 0.03: 0.9}},),
        ({"A": {0.1: 0.7, 0.2: 0.9, 0.4: 0.8, 0.8: 0.3}, "B": {0.1: 0.1, 0.2: 0.2, 0.4: 0.5, 0.8: 0.4}},),
    ],
    praise="Right: each network is shown at its best. Now the race compares networks, not rates.",
    untouched=_common(lambda names: names[0]),
    still_so="Not done yet: all get the rate that suits the first network. Change the marked line.",
    read=_rates,
    same=lambda some, others: set(some) == set(others) and all(answers.same(some[k], others[k]) for k in some),
    mistakes=[
        Mistake("These are the best accuracies: return the rates that gave them.",
                _each(lambda accs: max(accs.values()))),
        Mistake("These are the rates with the lowest accuracy.", _each(lambda accs: min(accs, key=accs.get))),
        Mistake("These are the largest rates: `max(accs)` compares the keys; compare the accuracies.", _each(max)),
        Mistake("These are the smallest rates: compare the accuracies.", _each(min)),
        Mistake("These are the second best rates.", _each(lambda accs: sorted(accs, key=accs.get)[-2])),
        Mistake("These are the places of the best rates, counted from 0: return the rates.",
                _each(lambda accs: float(list(accs.values()).index(max(accs.values()))))),
        Mistake("All get the rate that suits the last network: which name comes last in the loop?",
                _common(lambda names: names[-1])),
        Mistake("All get one rate, the one with the highest accuracy of all; each network has a best rate of its own.",
                lambda tried: dict.fromkeys(tried, _overall(tried))),
        Mistake("The names are exchanged: each network gets the rate of another.",
                lambda tried: dict(zip(list(tried)[::-1], map(_best, tried.values()), strict=True))),
        Sign("Each network of `tried` gets a rate, under its own name.", lambda given, tried: set(given) != set(tried)),
        Sign("All get the same rate again: take the best within each network's own.",
             lambda given, tried: len(set(given.values())) == 1),
    ],
)  # fmt: skip


# Exercise 5.2


def _shifted(images, dx):
    """Images, (N, 1, height, width), moved by dx pixels to the right; zeros move in."""
    width = images.shape[-1]
    moved = F.pad(images, (max(dx, 0), max(-dx, 0)))
    return moved[..., max(-dx, 0) : max(-dx, 0) + width]


def _rolled(images, dx, left, columns):
    """Rolled images with `columns` of them set to 0, on the left or on the right."""
    images = images.roll(dx, 3)
    images[..., :columns] = 0 if left else images[..., :columns]
    if not left and columns:
        images[..., -columns:] = 0
    return images


def _moved_images(value):
    """A tensor unchanged: a shift keeps the type of the images, which is compared too."""
    if not torch.is_tensor(value):
        raise answers.Unreadable(
            f"images moved sideways are expected, as a tensor, but you return {answers.kind(value)}"
        )
    return value.detach().cpu()


def _types(value, expected):
    if value.shape == expected.shape and value.dtype != expected.dtype:
        return f"your images are {value.dtype}, expected {expected.dtype}, like those handed over"
    return answers.difference(value, expected)


def _pixels():
    """Probes: bytes first, then fractions, in both directions, further than the width, and by 0."""
    small = torch.tensor([[[[1, 2, 3, 4], [5, 6, 7, 8]]]], dtype=torch.uint8)
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(1, 256, (3, 1, 8, 10), dtype=torch.uint8, generator=generator)
    fractions, wide = torch.rand(2, 1, 7, 9, generator=generator), torch.rand(2, 1, 5, 35, generator=generator)
    both = [(small, 1), (small, -1), (images, 3), (images, -2), (images, 0), (fractions, 2), (wide, -4)]
    return [(X.to(try_gpu()), dx) for X, dx in both]


check_shift_right = Exercise(
    task="5.2; shift_right(images, dx): (N, 1, height, width) moved sideways by whole pixels, zeros moving in.",
    solution=_shifted,
    probes=_pixels,
    praise="Right, to both sides and by 0: the shape stays, zeros move in, nothing wraps around.",
    read=_moved_images,
    same=lambda some, others: some.dtype == others.dtype and answers.same(some, others),
    difference=_types,
    mistakes=[
        Mistake("The images have not moved.", lambda X, dx: X),
        Mistake("Nothing moves to the left: a negative dx has to do something, too.",
                lambda X, dx: _shifted(X, max(dx, 0))),
        Mistake("It wraps around: what leaves on one side comes in on the other, as with roll. Set these columns to 0.",
                lambda X, dx: X.roll(dx, 3)),
        Mistake("`roll` without `dims` runs on from row to row: name the dimension to roll.",
                lambda X, dx: X.roll(dx)),
        Mistake("For a negative dx it wraps around: set the columns on the right to 0, too.",
                lambda X, dx: X.roll(dx, 3) if dx < 0 else _shifted(X, dx)),
        Mistake("For dx = 0 the images stay as they are; yours become black.",
                lambda X, dx: _shifted(X, dx) if dx else torch.zeros_like(X)),
        Mistake("You divide by 255: the pixels only move, and keep their values.",
                lambda X, dx: _shifted(X / 255, dx)),
        Mistake("The width of your images changes: as many columns leave on one side as come in on the other.",
                lambda X, dx: F.pad(X, (dx, 0)), lambda X, dx: F.pad(X, (max(dx, 0), max(-dx, 0)))),
        Mistake("The wrong direction: a positive dx moves to the right, so column 0 appears at column dx.",
                lambda X, dx: _shifted(X, -dx)),
        Mistake("You always move to the right: a negative dx moves to the left.", lambda X, dx: _shifted(X, abs(dx))),
        Mistake("You moved them up or down: the last dimension holds the columns.",
                lambda X, dx: _shifted(X.mT, dx).mT, lambda X, dx: X.roll(dx, 2)),
        Mistake("You moved them down as well: only sideways is expected.",
                lambda X, dx: _shifted(_shifted(X, dx).mT, dx).mT),
        Mistake("You clear the wrong side: after roll, the columns that wrapped around are where the images came from.",
                lambda X, dx: _rolled(X, dx, left=dx < 0, columns=abs(dx))),
        Mistake("You clear the left columns even if dx is negative; then those on the right wrapped around.",
                lambda X, dx: _rolled(X, dx, left=True, columns=abs(dx))),
        Mistake("You clear one column too many.",
                lambda X, dx: _rolled(X, dx, left=dx > 0, columns=abs(dx) + 1) if dx else X),
        Mistake("For a negative dx you mirror the images: a moved image still faces the same way.",
                lambda X, dx: _shifted(X.flip(3), -dx) if dx < 0 else _shifted(X, dx)),
        Mistake("You move by half of dx.", lambda X, dx: _shifted(X, dx // 2), lambda X, dx: _shifted(X, int(dx / 2))),
        Mistake("You move by twice dx.", lambda X, dx: _shifted(X, 2 * dx)),
        Mistake("You move the first image only: keep them all.", lambda X, dx: _shifted(X[:1], dx),
                lambda X, dx: torch.cat([_shifted(X[:1], dx), torch.zeros_like(X[1:])]),
                lambda X, dx: torch.cat([_shifted(X[:1], dx), X[1:]])),
        Mistake("The columns that left are missing: the shape stays, zeros move in on the other side.",
                lambda X, dx: X[..., : X.shape[-1] - dx] if dx >= 0 else X[..., -dx:]),
        Sign("Bytes stay bytes, and fractions stay fractions: keep the type of the images.",
             lambda Y, X, dx: Y.shape == X.shape and Y.dtype != X.dtype),
        Sign("Four dimensions come in, and four are expected, (N, 1, height, width).", lambda Y, X, dx: Y.ndim != 4),
    ],
)  # fmt: skip


# Exercise 5.3


def _counts(right_a, right_b):
    """The numbers of images on which only A is right, on which only B is right, and of all."""
    return int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum()), len(right_a)


def _lead(right_a, right_b):
    a, b, n = _counts(right_a, right_b)
    return (a - b) / n, (a + b) ** 0.5 / n


def _wrongly(place, formula, words):
    """A sign: the number at `place` is what `formula` gives, of a, b, n and the accuracies p of A and q of B."""
    compute = eval(f"lambda a, b, n, p, q: {formula}", {"root": _root})

    def seen(value, right_a, right_b):
        a, b, n = _counts(right_a, right_b)
        number = compute(a, b, n, float(right_a.float().mean()), float(right_b.float().mean()))
        is_right = list(map(answers.same, value, _lead(right_a, right_b)))
        return (
            all(is_right[:place])
            and not is_right[place]
            and (answers.same(value[place], number) or math.isnan(number))  # NaN: the root of a negative number
        )

    return Sign(words, seen)


def _rights():
    probes = []
    for n, share_a, share_b in ((5, 0.6, 0.5), (400, 0.85, 0.7), (250, 0.6, 0.8)):
        generator = torch.Generator().manual_seed(n)
        probes.append(tuple((torch.rand(n, generator=generator) < share).to(try_gpu()) for share in (share_a, share_b)))
    return probes


def _root(number):
    return number**0.5 if number >= 0 else math.nan


# Wrong formulas for the two numbers, from the counts a and b, all n images and the accuracies p and q, with words.
LEADS = {
    "0": "Your lead is always 0: A's count and B's are the same. Is a `~` missing?",
    "(a + b) / n": "Your lead adds b: subtract the images on which B alone is right.",
    "a - b": "Your lead is a number of images: divide by all images for a share.",
    "abs(a - b) / n": "Your lead has lost its sign: B may be better.",
    "(b - a) / n": "Your lead is B's over A: exchange the two.",
    "(a - b) / (a + b)": "Your lead is a share of the images on which they differ: divide by all images.",
    "p": "Your lead is A's accuracy: subtract B's.",
    "a / n": "Your lead counts the images of A alone: subtract those of B alone.",
    "100 * (a - b) / n": "Your lead is in percent: a share lies between -1 and 1.",
    "a - b / n": "Python divides before it subtracts: your lead needs brackets.",
    "(a - b) // n": "Your lead is rounded down to a whole number: / divides, // drops what is left over.",
    "(a - b) / 1000": "Your lead is divided by the size of another set: divide by the number of these images.",
}
CHANCES = {
    "root((a + b) / n)": "Your chance: take the root of the count first, then divide by all images.",
    "root((p * (1 - p) + q * (1 - q)) / n)":
        "Your chance is for two different sets of images; these networks answered the same ones.",
    "root(abs(a - b) / n * (1 - abs(a - b) / n) / n)": "Your chance treats the lead as if it were an accuracy.",
    "root(a - b) / n": "Your chance subtracts a and b; chance moves each of them: add them.",
    "root(abs(a - b)) / n": "Your chance subtracts a and b; chance moves each of them: add them.",
    "root((p + q) * n) / n":
        "Your chance counts all right images: only those on which one network alone is right count.",
    "root(2 * n - a - b) / n": "Your chance counts with `|`, or: A is right *and* B is not, so `&`.",
    "(a + root(b)) / n": "Your chance takes the root of b alone: a + b needs brackets.",
    "(a + b) / 2 / n": "Your chance is half of a + b, not its root: `** 1 / 2` halves.",
    "root(((a + b) - (a - b) ** 2 / n) / (n - 1) / n)":
        "Your chance subtracts something for the lead: section 7 uses a + b alone.",
    "(a + b) / n": "Your chance: the root is missing.",
    "(a + b) / n**2": "Your chance is squared, a variance: the root is missing.",
    "(root(a) + root(b)) / n": "Your chance adds two roots: add a and b first, then take the root.",
    "2 * root(a + b) / n": "Your chance is twice one standard error: take one.",
    "1 / root(n)": "Your chance counts all images alike: only those on which they differ count.",
    "root(n - a - b) / n": "Your chance counts the images on which they agree: count those on which they differ.",
    "root(a + b) / (n - 1)": "Your chance divides by n − 1: divide by all images.",
    "1 / root(a + b)": "Your chance is relative to the images on which they differ: divide their root by all images.",
}  # fmt: skip

check_lead = Exercise(
    task="5.3; lead(right_a, right_b): A's lead on the same images, and how far chance alone moves it, as shares.",
    solution=_lead,
    probes=_rights,
    praise="Right. Images on which both are right, or both wrong, say nothing about which is better.",
    read=answers.sequence(2, answers.number, "`lead, chance`"),
    same=lambda some, others: all(math.isclose(x, y, rel_tol=1e-4) for x, y in zip(some, others, strict=True)),
    mistakes=[
        Sign("You exchanged the two: the lead comes first, then chance.",
             lambda value, A, B: answers.same(value[::-1], _lead(A, B))),
        *[_wrongly(0, formula, words) for formula, words in LEADS.items()],
        *[_wrongly(1, formula, words) for formula, words in CHANCES.items()],
        Sign("Nearly right, but rounded: return the numbers as they are.",
             lambda value, A, B: all(abs(x - y) <= 0.005001 for x, y in zip(value, _lead(A, B), strict=True))),
    ],
)  # fmt: skip


# Exercise 5.4


def _small_lenet(depth, dense=()):
    """A network of `depth` convolutions and of dense layers of these widths, for (batch, 1, 12, 12) images."""
    layers = [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2)]  # to 5×5
    for _ in range(depth - 1):
        layers += [nn.Conv2d(2, 2, 3, padding=1), nn.ReLU(), nn.Identity()]
    layers.append(nn.Flatten())
    for inputs, outputs in itertools.pairwise((50, *dense)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    layers.append(nn.Linear((50, *dense)[-1], 3))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(depth)
        for layer in layers:
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    return nn.Sequential(*layers).to(try_gpu())


def _freeze(net, kind=nn.Conv2d):
    for layer in net.modules():
        if isinstance(layer, kind):
            layer.requires_grad_(False)
    return net


def _layers(net):
    """The convolutions and the dense layers of a network."""
    return [[layer for layer in net.modules() if isinstance(layer, kind)] for kind in (nn.Conv2d, nn.Linear)]


def _frozen(attempt, net):
    """What a returned network shows: {what: a count or a bool}, before and after a step of training."""
    answer = attempt(net)
    if not isinstance(answer, nn.Module):
        raise answers.Unreadable(f"the network is expected, `return net`, but you return {answers.kind(answer)}")
    (convolutions, dense), (before, dense_before) = _layers(answer), _layers(net)
    whole = [len(convolutions), len(dense)] == [len(before), len(dense_before)]
    seen = {
        "whole": whole,
        "loose": sum(any(p.requires_grad for p in layer.parameters()) for layer in convolutions),
        "weights loose": sum(layer.weight.requires_grad for layer in convolutions),
        "dense frozen": sum(not all(p.requires_grad for p in layer.parameters()) for layer in dense),
        "attribute": any({"requires_grad", "requires_grad_"} & set(vars(layer)) for layer in answer.modules()),
        "kept": whole and all(map(_same_weights, convolutions + dense, before + dense_before)),
    }
    if whole and seen["kept"] and not seen["loose"] and not seen["dense frozen"]:
        old = copy.deepcopy(convolutions), copy.deepcopy(dense)
        X = torch.rand(6, 1, 12, 12, generator=torch.Generator().manual_seed(9)).to(try_gpu())
        scores = Attempt(networks.module(answer))(X)
        if not torch.is_tensor(scores) or scores.shape != (6, 3):
            raise answers.Unreadable(f"the network that comes back gives {answers.kind(scores)}, expected scores, 6×3")
        if scores.requires_grad:
            F.cross_entropy(scores, torch.tensor([0, 1, 2, 0, 1, 2]).to(X.device)).backward()
        torch.optim.SGD(answer.parameters(), lr=0.5).step()
        seen["still"] = all(map(_same_weights, convolutions, old[0]))
        seen["moves"] = not _same_weights(dense[-1], old[1][-1])
    return seen


def _same_weights(layer, other):
    ours, theirs = list(layer.parameters()), list(other.parameters())
    return [p.shape for p in ours] == [p.shape for p in theirs] and all(map(torch.equal, ours, theirs))


def _freeze_some(net, places):
    """Freeze the convolutions at these places among the convolutions."""
    for layer in _layers(net)[0][places]:
        layer.requires_grad_(False)
    return net


def _make(net):
    """The beginning of a sentence that says how many layers a network has."""
    convolutions, dense = map(len, _layers(net))
    return f"for {convolutions} convolution{'s'[: convolutions - 1]} and {dense} dense layer{'s'[: dense - 1]},"


def _not_frozen(seen, expected):
    if not seen["whole"] or not seen["kept"]:
        return "other layers or weights come back"
    if not seen["loose"] and not seen["dense frozen"]:
        return "a step of training does not move the dense half alone"
    return f"{seen['loose']} of the convolutions can still train, and {seen['dense frozen']} of the dense layers cannot"


check_freeze_features = Exercise(
    task="5.4; freeze_features(net): the network with its convolutions frozen, its dense layers left to train.",
    solution=_freeze,
    probes=lambda: [(_small_lenet(*sizes),) for sizes in ((1, (8,)), (2, (8, 6)), (3, (6,)), (2, ()))],
    praise="Right: after a step of training the convolutions are as before and the dense half has moved.",
    read=answers.as_it_is,
    same=operator.eq,
    observe=_frozen,
    difference=_not_frozen,
    may_change=("net",),
    setting=_make,
    mistakes=[
        Sign("Return the whole network that you were given, with all its convolutions and dense layers.",
             lambda seen, net: not seen["whole"]),
        Sign("The weights are not the ones you were given, or not in their order: freeze what is learnt, as it is.",
             lambda seen, net: not seen["kept"]),
        Sign("`= False` only hangs a new attribute on the layer; its weights still train. It is a method: call it.",
             lambda seen, net: seen["attribute"]),
        Sign("You froze the dense half: it is the convolutions that must stay as they are.",
             lambda seen, net: seen["dense frozen"] and seen["loose"] == len(_layers(net)[0])),
        Sign("Dense layers are frozen, too: then they cannot learn. Freeze the convolutions only.",
             lambda seen, net: seen["dense frozen"] and not seen["loose"]),
        Sign("The weights are frozen, but the biases still train: freeze all parameters of a layer.",
             lambda seen, net: seen["loose"] and not seen["weights loose"] and not seen["dense frozen"]),
        Sign("No convolution is frozen: all their parameters still require gradients.",
             lambda seen, net: seen["loose"] == len(_layers(net)[0])),
        Mistake("You freeze one convolution only, however many there are: go on to the others.",
                lambda net: _freeze_some(net, slice(1))),
        Mistake("One convolution can still train, the first or the last: go through the whole network.",
                lambda net: _freeze_some(net, slice(1, None)), lambda net: _freeze_some(net, slice(-1))),
        Sign("You freeze layers by their places, but this LeNet may be deeper or shallower: ask each layer what it is.",
             lambda seen, net: seen["loose"] or seen["dense frozen"]),
        Sign("After a step of training the wrong half had moved: set requires_grad only.",
             lambda seen, net: not (seen.get("still") and seen.get("moves"))),
    ],
)  # fmt: skip


# Exercise 5.5


@checked
def check_tolerant(net, images, labels, target=0.8):
    """Exercise 5.5; net: recognises images, (N, 1, height, width) bytes, also moved by 3 pixels; labels: (N,)."""
    net = networks.module(net)
    if not torch.is_tensor(images) or images.ndim != 4 or not torch.is_tensor(labels) or labels.ndim != 1:
        return wrong(
            f"Hand over the network, then images, (N, 1, 28, 28), then labels, (N,): the second is "
            f"{answers.kind(images)}, the third {answers.kind(labels)}."
        )
    if len(images) != len(labels):
        return wrong(f"There are {len(images):,} images and {len(labels):,} labels: each image needs its own.")
    if images.dtype != torch.uint8:
        return wrong(f"The images must be bytes, as X_val is, and these are {images.dtype}: the check scales them.")
    if len(images) < 300 or len(labels.unique()) < 10:
        return wrong(f"{len(images)} images of {len(labels.unique())} classes say too little: take X_val, y_val.")
    networks.scores(net, images[:4] / 255)
    device = next((parameter.device for parameter in net.parameters()), "cpu")
    left, upright, moved_right = (
        evaluate_accuracy(net, Batches(_shifted(images, dx), labels, 500, device=device), device) for dx in (-3, 0, 3)
    )
    lowest = min(left, upright, moved_right)
    said = "Accuracy " + ", ".join(
        f"{_below(acc, target)} {where}"
        for acc, where in ((upright, "upright"), (left, "three pixels left"), (moved_right, "three pixels right"))
    )
    if lowest >= target:
        return right(f"{said}: all at least {target}.")
    if upright < 0.3:
        reason = "it has learnt nothing. Go through train(...) to its end, by list(...), or try a smaller rate"
    elif lowest > target - 0.03:
        reason = "nearly there. A little more training, or shifts up to 3 pixels for every image, should do"
    elif upright < target and min(left, moved_right) > upright - 0.1:
        reason = "it tolerates shifts, but it needs more training: more epochs, or another learning rate"
    elif abs(left - moved_right) > 0.1:
        reason = "one side is far better than the other. Draw negative and positive shifts equally often"
    else:
        reason = (
            "it knows upright images better than moved ones. Train on shifted copies, up to 3 pixels to both sides: "
            "hand your function to the *training* batches, Batches(..., change=...)"
        )
    return wrong(f"{said}; the goal is {target} for each: {reason}.")


def _below(acc, target):
    """An accuracy with three digits, or as many as it takes to show that it is below the target."""
    return next(text for digits in range(3, 9) if float(text := f"{acc:.{digits}f}") < target or acc >= target)


def _chosen(better):
    """A function that goes through the rates and takes each that is `better(rate, its accuracies, best, its own)`."""

    def best_rate(accs):
        best = next(iter(accs))
        for rate in accs:
            if better(rate, accs[rate], best, accs[best]):
                best = rate
        return best

    return best_rate


def _few_layers(*widths, weight=0.5):
    """Dense layers of these widths, made without random numbers: all parameters are `weight`."""
    layers = nn.Sequential(*(nn.Linear(*pair) for pair in itertools.pairwise(widths)))
    for parameter in layers.parameters():
        nn.init.constant_(parameter, weight)
    return layers.to(try_gpu())


def _units(parameters, per_unit=784 + 1 + 10, besides=10):
    """The hidden units, a fraction, of an MLP of this size; besides: parameters that do not depend on them."""
    return (parameters - besides) / per_unit


def _int(value):
    """A number; a whole one must be an int, since nn.Linear does not take 78.0."""
    found = answers.number(value)
    if found.is_integer() and not isinstance(value, numbers.Integral):
        raise answers.Unreadable(f"an int is expected, but you return {answers.kind(value)}: `int(h)` makes one of h")
    return found


def _stacked(features, dense):
    return nn.Sequential(features.requires_grad_(False), dense)


def _reused(attempt, features, dense):
    """What a network shows that should be `dense` on frozen `features`: {what: a count or a bool}."""
    X = torch.tensor([[1.0, 2.0]]).to(try_gpu())
    given = copy.deepcopy(features)
    net = attempt(given, dense, as_they_are=(given,))
    if not isinstance(net, nn.Module):
        raise answers.Unreadable(f"a network is expected, `nn.Sequential(...)`, but you return {answers.kind(net)}")
    lower, upper = ([p for p in net.parameters() if torch.any(p == next(half.parameters()).flatten()[0])]
                    for half in (features, dense))  # fmt: skip
    seen = {
        "grown": len(given) != len(features),  # the chapter puts the same features under several dense halves
        "lower there": len(lower) == len(list(features.parameters())),
        "upper there": len(upper) == len(list(dense.parameters())),
        "loose": sum(parameter.requires_grad for parameter in lower),
        "stuck": sum(not parameter.requires_grad for parameter in upper),
    }
    if seen["loose"]:  # why?
        seen["attribute"] = "requires_grad" in vars(given)
        seen["method"] = any("requires_grad_" in vars(it) for it in (given, *given.parameters()))
        seen["eval"] = not given.training
    if not seen["lower there"] or not seen["upper there"]:
        return seen
    with torch.no_grad():
        scores = Attempt(networks.module(net))(X)
        return {**seen, "right": torch.is_tensor(scores) and answers.same(scores, dense(features(X)))}


BLANKS = {  # functions that the chapter's text leaves to the student, see blank.py
    "hidden_units": Exercise(
        task="5, section 1; hidden_units(parameters): the number of hidden units, an int, with which an MLP of "
        "784h + h + 10h + 10 parameters comes closest to that many.",
        solution=lambda parameters: round(_units(parameters)),
        probes=lambda: [(16_304,), (24_243,), (20_000,), (26_000,), (61_706,), (500_000,)],
        praise="Right: with 78 units the MLP has 62,020 parameters, 314 more than LeNet.",
        read=_int,
        same=lambda some, others: some == others,
        mistakes=[
            Mistake("You round down; the nearest whole number is expected: round(...).",
                    lambda parameters: int(_units(parameters))),
            Mistake("You round up; the nearest whole number is expected: round(...).",
                    lambda parameters: math.ceil(_units(parameters))),
            Mistake("The last 10, the biases of the ten outputs, do not depend on h: subtract them first.",
                    lambda parameters: round(_units(parameters, besides=0))),
            Mistake("The 10 goes to the other side of the equation with a minus.",
                    lambda parameters: round(_units(parameters, besides=-10))),
            Mistake("Each unit has 784 weights and a bias, and 10 more weights lead from it to the outputs: divide by "
                    "all of them.",
                    *[lambda parameters, n=n, besides=besides: round(_units(parameters, n, besides))
                      for n in (784, 785, 794) for besides in (0, 10)]),
            Mistake("Python divides before it subtracts: parameters - 10 needs brackets.",
                    lambda parameters: round(parameters - 10 / 795)),
            Mistake("Python divides and adds from left to right: the sum that you divide by needs brackets.",
                    lambda parameters: round((parameters - 10) / 784 + 1 + 10)),
            Sign("There is no fraction of a unit: round(...).", lambda value, parameters: value % 1 != 0),
        ],
    ),
    "best_rate": Exercise(
        task="5, section 2; best_rate(accs): the rate with the best validation accuracy; accs: {rate: (of the training "
        "images, of the validation images)}.",
        solution=_chosen(lambda rate, of_rate, best, of_best: of_rate[1] > of_best[1]),
        probes=lambda: [
            ({0.001: (0.7, 0.75), 0.003: (0.9, 0.8), 0.01: (0.95, 0.78), 0.1: (0.6, 0.5)},),
            ({0.1: (0.8, 0.82), 0.01: (0.7, 0.72), 0.001: (0.9, 0.79)},),
            ({0.01: (0.5, 0.4), 0.1: (0.3, 0.45), 1.0: (0.2, 0.6)},),
            ({0.01: (0.99, 0.6), 1.0: (0.4, 0.61), 0.1: (0.7, 0.41)},),
        ],
        praise="Right: images that no network was trained on decide.",
        read=answers.number,
        mistakes=[
            *[Mistake(words, _chosen(better)) for words, better in {
                "You choose by training accuracy, which learning by heart raises, too: take val_acc.":
                    lambda rate, of_rate, best, of_best: of_rate[0] > of_best[0],
                "You choose the worst validation accuracy: turn the comparison around.":
                    lambda rate, of_rate, best, of_best: of_rate[1] < of_best[1],
                "You choose the largest rate: compare accuracies.":
                    lambda rate, of_rate, best, of_best: rate > best,
                "You compare an accuracy with a rate: `best` is a rate, and accs[best] are its two accuracies.":
                    lambda rate, of_rate, best, of_best: of_rate[1] > best,
                "You compare with the best rate's training accuracy: its validation accuracy is accs[best][1].":
                    lambda rate, of_rate, best, of_best: of_rate[1] > of_best[0],
                "You compare the two accuracies of one rate: compare this rate with the best so far.":
                    lambda rate, of_rate, best, of_best: of_rate[1] > of_rate[0],
                "You compare this rate's training accuracy with the best one's validation accuracy: take val_acc.":
                    lambda rate, of_rate, best, of_best: of_rate[0] > of_best[1],
                "Each rate replaces the one before, so that the last is returned: compare with the best so far.":
                    lambda rate, of_rate, best, of_best: True,
                "No rate ever replaces the first: compare with the best so far.":
                    lambda rate, of_rate, best, of_best: False,
            }.items()],
            Sign("This is an accuracy: return the rate that gave it.",
                 lambda value, accs: any(value in pair for pair in accs.values())),
        ],
    ),
    "two_to_the_right": Exercise(
        task="5, section 3; two_to_the_right(images): images, (N, 1, height, width), moved by two pixels, black moving "
        "in from the left.",
        solution=lambda images: _shifted(images, 2),
        probes=lambda: [
            (torch.arange(1, 29, dtype=torch.uint8).reshape(1, 1, 1, 28),),
            (torch.arange(3 * 28 * 28).remainder(255).add(1).to(torch.uint8).reshape(3, 1, 28, 28),),
        ],
        praise="Right: column 0 is now in column 2, and the last two columns are gone.",
        read=_moved_images,
        same=lambda some, others: some.dtype == others.dtype and answers.same(some, others),
        difference=_types,
        mistakes=[
            Mistake("These are the columns from 2 on, at their old place: nothing has moved. What stood in column 0 "
                    "goes to column 2.", lambda images: F.pad(images[..., 2:], (2, 0))),
            Mistake("They wrap around: what leaves on the right comes in on the left. Leave black there.",
                    lambda images: images.roll(2, 3)),
            Mistake("You move by one pixel.", lambda images: _shifted(images, 1),
                    lambda images: F.pad(images[..., 1:-1], (2, 0))),
            Mistake("You move to the left: what stood in column 0 goes to column 2.",
                    lambda images: _shifted(images, -2)),
            Mistake("The images have not moved.", lambda images: images),
            Mistake("All is black: put the old columns there.", torch.zeros_like),
            Mistake("You moved them down, too: only sideways is expected.",
                    lambda images: _shifted(_shifted(images, 2).mT, 2).mT),
            Mistake("You mirror the images: a moved image still faces the same way.",
                    lambda images: F.pad(images.flip(3)[..., :-2], (2, 0)),
                    lambda images: F.pad(images[..., :-2].flip(3), (2, 0))),
            Sign("Bytes stay bytes: keep the type of the images.",
                 lambda Y, images: Y.shape == images.shape and Y.dtype != images.dtype),
            Sign("The shape stays: two columns come in, and two are lost on the right.",
                 lambda Y, images: Y.shape != images.shape),
        ],
    ),
    "reuse": Exercise(
        task="5, section 5; reuse(features, dense): one network, `features`, frozen, and then `dense`, which trains.",
        solution=_stacked,
        probes=lambda: [
            (_few_layers(2, 2), _few_layers(2, 2, weight=0.25)),
            (_few_layers(2, 3, 2), _few_layers(2, 4, 2, weight=0.25)),
        ],
        praise="Right: the first half stays as it is, and the second learns to read what it passes on.",
        read=lambda seen: seen,
        same=lambda some, others: some == others,
        observe=_reused,
        difference=lambda seen, expected: "the network does not give what `dense` makes of the features",
        may_change=("features", "dense"),
        setting=lambda features, dense: f"for {len(features)} and {len(dense)} dense layers,",
        mistakes=[
            Sign("You add to `features` itself, which the chapter uses again: make a new nn.Sequential(..., dense).",
                 lambda seen, features, dense: seen["grown"]),
            Sign("The new dense half is missing: nn.Sequential(..., dense).",
                 lambda seen, features, dense: not seen["upper there"]),
            Sign("The features are missing: nn.Sequential(features.requires_grad_(False), ...).",
                 lambda seen, features, dense: not seen["lower there"]),
            Sign("The dense half is frozen, too, so that nothing trains: freeze the features only.",
                 lambda seen, features, dense: seen["stuck"] and not seen["loose"]),
            Sign("You froze the wrong half: the features stay as they are, and the dense half trains.",
                 lambda seen, features, dense: seen["stuck"]),
            Sign("`requires_grad_` is a method: call it, requires_grad_(False).",
                 lambda seen, features, dense: seen.get("method")),
            Sign("`features.requires_grad = False` only hangs a new attribute on the features, which still train: "
                 "features.requires_grad_(False), with an underscore.",
                 lambda seen, features, dense: seen.get("attribute")),
            Sign("`eval()` freezes nothing, it only tells layers such as dropout to stop: the features still train. "
                 "features.requires_grad_(False)",
                 lambda seen, features, dense: seen.get("eval")),
            Sign("Some parameters of the features still train: features.requires_grad_(False) takes them all.",
                 lambda seen, features, dense: 0 < seen["loose"] < len(list(features.parameters()))),
            Sign("The features still train: features.requires_grad_(False).",
                 lambda seen, features, dense: seen["loose"]),
            Sign("The order is wrong, or a layer comes twice: an image meets the features first, then the dense half.",
                 lambda seen, features, dense: not seen.get("right")),
        ],
    ),
    "only_first": Exercise(
        task="5, section 7; only_first(right_a, right_b): the number of images on which A is right and B is not; both "
        "are tensors of True and False.",
        solution=lambda right_a, right_b: int((right_a & ~right_b).sum()),
        probes=_rights,
        praise="Right: only such images can decide which of the two is better.",
        read=answers.number,
        setting=lambda right_a, right_b: f"for {len(right_a)} images,",
        mistakes=[
            *[Mistake(words, compute) for words, compute in {
                "These are all images on which A is right: leave out those on which B is right, too.":
                    lambda right_a, right_b: right_a.sum(),
                "These are all images on which B is right.": lambda right_a, right_b: right_b.sum(),
                "On these images both are right: B must be wrong, ~right_b.":
                    lambda right_a, right_b: (right_a & right_b).sum(),
                "On these images B alone is right: exchange the two.":
                    lambda right_a, right_b: (right_b & ~right_a).sum(),
                "On these images the two differ, whichever is right: those of A alone are expected.":
                    lambda right_a, right_b: (right_a != right_b).sum(),
                "`|` is *or*: A is right *and* B is not, so `&`.":
                    lambda right_a, right_b: (right_a | ~right_b).sum(),
                "On these images at least one of the two is right: A is right *and* B is not.":
                    lambda right_a, right_b: (right_a | right_b).sum(),
                "On these images both are wrong: A must be right.":
                    lambda right_a, right_b: (~right_a & ~right_b).sum(),
                "This is the lead, a − b: the images of B alone are not subtracted here.":
                    lambda right_a, right_b: right_a.sum() - right_b.sum(),
                "These are the images on which B is wrong: A must be right, too.":
                    lambda right_a, right_b: (~right_b).sum(),
                "This is a share of the images; their number is expected: sum().":
                    lambda right_a, right_b: (right_a & ~right_b).float().mean(),
            }.items()],
        ],
    ),
}  # fmt: skip
