"""One browser for all tests, and a JupyterLab with a question."""

import pytest
from playwright.sync_api import expect

from tests.browser import jupyterlab

expect.set_options(timeout=30_000)  # as long as Playwright waits elsewhere: a classroom's machine does other things too


def pytest_collection_modifyitems(items):
    if not jupyterlab.chromium():
        skip = pytest.mark.skip(reason="needs Chromium: on Debian or Ubuntu, apt-get install chromium")
        for item in items:
            if "/browser/" in item.path.as_posix():
                item.add_marker(skip)


@pytest.fixture(scope="session")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("jupyterlab") / "log"


@pytest.fixture(scope="session")
def address(log):
    guess = [
        "from helpers import labs\nguess = labs.predict('How wide?', '24', '28')\nguess",
        "reason = f'28 − 5 {chr(43)} 1'\nguess.answer('24', reason)",
    ]
    with jupyterlab.server({"guess.ipynb": guess}, log) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    with jupyterlab.browser() as running:
        yield running
