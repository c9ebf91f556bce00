"""Chapters 1 and 5: draw something, and see what networks make of it."""

import ipywidgets
import torch
import traitlets as t
from torch import nn
from torch.nn import functional as F

from helpers import plotting
from helpers.any_data import first_tensor
from helpers.any_network import as_input, first_number, measuring, refuse_scripted, refuse_unfit, shape_taken
from helpers.labs.cells import one_a_cell
from helpers.labs.living import Living, script
from helpers.labs.pad import Pad
from helpers.labs.upload import Upload
from helpers.photos import NOTHING, as_digit
from helpers.plotting.drawing import MOST_MAPS, likeliest, maps_title, stretched

DRAWN, PHOTOGRAPHED = "your drawing", "your photograph"
EMPTY = "Draw with a pen, a finger or the mouse. (The networks must answer even for an empty image.)"


class Drawing(Living):
    """A pad to draw on, or a photograph, and what each network says of it while the pen moves.

    `seen` is what the networks see, (1, 28, 28) bytes.
    """

    NAME = "drawing"
    _esm = script("drawing.js")
    pad, upload = (t.Instance(ipywidgets.Widget).tag(sync=True, **ipywidgets.widget_serialization) for _ in range(2))

    def __init__(self, nets, class_names):
        self.nets, self.class_names, self.shape = nets, list(class_names), shape_taken(nets)
        pad, upload = Pad(), Upload(as_digit)
        pad.example.value = "7"
        self.seen, self.source = pad.digit(), DRAWN
        super().__init__({"invert": upload.invert, "example": pad.example}, pad=pad, upload=upload)
        pad.on_drawing(self.see)
        upload.on_photo(self.see_photo)

    def see(self, image, source=DRAWN):
        """Show the networks an image, (1, 28, 28) bytes."""
        self.seen, self.source = image, source
        with self.hold_sync():
            self.redraw()

    def see_photo(self, image):
        """Show the networks a photograph, (1, 28, 28) bytes, until the student draws."""
        with self.hold_sync():
            self.pad.clear(PHOTOGRAPHED)
            self.see(image, PHOTOGRAPHED)

    def show_network(self, net, name="yours"):
        """Show the image to another network, which replaces the one of that name."""
        self.nets = {**self.nets, name: net}
        self.redraw()

    def look(self):
        """What the networks say of the image: chances, {name: (classes,)}, and maps, [(channels, rows, columns)]."""
        chances, maps = {}, []
        for name, net in self.nets.items():
            found, chances[name] = look_inside(net, as_taken(self.seen, self.shape))
            maps = maps or found
        return chances, maps[:2]

    def draw(self, **controls):
        """What the networks see and say, and a line of text."""
        chances, maps = self.look()
        shown = likeliest(chances)
        arrays = {"image": as_taken(self.seen, self.shape)[0], "chances": torch.stack(list(chances.values()))[:, shown]}
        arrays |= {f"maps{i}": (255 * stretched(found[:MOST_MAPS])).byte() for i, found in enumerate(maps)}
        facts = {"networks": list(chances), "classes": [self.class_names[i] for i in shown], "source": self.source}
        facts["titles"] = [maps_title(i, found) for i, found in enumerate(maps)]
        return arrays, facts, self._say(chances)

    def still(self, **controls):
        """The same as a still picture."""
        return plotting.opinions(as_taken(self.seen, self.shape), *self.look(), self.class_names)

    def _say(self, chances):
        if not self.seen.any():
            return EMPTY if self.source == DRAWN else NOTHING
        guesses = {name: self.class_names[int(values.argmax())] for name, values in chances.items()}
        said = ", ".join(f"{name} says {guess} with {chances[name].max():.0%}" for name, guess in guesses.items())
        said = said if self.source == DRAWN else f"Your photograph: {said}"
        if len(guesses) == 1:
            return f"{said}."
        return f"{said}: they {'agree' if len(set(guesses.values())) == 1 else 'disagree'}."


def as_taken(image, shape):
    """An image, (1, 28, 28) bytes, for networks that take images of `shape`, (channels, height, width)."""
    if image.shape[1:] != shape[1:]:
        image = F.interpolate(image[None].float(), shape[1:], mode="bilinear", antialias=True)[0].round().byte()
    return image.expand(shape)


def look_inside(net, image):
    """The maps that the convolutions of `net` make of an image, after their activations, and its probabilities.

    net: any network, which is not changed; image: (1, height, width) bytes. Returns a list of (channels, height, width)
    and (classes,), on the CPU. An activation that is not a layer but a function call in `forward` is not seen.
    """
    refuse_scripted(net)
    called, X = [], as_input(image[None], net, first_number(net).device)
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output: called.append((layer, first_tensor(output))))
        for layer in net.modules()
        if not list(layer.children())
    ]
    try:
        with measuring(net):
            scores = net(X)
    finally:
        for hook in hooks:
            hook.remove()
    maps = []
    for (layer, output), (_, after) in zip(called, [*called[1:], (None, None)], strict=False):
        if isinstance(layer, nn.Conv2d):
            activated = after is not None and after.shape == output.shape
            maps.append((after if activated else output)[0].cpu().float())
    return maps, scores[0].softmax(dim=0).cpu().float()  # NumPy knows no bfloat16


@one_a_cell
def drawing(nets, class_names):
    """Draw on a pad, or upload a photograph, and see what networks say it is (chapter 5).

    nets: {name: network trained on such images}, one or two of them; class_names: one for each score. Raises
    ShapeError, with a message for the student, for networks that do not give a score for each class.
    """
    refuse_unfit(nets, torch.zeros(shape_taken(nets), dtype=torch.uint8), len(class_names), 1, 2)
    return Drawing(nets, class_names)
