"""One JupyterLab and one browser for all tests; a page for each lab, on the bundled sample."""

import pytest

from helpers import fashion_mnist
from tests import every_lab
from tests.browser import jupyterlab


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
    own = {f"lab-{name}.ipynb": every_lab.cells(code) for name, code in every_lab.LABS.items()}
    own["guess.ipynb"] = [
        "from helpers import labs\nguess = labs.predict('How wide?', '24', '28')\nguess",
        "reason = f'28 − 5 {chr(43)} 1'\nguess.answer('24', reason)",
    ]
    with jupyterlab.server(own, log) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    with jupyterlab.browser() as running:
        yield running


@pytest.fixture(scope="class")
def page(address, browser, request):
    """The page of the class's LAB, its cells run; afterwards nothing may have gone wrong in it.

    One page for all tests of a class: each begins by putting the lab back to where it began.
    """
    page = jupyterlab.open_notebook(browser, address, f"lab-{request.cls.LAB}.ipynb")
    jupyterlab.run_all(page)
    yield page
    problems = jupyterlab.problems(page)
    jupyterlab.end(page)
    assert problems == []


@pytest.fixture(scope="class")
def reference(request):
    """The same lab in the process of the tests: what its picture must be after the same move."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_LAB_OFFLINE", "1")
        lab = every_lab.made(request.cls.LAB, fashion_mnist())
    yield lab
    lab.close()
