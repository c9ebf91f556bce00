"""Can the course run on this Python? Written so that any Python, however old, can run it without any packages."""

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from platform import machine

OLDEST, NEWEST = (3, 11), (3, 14)  # as in pyproject.toml
# requirements.txt without JupyterLab and its kernel, which may run in a different environment.
PACKAGES = ("torch", "torchvision", "matplotlib", "ipywidgets", "anywidget", "d2l", "filelock", "requests", "tqdm")

# Names that students and tools often use, and that nothing in the course imports.
HARMLESS = ("conftest", "docs", "examples", "setup", "test", "tests", "this")


def check_python(newest=None):
    """Raise ImportError, in one line, if this Python is older than the course allows, or newer than `newest`."""
    if not OLDEST <= sys.version_info[:2] <= (newest or sys.version_info[:2]):
        version = ".".join(str(part) for part in sys.version_info[:3])
        needed = f"{OLDEST[0]}.{OLDEST[1]} " + (f"to {newest[0]}.{newest[1]}" if newest else "or newer")
        raise ImportError(f"The course needs Python {needed}, but {sys.executable} is Python {version}")


def check_machine():
    """Raise ImportError, in one line with the remedy, if PyTorch has no build for this machine."""
    if sys.maxsize < 2**32:
        raise ImportError(f"PyTorch needs a 64-bit Python, but {sys.executable} has 32 bits: install a 64-bit one")
    if sys.platform == "darwin" and machine() == "x86_64":
        raise ImportError(
            "PyTorch has not supported Intel Macs since version 2.2: use the course on Binder or on a JupyterHub "
            "(if this is an Apple chip, install a Python for it: this one was built for Intel)"
        )


def check_environment():
    """Raise ImportError, in one line with the remedy, if this Python is too old, or a package is missing or hidden."""
    check_python()
    for file in Path.cwd().iterdir():
        check_no_shadow(file)
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        folder = Path(__file__).resolve().parents[1]
        raise ImportError(
            f"{sys.executable} lacks {', '.join(missing)}: "
            f"in {folder}, run `{sys.executable} -m pip install -r requirements.txt`"
        )


def check_no_shadow(file):
    """Raise ImportError if `file`, beside the notebook, would be imported instead of a module that the course needs."""
    if file.suffix != ".py" and not (file / "__init__.py").is_file():
        return
    name, folder = file.stem, file.resolve().parent
    elsewhere = [path for path in sys.path if Path(path).resolve() != folder]
    if name in HARMLESS or file.resolve() == Path(__file__).resolve().parent or len(elsewhere) == len(sys.path):
        return
    if name in sys.stdlib_module_names or PathFinder.find_spec(name, elsewhere):
        kind = "folder" if file.is_dir() else "file"
        why = f"Your {kind} {file} hides the module {name}, which the course needs"
        raise ImportError(why, name=name, path=str(file))


if __name__ == "__main__":  # run before pip, which would only say that it finds no matching ipykernel or torch
    try:
        check_python(NEWEST)
        check_machine()
    except ImportError as error:
        sys.exit(str(error))
