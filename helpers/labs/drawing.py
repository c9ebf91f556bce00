"""Chapter 5: draw something, and see what two networks make of it."""

import ipywidgets as widgets
from torch import nn

from helpers import plotting
from helpers.data import to_floats
from helpers.labs.live import Lab
from helpers.labs.pad import Pad
from helpers.labs.upload import Upload
from helpers.photos import NOTHING, as_digit
from helpers.training import measuring


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
        """Show the networks a photograph, (1, 28, 28) bytes, until somebody draws."""
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
        return f"{said}: they {'agree' if len(set(guesses.values())) == 1 else 'disagree'}."


def look_inside(net, image):
    """The maps that each convolution of `net` makes of an image, behind its activation, and its probabilities.

    net: an `nn.Sequential`, left in the mode it was in; image: (1, height, width) bytes. Returns a list of
    (channels, height, width) and (classes,), on the CPU.
    """
    X = to_floats(image[None].to(next(net.parameters()).device))
    maps, before = [], None
    with measuring(net):
        for layer in net:
            X = layer(X)
            if isinstance(before, nn.Conv2d):
                maps.append(X[0].cpu())
            before = layer
        return maps, X[0].softmax(dim=0).cpu()


def drawing(nets, class_names):
    """Draw on a pad, or upload a photograph, and see what networks make of it.

    nets: {name: network trained on such images}, each an `nn.Sequential`, two of them; class_names: one for each score.
    """
    return Drawing(nets, class_names)
