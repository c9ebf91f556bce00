"""The past of a training run: which moments are kept, and what the network was like then (chapter 4)."""

from dataclasses import dataclass, field

import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from helpers.any_network import as_input, classes_of
from helpers.metrics import confusion_counts

MOMENTS, GHOST_MOMENTS = 40, 10  # kept of the latest run, and of each earlier one whose curve is shown
MOST_BYTES = 20_000_000  # for all of them together
ASKED = 1_000  # validation images, always the same ones
MOST_FILTERS = 16  # shown of a network


def steps_to_keep(total, most=MOMENTS):
    """The steps of a run after which its weights are kept: at most `most`, including the first and the last.

    Half of them are in the first twentieth of the run, where most happens, with growing distances.
    """
    if total < most:
        return list(range(total + 1))
    half, soon = (most - 2) // 2, total // 20
    early = [max(soon, 1) ** (i / half) for i in range(half)]
    late = [soon + (total - soon) * i / half for i in range(half + 1)]
    return sorted({0, *map(round, [*early, *late])})


@dataclass(eq=False)
class Moment:
    """The weights of a network after a step; answers: {name of the data: its classes of ASKED images}, once asked."""

    step: int
    epoch: float
    weights: torch.Tensor  # (parameters,) in half precision, on the network's device: copying waits for no GPU
    answers: dict = field(default_factory=dict)


