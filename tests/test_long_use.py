"""What stays in the kernel after long use: the widgets of one lab, the networks that can still be seen, no thread."""

import gc
import subprocess
import sys
import threading
import types
import weakref
from queue import Empty

import ipywidgets
import pytest
from jupyter_client.manager import start_new_kernel

from helpers import Batches, labs, mlp, train
from helpers.labs import cells
from helpers.labs.cells import held_by
from tests import every_lab

VERSUS = sys.modules["helpers.labs.versus"]  # the module, whose name in the package is that of the function
RERUNS = 6


@pytest.fixture(autouse=True)
def no_widgets_before():
    ipywidgets.Widget.close_all()
    yield
    ipywidgets.Widget.close_all()


def live_widgets():
    return len(ipywidgets.widgets.widget._instances)


@pytest.mark.parametrize("name", every_lab.LABS)
def test_a_lab_that_is_made_again_closes_the_old_one_with_all_its_widgets(name, sample):
    kept = [every_lab.made(name, sample)]  # as IPython keeps them: Out[5], Out[6], ...
    once = live_widgets()
    for _ in range(RERUNS):
        kept.append(every_lab.made(name, sample))
        assert live_widgets() == once
    assert kept[-1].comm is not None
    assert kept[0].comm is None


@pytest.mark.parametrize("name", every_lab.LABS)
def test_a_lab_that_is_closed_leaves_no_widget_and_may_be_closed_twice(name, sample):
    lab = every_lab.made(name, sample)
    assert len(held_by(lab)) == live_widgets()
    lab.close()
    assert live_widgets() == 0
    lab.close()


@pytest.fixture
def in_cell(monkeypatch):
    """A function that plays JupyterLab: from now on a cell is being executed, under the id of its execution."""

    def execute(cell, execution):
        request = {"metadata": {"cellId": cell} if cell else {}, "header": {"msg_id": execution}}
        kernel = types.SimpleNamespace(get_parent=lambda channel: request)
        monkeypatch.setattr(cells, "get_ipython", lambda: types.SimpleNamespace(kernel=kernel))

    return execute


def test_labs_in_several_cells_live_side_by_side_and_so_do_two_in_one_cell(in_cell):
    in_cell("a", "1")
    first, second = labs.shapes(), labs.shapes()
    in_cell("b", "2")
    other = labs.shapes()
    assert all(lab.comm for lab in (first, second, other))
    in_cell("a", "3")
    third = labs.shapes()
    assert first.comm is None
    assert second.comm is None
    assert other.comm
    assert third.comm
    in_cell("a", "4")
    labs.class_experiment()  # the student wrote another lab into the cell
    assert third.comm is None


def test_without_a_cells_id_a_lab_is_known_by_its_name(in_cell):
    in_cell(None, "1")
    first, other = labs.shapes(), labs.class_experiment()
    in_cell(None, "2")
    labs.shapes()
    assert first.comm is None
    assert other.comm


def watched(sample):
    images = Batches(sample.train_images[:64], sample.train_labels[:64], 32)
    return labs.watch(train(mlp((4,)), images, 1, 0.1, device="cpu"))


def test_curves_that_are_watched_again_in_the_same_cell_replace_the_old_ones(in_cell, sample):
    in_cell("a", "1")
    watched(sample)
    once = live_widgets()
    watched(sample)
    assert live_widgets() == 2 * once  # two in one cell
    for execution in range(RERUNS):
        in_cell("a", f"again {execution}")
        watched(sample)
    assert live_widgets() == once
    in_cell(None, "elsewhere")
    watched(sample)
    assert live_widgets() == 2 * once


def test_twenty_re_runs_of_the_training_labs_cell_in_a_real_kernel():
    manager, client = start_new_kernel(stderr=subprocess.DEVNULL)

    def run(code, cell):
        """Execute code as JupyterLab does, with the cell's id; returns what it printed."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = client.session.msg("execute_request", content, metadata={"cellId": cell})
        client.shell_channel.send(message)
        printed = []
        while True:
            try:
                reply = client.get_iopub_msg(timeout=120)
            except Empty:
                raise AssertionError("the kernel does not answer") from None
            if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            assert reply["msg_type"] != "error", reply["content"]
            if reply["msg_type"] == "stream":
                printed.append(reply["content"]["text"])
            if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                return "".join(printed)

    count = "print(len(ipywidgets.widgets.widget._instances))"
    try:
        run(f"import os; os.environ['LENET_LAB_OFFLINE'] = '1'\nimport ipywidgets\n{every_lab.BEGIN}", "begin")
        run("labs.trainer(data)", "lab")
        once = run(count, "count")
        for _ in range(20):
            run("labs.trainer(data)", "lab")
        assert run(count, "count") == once
        assert run("print(sum(made.val_iter is not None for made in Out.values()))", "data").strip() == "1"
        run("labs.trainer(data)", "another cell")
        assert int(run(count, "count")) == 2 * int(once)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def alive(references):
    gc.collect()
    return sum(reference() is not None for reference in references)


def test_a_closed_training_lab_lets_its_images_and_networks_go_even_if_somebody_keeps_it(sample):
    kept, images, nets = [], [], []
    for _ in range(3):
        kept.append(labs.trainer(sample, num_epochs=1))
        kept[-1].start()
        kept[-1].stop()
        images.append(weakref.ref(kept[-1].val_iter.images))
        nets.append(weakref.ref(kept[-1].net))
    assert alive(images) == alive(nets) == 1
    kept[-1].close()
    assert alive(images) == alive(nets) == 0


def test_the_training_lab_keeps_one_network_and_few_curves_after_many_moves(sample):
    lab, nets, threads = labs.trainer(sample, num_epochs=1), [], threading.active_count()
    for move in range(12):
        lab.controls["channels"].value = 1 + move % 5
        nets.append(weakref.ref(lab.net))
        while not lab.history:
            lab.runner._thread.join(0.01)
    lab.runner.wait()
    assert alive(nets) == 1
    assert [len(run.history) > 2 for run in lab.runs[:-5]] == [False] * 7
    assert len(lab.state()["table"]) == 1  # the only run that an epoch has ended in
    assert threading.active_count() <= threads
    lab.close()


def test_the_rivals_lab_keeps_what_was_trained_lately_and_nothing_that_was_not(sample, monkeypatch):
    monkeypatch.setattr(VERSUS, "SEEN", 200)
    monkeypatch.setattr(VERSUS, "KEPT", 3)
    lab = labs.versus({"LeNet": mlp((8,)), "MLP": mlp((8,))}, sample)
    brought, pairs = lab.bout(), []
    lab.train_images, lab.train_labels = lab.train_images[:200], lab.train_labels[:200]
    for rate in (0.0003, 0.001, 0.01, 0.03, 0.1):
        lab.board.move({"lr_mlp": rate})
        pairs.append(weakref.ref(lab.bout()))
        lab.train()
        lab.runner.wait()
    latest = lab.bout()
    assert all(parameter.grad is None for net in latest.nets.values() for parameter in net.parameters())
    for rate in (0.0003, 0.001, 0.003):  # looked at, not trained
        lab.board.move({"lr_lenet": 0.1, "lr_mlp": rate})
    assert alive(pairs) == 3
    assert len(lab.bouts) <= 5
    lab.board.move({"lr_lenet": 0.003, "lr_mlp": 0.1})
    assert lab.bout() is latest
    lab.board.move({"lr_mlp": 0.003})
    assert lab.bout() is brought
    lab.close()
