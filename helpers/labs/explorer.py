"""Chapter 1: leaf through a data set, see the numbers behind its images, and bring a photograph of one's own."""

import torch
from matplotlib.cbook import get_sample_data

from helpers import plotting
from helpers.errors import ShapeError
from helpers.labs.cells import one_a_cell
from helpers.labs.controls import choice, slider
from helpers.labs.lab import Lab
from helpers.labs.upload import Upload
from helpers.photos import INVERT, LAST_STEP, NOTHING, photo_steps, read_photo

VIEWS = {  # and the controls that each of them answers to
    "images": ("class_name", "place", "number", "seed"),
    "numbers": ("class_name", "place", "seed"),
    "counts and means": ("class_name",),
    "own photo": ("invert",),
}
MOST_IMAGES, HIGHEST_SEED = 30, 99


@one_a_cell
def explorer(data):
    """Choose images by class, place and seed, see the numbers of one, counts and means, or bring a photograph.

    data: an `ImageData`.
    """
    return Explorer(data)


class Explorer(Lab):
    """The lab that `explorer` makes. A click on an image shows its numbers, and a click on them all images again."""

    def __init__(self, data):
        self.data, self.upload = data, Upload()
        self.counts = data.train_labels.bincount(minlength=len(data.class_names))
        of_class = (data.train_images[data.train_labels == label] for label in range(len(data.class_names)))
        self.means = torch.stack([images.float().mean(dim=0)[0] for images in of_class])  # (classes, 28, 28)
        with open(get_sample_data("Minduka_Present_Blue_Pack.png", asfileobj=False), "rb") as file:
            self.example_photo = read_photo(file.read())
        controls = {
            "view": choice("view", VIEWS.keys()),
            "class_name": choice("class", ["all", *data.class_names]),
            "place": slider("which image", 0, 0, len(data.train_labels) - 1),
            "number": slider("number of images", MOST_IMAGES, 1, MOST_IMAGES),
            "seed": slider("seed", 0, 0, HIGHEST_SEED),
            "invert": self.upload.invert,
        }
        super().__init__("explorer", self.draw_view, controls, above=[self.upload])
        self.picture.on_click(self.zoom)
        self.upload.on_photo(lambda image: self.board.move({"view": "own photo"}))

    def draw_view(self, view, class_name, place, number, seed, invert):
        """The figure and the text for the controls' values."""
        for name in self.controls.keys() - {"view"}:
            self.controls[name].disabled = name not in VIEWS[view]
        if view != "own photo":
            self.upload.invite()  # no refusal of a file stands in the views that need none
        if view == "counts and means":
            return self._counts_and_means(class_name)
        if view == "own photo":
            return self._own_photo(invert)
        places = self._places(class_name, seed)
        self.controls["place"].max = len(places) - 1
        place = min(place, len(places) - 1)
        if view == "numbers":
            return self._numbers(int(places[place]))
        shown = places[place : place + number]
        names = [self.data.class_names[label] for label in self.data.train_labels[shown]]
        of_class = "" if class_name == "all" else f" of class “{class_name}”"
        order = f"shuffled with seed {seed}" if seed else "in the file's order"
        text = f"{len(shown)} of {len(places):,} training images{of_class}, {order}. Click on one to see its numbers."
        return plotting.examples(self.data.train_images[shown], shown.tolist(), names), text

    def _places(self, class_name, seed):
        """The places in the training set of all images of a class, or of all classes, in the order of a seed."""
        places = torch.arange(len(self.data.train_labels))
        if class_name != "all":
            places = places[self.data.train_labels == self.data.class_names.index(class_name)]
        if not len(places):
            raise ShapeError(f"There are no training images of class “{class_name}”: choose another class.")
        if seed:
            places = places[torch.randperm(len(places), generator=torch.Generator().manual_seed(seed))]
        return places

    def _numbers(self, place):
        label = int(self.data.train_labels[place])
        name = self.data.class_names[label]
        text = f"Training image #{place} has label {label}, “{name}”. 0 is black, 255 is white. A click leads back."
        return plotting.pixel_numbers(self.data.train_images[place], f"#{place}, {name}"), text

    def _counts_and_means(self, class_name):
        names = self.data.class_names
        chosen = None if class_name == "all" else names.index(class_name)
        fewest, most = int(self.counts.argmin()), int(self.counts.argmax())
        text = (
            f"{self.counts.sum():,} training images: from {self.counts[fewest]:,} ({names[fewest]}) to "
            f"{self.counts[most]:,} ({names[most]}). A mean image is the mean of its class, pixel by pixel."
        )
        return plotting.counts_and_means(self.counts, self.means, names, chosen), text

    def _own_photo(self, invert):
        steps = photo_steps(self.example_photo if self.upload.photo is None else self.upload.photo, INVERT[invert])
        whose = "An example, until you choose your photograph" if self.upload.photo is None else "Your photograph"
        text = f"{whose}. Inverted is 255 − grey. Each of the 28×28 pixels is the mean of those that lie under it."
        if not steps[LAST_STEP].any():
            text = NOTHING
        return plotting.photo_to_example(steps), text

    def zoom(self, x, y):
        """Answer a click at (x, y), pixels of the picture."""
        values = self.board.values()
        if values["view"] == "numbers":
            self.board.move({"view": "images"})
        if values["view"] == "images":
            count = min(values["number"], self.controls["place"].max + 1 - values["place"])
            clicked = plotting.example_at(x, y, count, self.data.train_images.shape[-1])
            if clicked is not None:
                self.board.move({"view": "numbers", "place": values["place"] + clicked})
