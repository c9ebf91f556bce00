"""A photograph of one's own: a button that takes a file, and says in words what is wrong with it."""

import html

import ipywidgets as widgets

from helpers.labs.controls import Message
from helpers.photos import PhotoError, as_example, read_photo

LARGEST_FILE = 10_000_000  # bytes; Jupyter's server drops larger messages, and nobody is told


class Upload(widgets.HBox):
    """A button for the file of a photograph, and beside it a line in words.

    photo: the last photograph that could be read, (3, height, width) bytes, else None.
    """

    def __init__(self):
        self.photo, self._action = None, lambda image: None
        self.button = widgets.FileUpload(
            accept="image/*",
            description=f"your photograph, up to {LARGEST_FILE // 1_000_000} MB",
            layout=widgets.Layout(width="270px", flex="0 0 auto"),
        )
        self.message = Message(lines=0)
        self.message.say("best: one thing on a plain background, as JPEG or PNG")
        self.button.observe(self._on_upload, names="value")
        super().__init__([self.button, self.message])

    def on_photo(self, action):
        """Call `action(image)` for each photograph, with what a network takes of it: (1, 28, 28) bytes."""
        self._action = action

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
        self.message.say(f"{name}: taken as {width} pixels wide, {height} high")
        self._action(as_example(self.photo))
