"""Is this a Python that the course can run on? Written for any Python, however old, and for one without packages."""

import sys
from importlib.util import find_spec
from pathlib import Path

# requirements.txt without JupyterLab and its kernel, which may run in an environment of their own.
PACKAGES = ("torch", "torchvision", "matplotlib", "ipywidgets", "ipyevents", "d2l", "filelock", "requests", "tqdm")


def check_environment():
    """Raise ImportError, in one line with the remedy, where this Python is too old or lacks a package."""
    if sys.version_info < (3, 10):  # noqa: UP036
        version = ".".join(str(part) for part in sys.version_info[:3])
        raise ImportError(f"The course needs Python 3.10 or newer, and {sys.executable} is Python {version}")
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        folder = Path(__file__).resolve().parents[1]
        raise ImportError(
            f"{sys.executable} lacks {', '.join(missing)}: "
            f"in {folder}, run `{sys.executable} -m pip install -r requirements.txt`"
        )
