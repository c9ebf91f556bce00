"""A blank in a chapter: the student writes the line that matters, and the class never has to wait for it."""

import ast
import functools
import inspect
import textwrap

from IPython.display import HTML, display

from helpers.checks import chapter1, chapter2, chapter3, chapter4, chapter5
from helpers.checks.verdict import NOT_YET
from helpers.machine import load_optimizers
from helpers.sentences import VERDICT, in_html

BLANKS = {
    name: blank
    for chapter in (chapter1, chapter2, chapter3, chapter4, chapter5)
    for name, blank in chapter.BLANKS.items()
}


def yours(function):
    """Decorate a function that the student completes (all chapters); it is checked when its cell is run.

    Returns the student's function if it is right. If not, says which mistake was made, and returns the course's own
    version, marked by its attribute `stands_in`, so that the next cells work. A function whose name is not the
    chapter's is returned unchanged.
    """
    name = function.__name__
    if name not in BLANKS:
        display(_line(f"✏️ This chapter does not ask for a function {name}: keep the name, so that it can be checked."))
        return function
    verdict = NOT_YET if _has_dots(function) else BLANKS[name](function)
    if name in chapter4.BLANKS:  # its network trains soon: the optimizers load while the student reads on
        load_optimizers()
    if verdict:
        display(_line(f"{verdict} From here on, {name} is yours."))
        return function
    until = "Not written yet: replace the dots (...)." if verdict.right is None else verdict.message
    mark = repr(verdict).partition(" ")[0]
    display(_line(f"{mark} {until} Until it works, the chapter goes on with its own {name}."))
    return _standing_in(BLANKS[name].solution, function)


def _has_dots(function):
    """True if a function has dots for something still to be written; those of X[..., 0] do not count."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):  # typed where no source is kept
        return False
    dots = {id(node) for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value is ...}
    indexing = {
        id(node) for index in ast.walk(tree) if isinstance(index, ast.Subscript) for node in ast.walk(index.slice)
    }
    return bool(dots - indexing)


def _standing_in(solution, function):
    @functools.wraps(function)
    def course_version(*args, **kwargs):
        return solution(*args, **kwargs)

    course_version.stands_in = True
    return course_version


def _line(text):
    return HTML(in_html(text, VERDICT))
