"""The lock: helpers/lock.txt, one version of every package, for each system and each Python of the course.

`make lock`, or python -m tests.lock, writes it anew with the newest versions that the requirements files allow today.
CUDA's libraries stay out, so that a machine with PyTorch's CPU build gets none; the build that needs them names them.
With --oldest 3.11, it prints the oldest versions that they allow on that Python instead: see tests/fresh/trial.sh.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "helpers" / "lock.txt"
FILES = ("requirements.txt", "tests/requirements.txt", "binder/requirements.txt")
HEADER = "# One version of every package, for Linux, Windows and macOS; written by make lock. See requirements.txt.\n"
CUDA = re.compile(r"(nvidia|cuda|triton)\b")


def asked():
    """What the requirements files ask for, line by line, without options such as `-c helpers/lock.txt`."""
    lines = [line for name in FILES for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line[:1].isalpha()]


def resolve(*options, lines=None):
    """Have uv find versions for `lines`, what is asked for by default; returns the lines name==version that it found.

    Raises CalledProcessError, with uv's words in `stderr`, if there are none or if it cannot reach the package index.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "asked.txt"
        source.write_text("\n".join(lines or asked()), encoding="utf-8")
        # This Python will do for other versions too: uv would first try to download those.
        quiet = ["-q", "--no-header", "--no-annotate", "--no-python-downloads", "--python", sys.executable]
        command = [sys.executable, "-m", "uv", "pip", "compile", *quiet, *options, source]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line[:1].isalpha()]


def main():
    """Write the lock anew, or print the oldest versions."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--oldest", metavar="PYTHON")
    oldest = parser.parse_args().oldest
    try:
        if oldest:
            print("\n".join(resolve("--resolution", "lowest-direct", "--python-version", oldest)))
            return
        found = resolve("--universal", "--python-version", "3.11")
    except subprocess.CalledProcessError as error:
        sys.exit(error.stderr)
    LOCK.write_text(HEADER + "".join(f"{line}\n" for line in found if not CUDA.match(line)), encoding="utf-8")


if __name__ == "__main__":
    main()
