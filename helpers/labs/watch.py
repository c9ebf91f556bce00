"""The curves of a training that a cell runs itself."""

from IPython.display import display

from helpers import plotting
from helpers.diagnosis import diagnose
from helpers.labs.cells import this_cell
from helpers.labs.lab import FiveTimesASecond, Picture


def watch(training, num_epochs=None):
    """Draw the curves while `training`, a generator of `Progress`, runs; returns its history as a list.

    num_epochs: the right end of the axes. An interrupt of the kernel ends it without a traceback. If the network does
    not learn as it should, a line below the curves says what to do.
    """
    history, cell = [], this_cell()
    cell.close_old()
    try:
        picture, curves = Picture(), plotting.LiveCurves(num_epochs=num_epochs)

        def draw():
            picture.show_png(curves.png(history), curves.width, curves.alt(history))

        draw()
        display(picture)
        cell.keep(picture)
        draw_now_and_then = FiveTimesASecond(draw)
        for progress in training:
            history.append(progress)
            draw_now_and_then()
        draw()
    except KeyboardInterrupt:
        print("Stopped: the curves and the network are those of this moment.")
    if history and diagnose(history).advice:
        print(diagnose(history))
    return history
