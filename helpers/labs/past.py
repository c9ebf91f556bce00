"""The past of a training run: which moments are kept, and what the network was like then (chapter 4)."""

from dataclasses import dataclass, field

import torch
import traitlets as t
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from helpers.any_network import as_input, classes_of
from helpers.labs.board import BoardError
from helpers.labs.settings import Setting
from helpers.labs.typed import readings
from helpers.metrics import confusion_counts

MOMENTS, GHOST_MOMENTS = 40, 10  # kept of the latest run, and of each earlier one whose curve is shown
MOST_BYTES = 20_000_000  # for all of them together
ASKED = 1_000  # validation images, always the same ones
MOST_FILTERS = 16  # shown of a network
LATEST = "latest"  # in a board line: the end of a run, where a look back begins


class LookedAt(Setting):
    """The step of the run that a page looks back at, in the board line; None at its end. The picture sets it."""

    value = t.Int(None, allow_none=True)

    def __init__(self):
        super().__init__(description="moment", shown=False)

    def word(self):
        """The step, or `LATEST`."""
        return LATEST if self.value is None else str(self.value)

    def meaning(self, name, said):
        """The step in a word of a board line. Raises BoardError."""
        if said.lower() == LATEST:
            return None
        for number in readings(said)[:1]:
            if 0 <= number < 1e9 and number.is_integer():
                return int(number)
        raise BoardError(f"{name}={said[:40]} is not possible: give a step of the run, {name}=12, or {name}={LATEST}")


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
    weights: torch.Tensor  # all `_numbers` in half precision, on the network's device: copying waits for no GPU
    answers: dict = field(default_factory=dict)


class Past:
    """The moments of one run that are kept, the latest last.

    total: its steps; net: its network, not trained yet. Of a large network fewer are kept: half of MOST_BYTES.
    """

    def __init__(self, total, net):
        size = 2 * sum(part.numel() for part in _numbers(net))
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
        weights = parameters_to_vector(_numbers(net)).detach().half()
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
        """What can be chosen: moments of the latest run, [step, epoch] each, and earlier runs, [number, title]."""
        others = [[run.number, run.title] for run in _with_a_past(runs[:-1])]
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
            chosen.append((other.title, other, old))
        data, arrays, shown = runs[-1].settings["images"], {"look": seen}, []
        for i, (name, run, then) in enumerate(chosen):
            net = as_it_was(network(run.settings), then)
            if data not in then.answers:
                then.answers[data] = classes_of(net, X).byte()
            counts = confusion_counts(then.answers[data].long(), y, len(names))
            one = as_input(seen[None], net, then.weights.device)
            scores, filters, maps = _opened(net, one)
            arrays |= {f"filters{i}": filters[:MOST_FILTERS], f"maps{i}": maps[:MOST_FILTERS]}
            # The root of the row's share: otherwise one mistake would vanish beside the many right answers.
            arrays[f"confusion{i}"] = (counts / counts.sum(dim=1, keepdim=True).clamp(min=1)).sqrt()
            words = in_words(scores[0].softmax(dim=0), counts, names)
            shown.append({"name": name, "step": then.step, "filters": len(filters), "words": words})
        facts = {"step": moment.step, "epoch": moment.epoch, "image": image, "own": self.own, "truth": truth}
        facts |= {"count": len(X), "shown": shown}
        if old:
            facts["beside"] = self.beside
            facts["agree"] = int((moment.answers[data] == old.answers[data]).sum())
        return arrays, facts


def _with_a_past(runs):
    return [run for run in runs if run.past and run.past.moments]


def _numbers(net):
    """All that training changes in a network: its weights, and what batch normalisation has seen."""
    return [*net.parameters(), *(buffer for buffer in net.buffers() if buffer.is_floating_point())]


def as_it_was(net, moment):
    """`net` with the weights of a moment, in single precision, on their device; returns `net`."""
    vector_to_parameters(moment.weights.float(), _numbers(net.to(moment.weights.device)))
    return net.requires_grad_(False).eval()


def _opened(net, one):
    """The scores of a network for a batch of one image, its first filters, and what each makes of the image.

    A network of one's own may begin with a dense layer: its weights are shown as images, one for each unit.
    """
    first, outputs = next((part for part in net.modules() if isinstance(part, (nn.Conv2d, nn.Linear))), None), []
    if first is None:
        return net(one), torch.zeros(0, 1, 1), torch.zeros(0, 1, 1)
    watch = first.register_forward_hook(lambda part, given, output: outputs.append(output[0]))
    scores = net(one)
    watch.remove()
    if isinstance(first, nn.Conv2d):
        return scores, first.weight.mean(dim=1), outputs[0]  # for colour images, the mean: what it makes of grey
    shape = one.shape[1:] if first.in_features == one.numel() else (1, 1, first.in_features)
    return scores, first.weight.view(-1, *shape).mean(dim=1), outputs[0].view(-1, 1, 1)


def in_words(chances, counts, names):
    """What a network says of one image and of many, in two short lines; counts: as `confusion_counts` returns them."""
    best = int(chances.argmax())
    share = f"{chances[best]:.0%}" if chances.isfinite().all() else "its scores are infinite or NaN"
    wrong = counts.clone().fill_diagonal_(0)
    truth, said = divmod(int(wrong.argmax()), len(names))
    most = f"; {names[truth]} taken for {names[said]}: {int(wrong.max())} times" if wrong.any() else ""
    return [f"{names[best]} ({share})", f"{counts.diagonal().sum() / counts.sum():.1%} of {counts.sum():,} right{most}"]
