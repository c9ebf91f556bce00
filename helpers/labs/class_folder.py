"""A folder that a class shares: finished runs and drawings leave their files there, and the projector reads them all.

The environment variable LENET_LAB_CLASS names it: a folder on a JupyterHub that everyone may write to, or a network
drive. Without the variable nothing is shared.
"""

import functools
import os
import re
import secrets
from pathlib import Path

from helpers.files import new_file

VARIABLE = "LENET_LAB_CLASS"
ENDING, DRAWN = ".results.txt", ".drawings.png"  # of the files of a kernel's runs, and of a writer's drawings
MOST_FILES, MOST_BYTES, MOST_LINES = 1000, 50_000, 200  # read from a folder, from a file, written by a kernel


@functools.cache
def own_file():
    """The name of this kernel's file: unique, and it gives nothing away about the student."""
    return f"{secrets.token_hex(8)}{ENDING}"


class ClassFolder:
    """The folder at `path`: `share` writes this kernel's file and nothing else, `read` reads everyone's."""

    def __init__(self, path):
        self.path = Path(path).expanduser()

    def share(self, line, name=""):
        """Add a result line to this kernel's file; returns a message about it.

        name: the name that the student typed, or "".
        """
        name = re.sub(r"[^\w.-]+", "_", name.strip())[:30].strip("_")
        if name:
            line = line.replace("result ", f"result name={name} ", 1)
        file = self.path / own_file()
        try:
            before = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
            with new_file(file, overwrite=True) as new:
                new.write("".join(f"{each}\n" for each in [*before, line][-MOST_LINES:]).encode())
        except (OSError, UnicodeError) as error:
            return f"Not shared with the class: {self.path} {why(error)}."
        return f"Shared with the class, in {self.path}{f', as {name}' if name else ', without a name'}."

    def read(self, ending=ENDING, content_of=None):
        """Everyone's files of one kind, {name of the file: content}, and a message about each thing that was not read.

        content_of: a function that reads one, given as an `os.DirEntry`; it may raise OSError and ValueError. None
        reads files of result lines.
        """
        texts, troubles, others = {}, [], 0
        try:
            with os.scandir(self.path) as entries:
                files = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            return {}, [f"the class's folder {self.path} {why(error)}"]
        for entry in files:
            # A link, a pipe or a device is never opened, nor a file of ours before it has its final name. A name with
            # unprintable characters is not ours, and no page could show it.
            is_ours = entry.name.endswith((ENDING, DRAWN)) and entry.name.isprintable()
            if not (is_ours and entry.is_file(follow_symlinks=False)):
                others += not entry.name.endswith(".part")
            elif not entry.name.endswith(ending):
                continue
            elif len(texts) == MOST_FILES:
                troubles.append(f"only the first {MOST_FILES} files were read")
                break
            else:
                try:
                    texts[entry.name] = (content_of or self._text)(entry)
                except (OSError, ValueError) as error:
                    troubles.append(f"{entry.name} {why(error)}")
        if others:
            troubles.append(f"{others} other thing{'s' * (others > 1)} in the folder")
        return texts, troubles

    def _text(self, entry):
        """The text in a file; raises ValueError if it cannot be result lines."""
        if entry.stat().st_size > MOST_BYTES:
            raise ValueError(f"has more than {MOST_BYTES:,} bytes")
        text = Path(entry.path).read_bytes().decode("utf-8", errors="replace")
        if "\0" in text or "\ufffd" in text:
            raise ValueError("is not a text file")
        return text


def why(error):
    """What is wrong with a file or folder, to follow its name."""
    reasons = {
        FileNotFoundError: "does not exist",
        NotADirectoryError: "is not a folder",
        PermissionError: "cannot be used by this account",
    }
    return reasons.get(type(error)) or getattr(error, "strerror", None) or str(error)


def named():
    """The `ClassFolder` that the variable names, or None."""
    path = os.environ.get(VARIABLE, "").strip()
    return ClassFolder(path) if path else None
