"""Thirty laptops have the same versions: the lock covers what is asked for, on each system and each Python."""

import os
import re
import subprocess

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.environment import NEWEST, OLDEST
from tests.lock import CUDA, LOCK, ROOT, asked, resolve

SYSTEMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "windows", "aarch64-apple-darwin")
PYTHONS = tuple(f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1))
LOCKED = [Requirement(line) for line in LOCK.read_text(encoding="utf-8").splitlines()[1:]]


@pytest.fixture(scope="module")
def index():
    """Skip if uv cannot reach its package index, which knows filelock for certain."""
    try:
        resolve(lines=["filelock"])
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no package index to ask: {error.stderr.strip().splitlines()[-1]}")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_and_python_gets_its_packages_from_the_lock(system, python, index, monkeypatch):
    monkeypatch.setenv("MACOSX_DEPLOYMENT_TARGET", "14.0")
    wheels = [option for package in LOCKED if package.name != "gym" for option in ("--only-binary", package.name)]
    found = resolve("--constraint", LOCK, "--python-platform", system, "--python-version", python, *wheels)
    versions = {re.split("==", line)[0]: line for line in found if not CUDA.match(line)}
    assert {"torch", "jupyterlab", "pytest"} <= set(versions)
    assert set(versions.values()) <= {f"{package.name}{package.specifier}" for package in LOCKED}


def test_the_lock_stands_in_one_line_each_and_within_the_ranges():
    assert all(re.fullmatch(r"==[\w.]+", str(package.specifier)) for package in LOCKED), "a build, or a range"
    for line in asked():
        wanted = Requirement(line)
        locked = [package for package in LOCKED if canonicalize_name(package.name) == canonicalize_name(wanted.name)]
        assert locked, f"{line} is not in the lock: make lock"
        for package in locked:
            version = str(package.specifier).removeprefix("==")
            assert wanted.specifier.contains(version, prereleases=True), f"{line}: the lock has {package}"


def test_the_lock_drags_no_cuda_along_and_lets_the_cpu_build_in():
    assert [package.name for package in LOCKED if CUDA.match(package.name)] == []
    for package in LOCKED:
        version = str(package.specifier).removeprefix("==")
        assert package.name not in ("torch", "torchvision") or package.specifier.contains(f"{version}+cpu")


def test_every_way_to_install_takes_the_lock():
    here = str(LOCK.relative_to(ROOT).as_posix())
    assert f"-c {here}" in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for name in ("tests/requirements.txt", "binder/requirements.txt"):
        assert "-r ../requirements.txt" in (ROOT / name).read_text(encoding="utf-8").splitlines()
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert "-r tests/requirements.txt" in workflow
    assert os.access(ROOT / ".ci" / "run", os.R_OK)
    assert f"PIP_CONSTRAINT={here}" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_newest_are_had_by_leaving_out_one_line_and_tested_every_week():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("-c ")] == ["-c helpers/lock.txt"]
    assert "delete the line `-c helpers/lock.txt`" in (ROOT / "README.md").read_text(encoding="utf-8")
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert "schedule:" in workflow
    assert "sed -i.bak '/^-c /d' requirements.txt" in workflow
