"""Files that are whole or not there, and that never replace what a user made unasked."""

import contextlib
import secrets
from pathlib import Path

from helpers.errors import DataError


@contextlib.contextmanager
def new_file(path, overwrite=False):
    """Open a file to write bytes to; it gets its name only when all is written, so no half-written file is ever left.

    Raises FileExistsError if `path` exists, unless `overwrite` is set, and another OSError if it cannot be written.
    """
    path = Path(path)
    if not overwrite:
        refuse_to_replace(path)
    # A unique name: two machines that share a folder may well have processes of the same number.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def path_of(given):
    """What someone gives as a path; DataError if it is something else."""
    try:
        return Path(given).expanduser()
    except (TypeError, RuntimeError):
        raise DataError(f"{given!r:.60} is no path: give the name of a file or folder, as a text") from None


def refuse_to_replace(path):
    """Raise FileExistsError if `path` exists."""
    if Path(path).exists():
        raise FileExistsError(f"{path} exists already: choose another name")
