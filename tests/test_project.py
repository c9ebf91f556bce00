"""The project as a whole: its layout, its README, its installation, its Binder image."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.experiments import measured
from tests.bench.reproduce import BEGIN, END, README, table

ROOT = Path(__file__).resolve().parents[1]
FOLDERS_AND_FILES = {"README.md", "requirements.txt", "notebooks", "helpers", "tests", "binder"}
BESIDE_THEM = {"Makefile", "pyproject.toml", "LICENSE"}


def tracked():
    """Paths that git keeps, or would keep if they were added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return [path for path in listed if (ROOT / path).exists()]


def test_the_top_level_holds_what_was_agreed():
    top = {path.split("/")[0] for path in tracked()}
    assert FOLDERS_AND_FILES <= top
    assert {name for name in top - FOLDERS_AND_FILES - BESIDE_THEM if not name.startswith(".")} == set()


def test_every_link_of_the_readme_into_the_project_leads_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert len(links) >= 5
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert re.findall(r"!\[[^\]]{20,}\]\(", text), "the README shows no screenshot with alternative text"


def test_the_helpers_import_downwards_only():
    floors = {"data": 0, "models": 0, "metrics": 0, "plotting": 0, "photos": 0, "digits": -1, "files": 0, "cores": 0}
    floors |= {"diagnosis": 0, "environment": 0, "training": 1, "handout": 1, "student_copy": 1, "finding": -1}
    floors |= {"pretrained": 2}
    floors |= {"checks": 2, "experiments": 2, "processes": 2, "labs": 3, "reproduce": 3}
    floors |= {"files": -2, "download": -1}
    for path in (ROOT / "helpers").rglob("*.py"):
        name = path.relative_to(ROOT / "helpers").parts[0].removesuffix(".py")
        if name == "__init__":
            continue
        text = path.read_text(encoding="utf-8")
        named = ", ".join(re.findall(r"^from helpers import (.+)$", text, re.MULTILINE))
        for imported in [*re.findall(r"^from helpers\.(\w+)", text, re.MULTILINE), *re.findall(r"\w+", named)]:
            assert imported == name or floors[imported] < floors[name], f"{path.name} imports {imported}"


def test_the_students_packages_are_ranges_and_test_tools_stay_out():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = [re.match(r"[\w-]+", line)[0] for line in lines if line and line[0].isalpha()]
    assert {"jupyterlab", "torch", "torchvision", "matplotlib", "ipywidgets", "d2l", "ipykernel"} <= set(packages)
    assert not {"pytest", "nbval", "ruff", "playwright"} & set(packages)
    assert "-e ." in lines


def ranges():
    """What the two requirements files ask for, as packaging's Requirement."""
    lines = [
        line
        for name in ("requirements.txt", "tests/requirements.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    ]
    return [Requirement(line) for line in lines if line and line[0].isalpha()]


def test_every_range_of_packages_has_its_reason():
    for name in ("requirements.txt", "tests/requirements.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        for before, line in itertools.pairwise(lines):
            assert not line[:1].isalpha() or before.startswith("# "), f"{name}: why {line}?"
    assert all(package.specifier for package in ranges())


def test_ci_installs_exact_versions_within_the_ranges():
    first, *lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")
    versions = dict(re.fullmatch(r"([\w.-]+)==([\w.]+)", line).groups() for line in lines)  # no paths, no builds
    versions = {canonicalize_name(name): version for name, version in versions.items()}
    assert len(versions) == len(lines) > len(ranges())
    for package in ranges():
        assert package.specifier.contains(versions[canonicalize_name(package.name)], prereleases=True), package
    assert "constraints.txt" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker does not run on Windows")
def test_binder_installs_the_requirements_and_fetches_the_data():
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)]
    rendered = subprocess.run(command, check=True, capture_output=True, text=True)
    dockerfile = rendered.stdout + rendered.stderr
    assert re.search(r"pip install .*-r \"?binder/requirements.txt", dockerfile)
    assert "RUN ./binder/postBuild" in dockerfile
    assert "python=3.12" in dockerfile
    # The course itself is there when pip runs: `-e .` needs it.
    assert re.search(r"COPY --chown=\d+:\d+ src/ .*pip install --no-cache-dir -r", dockerfile, re.DOTALL)
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)


def post_build(folder):
    """Run binder/postBuild in a folder, with the Python of these tests; its exit code and what it printed."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}  # nobody answers there
    environment = {name: value for name, value in environment.items() if not name.startswith("LENET_LAB")}
    done = subprocess.run(
        [ROOT / "binder" / "postBuild"], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="a Binder image is built on Linux")
def test_a_binder_image_without_network_gets_the_sample(tmp_path):
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers")
    code, printed = post_build(tmp_path)
    assert code == 0
    assert "Using the bundled sample of MNIST" in printed
    assert "Traceback" not in printed


@pytest.mark.skipif(sys.platform != "linux", reason="a Binder image is built on Linux")
@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def fashion_mnist(): raise OSError('No space left on device')\nmnist = fashion_mnist", 0),
        ("import a_package_that_pip_did_not_install", 1),
    ],
    ids=["a failed download", "a broken installation"],
)
def test_a_binder_image_is_built_without_images_but_not_without_packages(source, code, tmp_path):
    (tmp_path / "helpers.py").write_text(source)
    ended, printed = post_build(tmp_path)
    assert ended == code
    assert ("will use the bundled sample" in printed) == (code == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="the README gives the plain lines for Windows")
@pytest.mark.parametrize("folder", ["some/folder", "my data", "/an/absolute folder"])
def test_make_passes_the_data_folder_on_as_an_absolute_path(folder, tmp_path):
    (tmp_path / "show.mk").write_text('show: ; @echo "$$LENET_LAB_DATA"\n')
    command = ["make", "--no-print-directory", "-f", "Makefile", "-f", tmp_path / "show.mk", "show"]
    shown = subprocess.run(
        [*command, f"LENET_LAB_DATA={folder}"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert shown.splitlines() == [str(ROOT / folder)]


def test_the_readme_shows_what_was_measured_last():
    text = README.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == table(measured())
