"""Chapter 1: leaf through a data set."""

from helpers import plotting
from helpers.labs.controls import choice, slider
from helpers.labs.live import Lab


def explorer(data):
    """Choose a class, a place in it and a number of images; data: an `ImageData`."""

    def draw(class_name, first, number):
        label = data.class_names.index(class_name)
        places = (data.train_labels == label).nonzero().flatten()[first : first + number]
        figure = plotting.images(
            data.train_images[places],
            [f"#{int(place)}" for place in places],
            columns=10,
            alt=f"Images of class {class_name}",
        )
        return (
            figure,
            f"{len(places)} training images of class {label}, “{class_name}”, with their place in the set",
        )

    fewest = int(data.train_labels.bincount().min())
    return Lab(
        "explorer",
        draw,
        {
            "class_name": choice("class", data.class_names),
            "first": slider("first image", 0, 0, fewest - 30),
            "number": slider("number of images", 20, 10, 30, 10),
        },
    )