class Past:
    """The moments of one run that are kept, the latest last.

    total: its steps; net: its network, not trained yet. Of a large network fewer are kept: half of MOST_BYTES.
    """

    def __init__(self, total, net):
        size = 2 * sum(parameter.numel() for parameter in net.parameters())
        most = min(MOMENTS, max(MOST_BYTES // 2 // size, 4))
        self.planned, self.moments = set(steps_to_keep(total, most)), []
        self.note(0, 0.0, net)

    def note(self, step, epoch, net):
        """Keep this moment if it is planned; called after every step, so it must be cheap."""
        self._now = step, epoch
        if step in self.planned:
            self.pause(net)

    def pause(self, net):
        """Keep the latest moment, even if it is not planned; it stays until the next one is kept."""
        step, epoch = self._now
        weights = parameters_to_vector(net.parameters()).detach().half()
        earlier = [moment for moment in self.moments if moment.step in self.planned and moment.step < step]
        self.moments = [*earlier, Moment(step, epoch, weights)]

    def thin(self, most):
        """Keep at most `most` moments, evenly chosen, including the first and the last."""
        last = len(self.moments) - 1
        places = [round(i * last / (most - 1)) for i in range(most)]
        self.moments = [self.moments[place] for place in sorted(set(places))] if last > 0 else self.moments

    def nearest(self, epoch):
        """The moment nearest to an epoch."""
        return min(self.moments, key=lambda moment: abs(moment.epoch - epoch))


def bytes_of(moments):
    """The memory of some moments, in bytes."""
    return sum(moment.weights.nbytes for moment in moments)


def forget(pasts, room):
    """Drop moments of earlier runs, the oldest first, until the rest fits into `room` bytes; pasts: oldest first."""
    for past in pasts:
        if sum(bytes_of(one.moments) for one in pasts) > room:
            past.moments = []


class LookBack:
    """What a page looks back at: a moment of the latest run and, if asked for, an earlier run at the same epoch.

    moment: its step, None for the latest; beside: the number of the earlier run, or None;
    image: which of the ASKED validation images the network sees; own: True if it sees the student's drawing instead;
    looking: False until a page asks for a picture.
    """

    def __init__(self):
        self.looking, self.moment, self.beside, self.image, self.own = False, None, None, 0, False

    def heard(self, move):
        """Take what concerns the past out of a page's move; True if there was anything."""
        said = {name: move.pop(name) for name in vars(self) if name in move}
        vars(self).update(said)
        return bool(said)

    def pairs(self, runs):
        """The moments that the slider reaches: each of the latest run, with that of the run beside it or None.

        An earlier run has kept few, and only moments that both have are compared.
        """
        moments = runs[-1].past.moments if runs and runs[-1].past else []
        other = self._other(runs)
        if not (moments and other):
            return [(moment, None) for moment in moments]
        return list({runs[-1].past.nearest(old.epoch): old for old in other.past.moments}.items())

    def _other(self, runs):
        return next((run for run in _with_a_past(runs[:-1]) if run.number == self.beside), None)

    def offers(self, runs):
        """What can be chosen: moments of the latest run, [step, epoch], and earlier runs, [number, name]."""
        others = [[run.number, run.name] for run in _with_a_past(runs[:-1])]
        return {"moments": [[moment.step, moment.epoch] for moment, _ in self.pairs(runs)], "others": others}

    def picture(self, runs, images, labels, names, network, drawing):
        """Arrays and facts, as `Living.draw` gives them; both are empty if no moment is kept.

        images, labels: for validation, of which ASKED are used; names: of the classes; network(settings): makes a
        network with a run's sizes; drawing: the student's, (channels, height, width) bytes, or None.
        """
        other = self._other(runs)  # before its moments, which a run that starts in its thread may drop
        pairs = self.pairs(runs)
        if not (self.looking and pairs):
            return {}, {}
        X, y = images[:ASKED], labels[:ASKED].cpu()
        last = pairs[-1][0].step
        moment, old = min(pairs, key=lambda pair: abs(pair[0].step - (last if self.moment is None else self.moment)))
        image = min(max(self.image, 0), len(X) - 1)
        seen, truth = X[image], names[int(y[image])]
        if self.own and drawing is not None:
            seen, truth = drawing, "your drawing"
        chosen = [("this run", runs[-1], moment)]
        if old:
            chosen.append((other.name, other, old))
        data, arrays, shown = runs[-1].settings["images"], {"look": seen}, []
        for i, (name, run, then) in enumerate(chosen):
            net = as_it_was(network(run.settings), then)
            if data not in then.answers:
                then.answers[data] = classes_of(net, X).byte()
            counts = confusion_counts(then.answers[data].long(), y, len(names))
            one = as_input(seen[None], net, then.weights.device)
            # The mean over the colours of a filter is what it does to grey.
            filters = net[0].weight[:MOST_FILTERS].mean(dim=1)
            arrays |= {f"filters{i}": filters, f"maps{i}": net[0](one)[0, :MOST_FILTERS]}
            # The root of the row's share: otherwise one mistake would vanish beside the many right answers.
            arrays[f"confusion{i}"] = (counts / counts.sum(dim=1, keepdim=True).clamp(min=1)).sqrt()
            words = in_words(net(one)[0].softmax(dim=0), counts, names)
            shown.append({"name": name, "step": then.step, "filters": net[0].out_channels, "words": words})
        facts = {"step": moment.step, "epoch": moment.epoch, "image": image, "own": self.own, "truth": truth}
        facts |= {"count": len(X), "shown": shown}
        if old:
            facts["beside"] = self.beside
            facts["agree"] = int((moment.answers[data] == old.answers[data]).sum())
        return arrays, facts


def _with_a_past(runs):
    return [run for run in runs if run.past and run.past.moments]


def as_it_was(net, moment):
    """`net` with the weights of a moment, in single precision, on their device; returns `net`."""
    vector_to_parameters(moment.weights.float(), net.to(moment.weights.device).parameters())
    return net.requires_grad_(False).eval()


def in_words(chances, counts, names):
    """What a network says of one image and of many, in two short lines; counts: as `confusion_counts` returns them."""
    best = int(chances.argmax())
    share = f"{chances[best]:.0%}" if chances.isfinite().all() else "its scores are infinite or NaN"
    wrong = counts.clone().fill_diagonal_(0)
    truth, said = divmod(int(wrong.argmax()), len(names))
    most = f"; {names[truth]} taken for {names[said]}: {int(wrong.max())} times" if wrong.any() else ""
    return [f"{names[best]} ({share})", f"{counts.diagonal().sum() / counts.sum():.1%} of {counts.sum():,} right{most}"]
