"""One JupyterLab and one browser for all tests; a page for each lab, on the bundled sample."""

import pytest

from tests.browser import jupyterlab

DATA = "from helpers import fashion_mnist, labs, lenet, mlp, xavier\nimport torch\ndata = fashion_mnist()"
NETS = """torch.manual_seed(0)
nets = {"LeNet": xavier(lenet(activation=torch.nn.ReLU)), "MLP": xavier(mlp((8,)))}"""
LABS = {
    "explorer": "lab = labs.explorer(data)",
    "convolution": "lab = labs.convolution(data.train_images[0])",
    "pooling": "lab = labs.pooling(data.train_images[0])",
    "learn_kernel": "lab = labs.learn_kernel(data.train_images[0])",
    "shapes": "lab = labs.shapes()",
    "trainer": "lab = labs.trainer(data, num_epochs=2)",
    "microscope": f"{NETS}\nlab = labs.microscope(nets['LeNet'], data.test_images[:20], data.class_names)",
    "versus": f"{NETS}\nlab = labs.versus(nets, data)",
    "drawing": f"{NETS}\nlab = labs.drawing(nets, data.class_names)",
}


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
    own = {f"lab-{name}.ipynb": [DATA, f"{code}\nlab"] for name, code in LABS.items()}
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
    page.locator("img.widget-image").first.wait_for()
    page.locator("img.widget-image").first.scroll_into_view_if_needed()
    yield page
    problems = jupyterlab.problems(page)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.close()
    assert problems == []


@pytest.fixture(scope="class")
def reference(request):
    """The same lab in the process of the tests: what its picture must be after the same move."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_LAB_OFFLINE", "1")
        names = {}
        exec(f"{DATA}\n{LABS[request.cls.LAB]}", names)
    yield names["lab"]
    names["lab"].close()
