"""Chapter 5: draw something, and see what two networks make of it."""

import ipywidgets as widgets
import torch
from torch import nn

from helpers import plotting
from helpers.any_data import first_tensor
from helpers.any_network import as_input, first_number, measuring, refuse_scripted, refuse_unfit
from helpers.labs.cells import one_a_cell
from helpers.labs.lab import Lab
from helpers.labs.pad import Pad
from helpers.labs.upload import Upload
from helpers.photos import NOTHING, as_digit


class Drawing(Lab):
    """A pad to draw on, or a photograph, and what each network says of it while the pen moves."""

    def __init__(self, nets, class_names):
        self.nets, self.class_names = nets, class_names
        self.pad, self.upload = Pad(), Upload(as_digit)
        self.pad.example.label = "7"
        self.seen = self.pad.digit()
        super().__init__("drawing", self.look, {"invert": self.upload.invert, "example": self.pad.example})
        self.pad.on_drawing(self.see)
        self.upload.on_photo(self.see_photo)
        folded = widgets.Accordion([self.upload], titles=["A photograph instead"])
        left = widgets.VBox([self.pad], layout=widgets.Layout(width="300px", flex="0 0 auto"))
        right = widgets.VBox([self.message, self.picture])
        self.children = [widgets.HBox([left, right], layout=widgets.Layout(grid_gap="20px")), folded, self.board]

    def see(self, image):
        """Show the networks what stands on the pad now; image: (1, 28, 28) bytes."""
        self.seen = image
        if not self.pad.example.value:  # an example is a control: when it moves, the lab draws by itself
            self.redraw()

    def see_photo(self, image):
        """Show the networks a photograph, (1, 28, 28) bytes, until someone draws."""
        self.pad.clear()
        self.see(image)
        if not image.any():
            self.message.say(NOTHING, trouble=True)

    def look(self, **controls):
        """The picture of what the networks say, and a line of text."""
        chances, maps = {}, []
        for name, net in self.nets.items():
            found, chances[name] = look_inside(net, self.seen)
            maps = maps or found
        return plotting.opinions(self.seen, chances, maps, self.class_names), self._say(chances)

    def _say(self, chances):
        if not self.seen.any():
            return "Draw with the mouse or a finger. (Even of an empty image the networks must say something.)"
        guesses = {name: self.class_names[int(values.argmax())] for name, values in chances.items()}
        said = ", ".join(f"{name} says {guess} with {chances[name].max():.0%}" for name, guess in guesses.items())
        if len(guesses) == 1:
            return f"{said}."
        return f"{said}: they {'agree' if len(set(guesses.values())) == 1 else 'disagree'}."


def look_inside(net, image):
    """The maps that each convolution of `net` makes of an image, behind its activation, and its probabilities.

    net: any network, left as it was; image: (1, height, width) bytes. Returns a list of (channels, height, width) and
    (classes,), on the CPU. An activation that is no layer of its own, but a function in `forward`, is not seen.
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
    """Draw on a pad, or upload a photograph, and see what networks make of it.

    nets: {name: network trained on such images}, one or two of them; class_names: one for each score. Raises
    ShapeError, in words, for networks that do not give a score for each class.
    """
    refuse_unfit(nets, torch.zeros(1, 28, 28, dtype=torch.uint8), len(class_names), 1, 2)
    return Drawing(nets, class_names)
