"""The course as students get it, without solutions, tests and the teacher's page: `make student-copy`."""

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
FILES = {  # here: there
    "notebooks/for-students.md": "README.md",
    "notebooks/glossary.md": "notebooks/glossary.md",
    "LICENSE": "LICENSE",
    "Makefile": "Makefile",
    "pyproject.toml": "pyproject.toml",
    "requirements.txt": "requirements.txt",
}


def student_copy(target):
    """Write the copy to the folder `target`; raises FileExistsError if it exists."""
    if target.exists():
        raise FileExistsError(f"{target} exists already, perhaps with a student's work in it: move it away first")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        part = Path(folder) / target.name  # moved to its place only when it is complete
        shutil.copytree(ROOT / "helpers", part / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
        (part / "notebooks").mkdir()
        for here, there in FILES.items():
            shutil.copy(ROOT / here, part / there)
        for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
            nbformat.write(without_outputs(nbformat.read(path, as_version=4)), part / "notebooks" / path.name)
        part.rename(target)


def without_outputs(notebook):
    """The notebook as if no cell had been run."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def main():
    """Write build/student-copy."""
    target = ROOT / "build" / "student-copy"
    try:
        student_copy(target)
    except FileExistsError as error:
        sys.exit(str(error))
    print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
