"""A photograph of one's own: a button that takes a file, and says in words what is wrong with it."""

import html

import ipywidgets as widgets

from helpers.labs.controls import Message, choice
from helpers.photos import INVERT, NOTHING, PhotoError, as_example, read_photo

LARGEST_FILE = 10_000_000  # bytes; Jupyter's server drops larger messages without a word


class Upload(widgets.HBox):
    """A button for the file of a photograph, a list that says whether to invert it, and beside them a line in words.

    prepare: a function such as `as_example`, of a photograph and whether to invert it, that returns what a network
    takes, (1, 28, 28) bytes. photo: the last photograph that could be read, (3, height, width) bytes, else None.
    """

    def __init__(self, prepare=as_example):
        self.photo, self._prepare, self._action = None, prepare, lambda image: None
        self.invert = choice("invert the photo", INVERT.keys())
        self.button = widgets.FileUpload(
            accept="image/*",
            description=f"your photograph, up to {LARGEST_FILE // 1_000_000} MB",
            layout=widgets.Layout(width="270px", flex="0 0 auto"),
        )
        self.message = Message(lines=0)
        self.message.say("best: one thing on a plain background, as JPEG or PNG")
        self.button.observe(self._on_upload, names="value")
        self.invert.observe(self._on_invert, names="value")
        super().__init__([self.button, self.invert, self.message])

    def on_photo(self, action):
        """Call `action(image)` for each photograph and when it is inverted; image: (1, 28, 28) bytes.

        It is all black if nothing stands out in the photograph.
        """
        self._action = action

    def _on_invert(self, change):
        if self.photo is not None:
            self._action(self._prepare(self.photo, INVERT[self.invert.value]))

    def _on_upload(self, change):
        if not change.new:
            return
        file = change.new[0]
        name = html.escape(file["name"][:24])
        # The browser's copy of the file must not end up in the notebook, and the same file may be chosen again.
        self.button.value = ()
        try:
            if len(file["content"]) > LARGEST_FILE:
                size = f"{len(file['content']) / 1e6:.1f} MB, more than {LARGEST_FILE // 1_000_000}"
                raise PhotoError(f"This file has {size}. Make the picture smaller, or take a screenshot of it.")
            self.photo = read_photo(file["content"])
        except PhotoError as error:
            self.message.say(f"{name}: {html.escape(str(error))}", trouble=True)
            return
        _, height, width = self.photo.shape
        image = self._prepare(self.photo, INVERT[self.invert.value])
        if image.any():
            self.message.say(f"{name}: taken as {width} pixels wide, {height} high")
        else:
            self.message.say(f"{name}: {NOTHING}", trouble=True)
        self._action(image)
