"""Writing files: a file is complete or does not exist, and never replaces a user's file unasked."""

import contextlib
import secrets
from pathlib import Path


@contextlib.contextmanager
def new_file(path, overwrite=False):
    """Open a file for writing bytes; it gets its name only when complete, so no half-written file is ever left.

    Raises FileExistsError if `path` exists, unless `overwrite` is set, and another OSError if it cannot be written.
    """
    path = Path(path)
    if not overwrite:
        refuse_to_replace(path)
    # A unique name: two machines that share a folder may have processes with the same number.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def refuse_to_replace(path):
    """Raise FileExistsError if `path` exists."""
    if Path(path).exists():
        raise FileExistsError(f"{path} exists already: choose another name")
