"""Chapter 5: the class draws. A pad asks for one word after another and keeps the drawings."""

import ipywidgets
import traitlets as t

from helpers import plotting
from helpers.labs.cells import one_a_cell
from helpers.labs.class_drawings import DIGITS, Writer, as_words
from helpers.labs.class_folder import why
from helpers.labs.living import Living, script
from helpers.labs.pad import Pad
from helpers.labs.settings import Button, Choice

SHOWN = 18  # of the drawings that were kept, the latest
BEGIN = "Draw on the pad, or choose an example, and keep it."


class Collect(Living):
    """A pad that asks for the word with the fewest drawings so far; `seen` is the present drawing, (1, 28, 28).

    words: a tuple; `writer` keeps the drawings.
    """

    NAME = "collect"
    _esm = script("collect.js")
    pad = t.Instance(ipywidgets.Widget).tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(self, words):
        self.words, self.writer, pad = words, Writer(), Pad()
        self.seen, self._said, self._kept, self._sure = pad.digit(), BEGIN, 0, False
        controls = {"word": Choice("word", list(words)), "example": pad.example}
        buttons = {
            "New writer": Button("Someone else draws", self.new_writer),
            "Earlier writer": Button("Back to an earlier writer", self.earlier_writer),
            "All back": Button("Take all back", self.take_all_back),
        }
        super().__init__(controls, buttons, pad=pad)
        pad.on_drawing(self.see)
        self.ask()

    def see(self, image):
        """Show a drawing as the network will see it."""
        self.seen, self._sure = image, False
        with self.hold_sync():
            self.redraw()

    def ask(self):
        """Empty the pad and ask for the word that this writer has drawn least often, the first if there are several."""
        self.pad.clear()
        word = min(self.words, key=self.writer.words.count)
        self.board.move({"word": word})

    def keep(self):
        """Keep the drawing, and ask for the next one."""
        if not self.seen.any():
            self._say("There is nothing on the pad yet: draw first.", trouble=True)
        elif self._try(lambda: self.writer.keep(self.controls["word"].value, self.seen)):
            self._kept += 1
            self.ask()

    def take_back(self, which, of):
        """Remove drawing number `which` of `of` from all folders, and ask for its word again.

        If their number has changed, because a page lags behind or there is a second lab, only show them anew.
        """
        if not self._try(self.writer.look):
            return
        if of != len(self.writer.words):
            self.redraw()
        elif which < of and self._try(lambda: self.writer.take_back(which)):
            self.ask()

    def take_all_back(self):
        """Remove all drawings of this writer, at the second press.

        If the class's folder could not be reached, each further press tries it again.
        """
        if not self.writer.words and not self.writer.behind:
            self._say("Nothing is kept.")
        elif self.writer.words and not self._sure:
            self._sure = True
            self._say(f"Press “Take all back” again to remove all {len(self.writer.words)} drawings for good.", True)
        elif self._try(lambda: self.writer.take_back(None)):
            self.ask()

    def new_writer(self):
        """Begin with a new mark and no drawings; the old ones are kept."""
        self.writer, self._said = Writer(new=True), BEGIN
        self.ask()

    def earlier_writer(self):
        """Go on as the one who drew here before this one: to see, to add, and to take back."""
        if self._try(self._go_back):
            self.ask()

    def _go_back(self):
        self.writer = self.writer.earlier()
        return f"These are the drawings of writer {self.writer.mark}."

    def hear(self, message, buffers):
        """As every lab does; also keep what is on the pad, and take back."""
        if "keep" in message:  # how many drawings the page knew of, so that a double click keeps only one
            if message["keep"] == self._kept:
                self.pad.ink = message["ink"]  # the pad's own message may still be on its way
                self.keep()
        elif "back" in message:
            self.take_back(message["back"], message["of"])
        else:
            super().hear(message, buffers)

    def draw(self, word, example):
        """The word that is asked for, the drawing as the network will see it, and the latest that were kept."""
        writer, first = self.writer, max(0, len(self.writer.words) - SHOWN)
        places = list(range(first, len(writer.words)))[::-1]
        facts = {"word": word, "kept": self._kept, "count": len(writer.words), "places": places, "mark": writer.mark}
        facts |= {"words": [writer.words[place] for place in places], "folder": str(writer.folder)}
        facts |= {"of_word": writer.words.count(word), "class": str(writer.shared.path) if writer.shared else ""}
        return {"image": self.seen[0], "drawings": writer.images[places]}, facts, self._said

    def still(self, word, example):
        """The word that is asked for, and the drawing, as a still picture."""
        return plotting.asked_for(word, self.seen)

    def _try(self, action):
        """Whether an action succeeded; shows the message that it returns, if any."""
        try:
            self._said, self._sure = action() or self._said, False
        except OSError as error:
            self._say(f"Not done: {self.writer.folder} {why(error)}.", trouble=True)
            return False
        return True

    def _say(self, text, trouble=False):
        self._said = text
        self.redraw()
        self.message.say(text, trouble)


@one_a_cell
def collect(words=DIGITS):
    """Draw words, such as digits, one after another (chapter 5); what you keep becomes the data set `class_data`.

    words: a text such as "cat house tree". Each drawing is prepared like MNIST's digits, and goes into this writer's
    file in the folder `drawings` beside the notebook (or in LENET_LAB_HOME) and, if LENET_LAB_CLASS names a folder,
    also there. It can be taken back. Raises ValueError for words that are too long, too alike or too many.
    """
    return Collect(as_words(words))
