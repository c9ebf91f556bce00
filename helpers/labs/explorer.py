"""Chapter 1: leaf through a data set, see the numbers behind its images, and bring a photograph of your own."""

import io

import ipywidgets
import torch
import traitlets as t
from matplotlib.cbook import get_sample_data
from PIL import Image

from helpers import plotting
from helpers.errors import ShapeError
from helpers.labs.cells import one_a_cell
from helpers.labs.living import Living, script
from helpers.labs.settings import Choice, Place, Slider
from helpers.labs.upload import Upload
from helpers.photos import INVERT, LAST_STEP, NOTHING, photo_steps, read_photo

VIEWS = {  # and the settings that apply to each
    "images": ("class_name", "place", "number", "seed"),
    "numbers": ("class_name", "place", "seed"),
    "counts and means": ("class_name",),
    "own photo": (),  # its settings belong to the button for the photograph
}
MOST_IMAGES, HIGHEST_SEED = 30, 99
LONGEST = 240  # pixels of a photograph on the page


class Explorer(Living):
    """Images of a data set, the numbers of one, a summary of the classes, and a photograph on its way to such an image.

    data: an `ImageData`. A click on an image shows its numbers.
    """

    NAME = "explorer"
    _esm = script("explorer.js")
    upload = t.Instance(ipywidgets.Widget).tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(self, data):
        self.images, upload = data, Upload()
        self.counts = data.train_labels.bincount(minlength=len(data.class_names))
        of_class = (data.train_images[data.train_labels == label] for label in range(len(data.class_names)))
        self.means = torch.stack([images.float().mean(dim=0) for images in of_class])  # (classes, channels, 28, 28)
        with open(get_sample_data("Minduka_Present_Blue_Pack.png", asfileobj=False), "rb") as file:
            self.example_photo = read_photo(file.read())
        controls = {
            "view": Choice("view", list(VIEWS)),
            "class_name": Choice("class", ["all", *data.class_names]),
            "place": Place("which image", 0, 0, len(data.train_labels) - 1),
            "number": Slider("number of images", MOST_IMAGES, 1, MOST_IMAGES),
            "seed": Slider("seed", 0, 0, HIGHEST_SEED),
            "invert": upload.invert,
        }
        super().__init__(controls, upload=upload)
        upload.on_photo(lambda image: self.board.move({"view": "own photo"}))

    def draw(self, view, **values):
        """What the view shows; only the settings that apply to it are beside it."""
        for name in self.controls.keys() - {"view", "invert"}:
            self.controls[name].shown = name in VIEWS[view]
        if view != "own photo":
            self.upload.invite()  # so that no old refusal is there when the next photograph is chosen
        show = {"images": self._grid, "numbers": self._numbers, "counts and means": self._classes}
        arrays, facts, text = show.get(view, self._own_photo)(**values)
        return arrays, {"view": view, **facts}, text

    def still(self, class_name, place, number, seed, **others):
        """The images as a still picture."""
        shown = self.places(class_name, seed)[place:][:number]
        return plotting.examples(self.images.train_images[shown], shown.tolist(), self._names(shown))

    def places(self, class_name, seed):
        """The places in the training set of all images of a class, or of all classes, in the order of the seed."""
        places = torch.arange(len(self.images.train_labels))
        if class_name != "all":
            places = places[self.images.train_labels == self.images.class_names.index(class_name)]
        if not len(places):
            raise ShapeError(f"There are no training images of class “{class_name}”: choose another class.")
        if seed:
            places = places[torch.randperm(len(places), generator=torch.Generator().manual_seed(seed))]
        return places

    def _from(self, class_name, place, seed, leap):
        """The places from number `place` on, and how many there are in all."""
        places = self.places(class_name, seed)
        self.controls["place"].max, self.controls["place"].leap = len(places) - 1, leap
        return places[min(place, len(places) - 1) :], len(places)

    def _names(self, places):
        return [self.images.class_names[label] for label in self.images.train_labels[places]]

    def _grid(self, class_name, place, number, seed, **others):
        places, total = self._from(class_name, place, seed, number)
        shown = places[:number]
        of_class = "" if class_name == "all" else f" of class “{class_name}”"
        order = f"shuffled with seed {seed}" if seed else "in the file's order"
        text = f"{len(shown)} of {total:,} training images{of_class}, {order}. Click on one to see its numbers."
        facts = {"place": total - len(places), "places": shown.tolist(), "names": self._names(shown)}
        return {"images": self.images.train_images[shown]}, facts, text

    def _numbers(self, class_name, place, seed, **others):
        shown = self._from(class_name, place, seed, 1)[0][:1]
        (image,), (name,), number = self.images.train_images[shown], self._names(shown), int(shown)
        channels, height, width = image.shape
        values = image[0].float()
        colours = ", of red; green and blue have as many" if channels == 3 else ""
        known = [
            f"{height}×{width} = {height * width} numbers{colours}",
            f"smallest {int(values.min())}, largest {int(values.max())}",
            f"mean {values.mean():.1f}",
            f"{(values == 0).float().mean():.0%} are 0",
        ]
        label = self.images.class_names.index(name)
        text = f"Training image #{number} has label {label}, “{name}”. 0 is black, 255 is white."
        return {"image": image}, {"title": f"#{number}, {name}", "known": known}, text

    def _classes(self, class_name, **others):
        names = self.images.class_names
        fewest, most = int(self.counts.argmin()), int(self.counts.argmax())
        text = (
            f"{self.counts.sum():,} training images: from {self.counts[fewest]:,} ({names[fewest]}) to "
            f"{self.counts[most]:,} ({names[most]}). A mean image is the mean of its class, pixel by pixel."
        )
        chosen = -1 if class_name == "all" else names.index(class_name)
        facts = {"names": list(names), "counts": self.counts.tolist(), "chosen": chosen}
        return {"images": self.means.nan_to_num().round().byte()}, facts, text

    def _own_photo(self, invert, **others):
        steps = photo_steps(self.example_photo if self.upload.photo is None else self.upload.photo, INVERT[invert])
        whose = "An example, until you choose your photograph" if self.upload.photo is None else "Your photograph"
        mean = "Each of the 28×28 pixels is the mean of the photograph's pixels that it covers."
        text = f"{whose}. Inverted is 255 − grey. {mean}"
        if not steps[LAST_STEP].any():
            text = NOTHING
        sizes = (f"{title}, {image.shape[-2]}×{image.shape[-1]}" for title, image in steps.items())
        titles = [f"{number}. {size}" for number, size in enumerate(sizes, start=1)]
        *before, last = steps.values()
        arrays = {f"step{i}": as_jpeg(image) for i, image in enumerate(before)}
        return {**arrays, "image": last}, {"titles": titles}, text


def as_jpeg(image):
    """An image, (1 or 3, height, width) bytes, as a JPEG file of at most 240 pixels a side: its bytes."""
    picture, file = Image.fromarray(image.movedim(0, -1).squeeze(-1).numpy()), io.BytesIO()
    picture.thumbnail((LONGEST, LONGEST))
    picture.save(file, "JPEG", quality=85)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


@one_a_cell
def explorer(data):
    """Choose images by class, place and seed; see the numbers of one, counts and means; bring a photograph (chapter 1).

    data: an `ImageData`.
    """
    return Explorer(data)
