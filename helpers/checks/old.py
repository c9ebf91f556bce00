"""What a check answers, and how an exception inside a student's answer becomes such an answer."""

import functools
import linecache
import re
import sys
import traceback
from dataclasses import dataclass

MARKS = {True: "✅", False: "❌", None: "✏️"}


@dataclass(frozen=True)
class Verdict:
    """The answer to an exercise's attempt, shown as one line; only a right attempt counts as true.

    right: True, False with the mistake named in `message`, or None where nothing has been tried yet.
    """

    right: bool | None
    message: str

    def __bool__(self):
        return self.right is True

    def __repr__(self):
        return f"{MARKS[self.right]} {self.message}"


NOT_YET = Verdict(None, "Not done yet: replace the dots (...) with your answer, then run the cell again.")


def wrong(message):
    """A wrong answer, with the mistake named."""
    return Verdict(False, message)


def checked(check):
    """Decorate a check: where the student's code stops with an exception, the verdict says so, with the line.

    The check's own `except` clauses come first. An exception that is the check's own fault stays an exception.
    """

    @functools.wraps(check)
    def judged(*args, **kwargs):
        try:
            return check(*args, **kwargs)
        except Exception as error:
            where = _where(error)
            if where is None:
                raise
            said = str(error).strip().partition("\n")[0]
            return wrong(f"{where} with {type(error).__name__}" + (f": {said}" if said else "."))

    return judged


def _where(error):
    """Where a student's answer stopped, in words; None where `error` did not arise in one."""
    calls = [
        (frame.f_globals.get("__name__", ""), frame.f_code, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ][2:]  # without `judged` and the check itself
    modules = [module for module, _, _ in calls if not _is_library(module)]
    if modules:
        # The last line of their own: a library that it calls, such as gzip, is not theirs.
        code, line = [call[1:] for call in calls if call[0] == modules[0]][-1]
        function = "your function" if code.co_name == "<lambda>" else code.co_name
        text = linecache.getline(code.co_filename, line).strip()
        quoted = f", `{text}`," if text else ""
        return f"Your code stops in line {line - code.co_firstlineno + 1} of {function}{quoted}"
    if calls and calls[-1][0].startswith("torch"):
        return "Your network stops"
    if isinstance(error, TypeError) and re.search("positional argument|keyword argument|not callable", str(error)):
        return "Your answer cannot be called as the exercise asks (keep the first line of the stub): Python stops"
    return None


def _is_library(module):
    package = module.partition(".")[0]
    return package in ("helpers", "torch") or package in sys.stdlib_module_names
