"""A photograph of your own: a button that takes a file, or says what is wrong with it."""

import anywidget
import traitlets as t

from helpers.labs.living import CSS, alone
from helpers.labs.settings import Choice, Words
from helpers.photos import INVERT, LONGEST_SIDE, NOTHING, PhotoError, as_example, read_photo


class Upload(anywidget.AnyWidget):
    """A button for the file of a photograph, a list that says whether to invert it, and a message beside them.

    The browser shrinks a large photograph before sending it.

    prepare: a function such as `as_example`: given a photograph and whether to invert it, it returns the image for a
    network, (1, 28, 28) bytes. photo: the last photograph that could be read, (3, height, width) bytes, or None.
    """

    _esm, _css = alone("upload.js", "makeUpload"), CSS
    longest, ways = t.Int(LONGEST_SIDE).tag(sync=True), t.List(list(INVERT)).tag(sync=True)
    inverted = t.Unicode().tag(sync=True)
    said = t.Dict().tag(sync=True)

    def __init__(self, prepare=as_example):
        super().__init__()
        self.photo, self._prepare, self._action = None, prepare, lambda image: None
        self.invert, self.message = Choice("invert the photo", list(INVERT), shown=False), Words()
        t.link((self.invert, "value"), (self, "inverted"))
        self.invert.observe(self._on_invert, names="value")
        self.message.observe(self._on_message)
        self.invite()
        self.on_msg(lambda _, message, buffers: self.take(message["name"], bytes(buffers[0])))

    def on_photo(self, action):
        """Call `action(image)` for each photograph, and again when it is inverted.

        image: (1, 28, 28) bytes, all black if nothing in the photograph stands out from its background.
        """
        self._action = action

    def invite(self):
        """Say what kind of photograph is best, instead of a message about the last one."""
        self.message.say("best: one thing on a plain background")

    def take(self, name, content):
        """Take a photograph, or say why not; content: the bytes of the file `name`."""
        name = name[:24]
        try:
            self.photo = read_photo(content)
        except PhotoError as error:
            self.message.say(f"{name}: {error}", trouble=True)
            return
        _, height, width = self.photo.shape
        image = self._prepare(self.photo, INVERT[self.invert.value])
        if image.any():
            self.message.say(f"{name}: taken as {width} pixels wide, {height} high")
        else:
            self.message.say(f"{name}: {NOTHING}", trouble=True)
        self._action(image)

    def _on_invert(self, change):
        if self.photo is not None:
            self._action(self._prepare(self.photo, INVERT[self.invert.value]))

    def _on_message(self, change):
        self.said = {"text": self.message.value, "trouble": self.message.trouble}
