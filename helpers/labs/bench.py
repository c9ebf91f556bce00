"""Chapters 3 to 5: one network that several labs share, to build it, train it, open it up and draw for it."""

import copy
import weakref
from typing import ClassVar

import torch
from IPython.display import display

from helpers.any_network import refuse_unfit
from helpers.checks.verdict import wrong
from helpers.data import train_validation_split
from helpers.errors import ShapeError
from helpers.labs.cells import one_a_cell
from helpers.labs.drawing import drawing
from helpers.labs.microscope import microscope
from helpers.labs.recipe import renewed, sizes_of
from helpers.labs.settings import Choice
from helpers.labs.shapes import Shapes, shapes
from helpers.labs.trainer import Trainer
from helpers.labs.versus import Versus
from helpers.own_net import example, load_own_net, save_own_net

LAYERS = ("kernel", "channels", "padding", "activation", "pooling")  # what the trainer alone would let a hand set
SEEN = 100  # validation images under the microscope


class Bench:
    """A network and the labs that show it, in any cells; when one of them changes it, the others follow.

    net: the network, with the weights of the latest run; number: how many networks there have been.
    References to labs are weak, so that a lab that is closed, or made again in its cell, can be freed.
    """

    def __init__(self, data, net):
        self.data, self.net, self.number, self._labs = data, None, 0, weakref.WeakSet()
        self.take(net)

    def take(self, net, source=None):
        """Show another network in all labs; the trainer starts a new run of it. Raises ShapeError if it does not fit.

        net: an `nn.Module` that gives a score for each class of the data; source: a lab that shows it already, or None.
        """
        classes = len(self.data.class_names)
        refuse_unfit({"the network": net}, self.data.train_images[0], classes, 1, 1)
        trainers = [lab for lab in self._open() if isinstance(lab, BenchTrainer)]
        for lab in trainers:
            lab.cancel()  # first: the old run must not bring its weights into labs that already show the new network
        self.net, self.number = net, self.number + 1
        self._show([lab for lab in self._open() if lab not in trainers and lab is not source])
        self._show(trainers)  # last: a new run brings its weights from another thread

    def trained(self, net):
        """Show the network with a run's new weights, as a copy, because the run goes on changing it."""
        self.net = copy.deepcopy(net).cpu()
        self._show([lab for lab in self._open() if not isinstance(lab, (BenchTrainer, Shapes))])

    def save(self):
        """Save the layers with `save_own_net`, for the next chapter and the next day; returns its verdict.

        Weights are not saved: chapters 4 and 5 compare networks that start from scratch, and a run takes seconds. The
        trainer's Save and Load keep the weights of a run, in a file that you name.
        """
        return save_own_net(self.net)

    def shapes(self):
        """The lab in which the network is built (chapter 3)."""
        lab = self._join(shapes())
        lab.image_size = self.data.train_images.shape[-1]
        self._show([lab])
        lab.board.text.observe(lambda _: self._follow(lab), "value")
        return lab

    def trainer(self, num_epochs=5):
        """The training lab of chapter 4 for this network; its sliders change only the training."""
        return self._join(bench_trainer(self, num_epochs))

    def microscope(self):
        """The microscope of chapter 4, with validation images."""
        images = self.data.train_images[:10_000]
        _, _, X, _ = train_validation_split(images, self.data.train_labels[:10_000], max(1, len(images) // 10))
        return self._made(microscope, self.net, X[:SEEN], self.data.class_names)

    def versus(self, rival, name="MLP"):
        """The lab of chapter 5: this network against a trained one; other conditions train its layers and an MLP."""
        return self._made(bench_versus, {"yours": self.net, name: rival}, self.data)

    def drawing(self):
        """Draw, and see what the network says (chapter 5)."""
        return self._made(drawing, {"yours": self.net}, self.data.class_names)

    def close(self):
        """A new bench replaces this one: the labs no longer change, and say so."""
        for lab in self._open():
            lab.message.say("A new bench has replaced the one of this lab: run this cell again, too.", trouble=True)
        self._labs.clear()

    def layers(self):
        """A copy of the network as it is now."""
        return copy.deepcopy(self.net).cpu()

    def _open(self):
        return [lab for lab in self._labs if lab.comm is not None]

    def _join(self, lab):
        self._labs.add(lab)
        if any(isinstance(other, BenchTrainer) for other in self._open()):
            for builder in (other for other in self._open() if isinstance(other, Shapes)):
                for control in builder.controls.values():
                    control.patient = True  # otherwise a run would begin at each place that the hand passes
        return lab

    def _made(self, make, *args):
        """A lab that joins the bench, or a message if it cannot show the network."""
        try:
            return self._join(make(*args))
        except ShapeError as error:
            return wrong(f"This lab cannot show the bench's network: {error}.")

    def _show(self, labs):
        for lab in labs:
            try:
                lab.show_network(self.net)
            except Exception as error:  # any network: none may end a run, or stop the other labs
                lab.message.say(f"The bench has a network that this lab cannot show: {error}.", trouble=True)

    def _follow(self, lab):
        """Take the network that a hand has built; the same layers again are ignored, which ends circular calls."""
        if lab not in self._open() or lab.message.trouble:
            return
        net = lab.network()
        if repr(net) == repr(self.net):
            return
        try:
            self.take(net, source=lab)
        except ShapeError:
            size, classes = self.data.train_images.shape[-1], len(self.data.class_names)
            fits = f"a network for these data takes images of {size}×{size} and gives {classes} scores"
            lab.message.say(f"{lab.message.value}.\nThe other labs keep their last network: {fits}.")


class BenchTrainer(Trainer):
    """The training lab for the network of a bench, without settings for the layers."""

    presets: ClassVar = {}  # these are for LeNets

    def __init__(self, bench, num_epochs):
        self.bench, self.network = bench, bench.layers()
        super().__init__(bench.data, num_epochs)
        self.preset.shown = False

    def offered(self, num_epochs):
        """The settings of the training, and the network, which cannot be set by hand here."""
        controls = {name: each for name, each in super().offered(num_epochs).items() if name not in LAYERS}
        return controls | {"net": Choice("network", {"of the bench": self.network}, shown=False)}

    def show_network(self, _):
        """Train the bench's new network."""
        self.network = self.begun_with["net"] = self.bench.layers()
        self.controls["net"].options = (("of the bench", self.network),)
        self.board.move({"net": self.network, "moment": None})

    def _begin(self, net, settings, val_iter):
        super()._begin(net, settings, val_iter)
        self.runs[-1].line += f" net={self.bench.number}"  # to tell rows and grey curves apart

    def _network(self, settings):
        """The layers with new weights, decided by the seed."""
        with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers go on as if nothing had happened
            torch.manual_seed(settings["seed"])
            return renewed(settings["net"])

    def present(self):
        """As the training lab, in its run's thread between two steps; also shows the weights in the other labs."""
        super().present()
        if self.net is not None:
            self.bench.trained(self.net)

    def result_text(self):
        """No line: the class experiment compares networks by one kernel size and one width."""
        return ""


@one_a_cell
def bench_trainer(bench, num_epochs):
    """The training lab of a bench."""
    return BenchTrainer(bench, num_epochs)


@one_a_cell
def bench_versus(rivals, data):
    """The lab of two networks, of which the first is that of a bench."""
    refuse_unfit(rivals, data.train_images[0], len(data.class_names), 2, 2)
    return Versus(rivals, data, own="yours")


@one_a_cell
def bench(data, net=None):
    """One network for several labs: `bench.shapes()`, `trainer()`, `microscope()`, `versus(rival)` and `drawing()`.

    Chapters 3 to 5. data: an `ImageData`; net: the network, by default the one that `save_own_net` saved last, or the
    course's example; the bench says which. Made again in its cell, it replaces the old one. Raises ShapeError if `net`
    does not give a score for each class of the data.
    """
    if net is not None:
        return Bench(data, net)
    try:
        return Bench(data, load_own_net())
    except ShapeError as error:
        instead = "That network does not fit these images, so the course's example is used in their size"
        display(wrong(f"{instead}: {error}."))
        return Bench(data, example(**sizes_of(data)))
