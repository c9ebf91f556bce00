"""Is this a Python that the course can run on? Written for any Python, however old, and for one without packages."""

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

# requirements.txt without JupyterLab and its kernel, which may run in an environment of their own.
PACKAGES = ("torch", "torchvision", "matplotlib", "ipywidgets", "ipyevents", "d2l", "filelock", "requests", "tqdm")

# Names that students and tools like to use, and that nothing in the course imports.
HARMLESS = ("conftest", "docs", "examples", "setup", "test", "tests", "this")


def check_environment():
    """Raise ImportError, in one line with the remedy, where this Python is too old or lacks a package."""
    if sys.version_info < (3, 10):  # noqa: UP036
        version = ".".join(str(part) for part in sys.version_info[:3])
        raise ImportError(f"The course needs Python 3.10 or newer, and {sys.executable} is Python {version}")
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
    """Raise ImportError if `file`, beside the notebook, would be imported in place of a module that is needed."""
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
