"""One network in several labs: what one of them changes the others follow, and it is found again on the next day."""

import dataclasses
import gc
import sys
import time
import weakref

import pytest
import torch
from torch import nn

from helpers import labs, lenet, load_own_net, mlp, num_parameters, own_net, xavier
from helpers.any_network import classes_of
from helpers.data import ImageData
from helpers.errors import ShapeError
from helpers.labs.cells import Cell
from helpers.labs.runner import Runner
from helpers.labs.shapes import Shapes
from helpers.labs.versus import Versus


@pytest.fixture(scope="module")
def data():
    """Images that are trained with in no time: the class of each is how bright it is."""
    labels = torch.arange(10_000) % 10
    images = (25 * labels[:, None, None, None]).expand(-1, 1, 28, 28).byte()
    return ImageData(
        "brightness", images, labels, images[:100], labels[:100], [str(i) for i in range(10)], "made for a test", None
    )


@pytest.fixture
def bench(data, tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_LAB_HOME", str(tmp_path))
    yield labs.bench(data)
    Runner.end_latest()


def layers(net):
    return repr(net)


def weights_of(net):
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


def said(lab):
    return lab.state()["message" if lab.NAME == "trainer" else "said"]


def after_some_steps(trainer):
    """The trainer, its run stopped before the end of the first epoch."""
    while not trainer.history:
        time.sleep(0.01)
    trainer.stop()
    return trainer


def trained(bench):
    """A trainer whose run has gone some steps."""
    trainer = bench.trainer()
    trainer.start()
    return after_some_steps(trainer)


def test_a_layer_changed_in_the_diagram_is_followed_by_all_other_labs(bench):
    shapes, microscope, drawing, versus = bench.shapes(), bench.microscope(), bench.drawing(), bench.versus(mlp())
    trainer = bench.trainer(num_epochs=1)
    shapes.hear({"move": {"channels_1": 12}}, [])
    assert bench.net[0].out_channels == 12
    assert microscope.state()["arrays"]["weights"][11]
    assert len(drawing.arrays["maps0"]) == 12
    assert next(iter(versus.bouts.values())).nets["yours"] is bench.net or trainer.history
    after_some_steps(trainer)
    assert trainer.net[0].out_channels == 12
    assert len(trainer.runs) == 1


def test_each_further_change_begins_a_run_whose_number_tells_it_from_the_earlier_ones(bench):
    shapes, trainer = bench.shapes(), trained(bench)
    shapes.hear({"move": {"kernel_1": 5}}, [])
    after_some_steps(trainer)
    assert [curve["name"] for curve in trainer.state()["curves"]] == ["trainer net=1", "trainer net=2"]
    assert trainer.net[0].kernel_size == (5, 5)


def test_the_other_labs_see_what_a_run_has_learnt(bench):
    microscope, drawing = bench.microscope(), bench.drawing()
    trainer = trained(bench)
    weights = weights_of(trainer.net).cpu()
    for lab in (bench, microscope):
        assert torch.equal(weights_of(lab.net), weights)
    assert torch.equal(weights_of(drawing.nets["yours"]), weights)
    assert torch.equal(torch.tensor(microscope.state()["arrays"]["weights"]), trainer.net[0].weight.detach().cpu())


def test_what_they_see_is_a_copy_that_a_run_does_not_write_to(bench):
    trainer = trained(bench)
    with torch.no_grad():
        trainer.net[0].weight.zero_()
    assert bench.net[0].weight.any()


def test_a_run_ended_by_an_interrupt_leaves_its_weights_to_the_others_and_can_go_on(bench):
    microscope, trainer = bench.microscope(), bench.trainer(num_epochs=20)
    trainer.start()
    while not trainer.history:
        time.sleep(0.01)
    trainer.runner.ask_to_stop()
    trainer.runner.wait()
    assert trainer.phase == "stopped"
    assert torch.equal(weights_of(microscope.net), weights_of(trainer.net).cpu())
    assert not trainer.buttons["Resume"].disabled


def test_a_change_while_it_trains_leaves_no_weights_of_the_old_network_behind(bench):
    shapes, microscope, trainer = bench.shapes(), bench.microscope(), bench.trainer(num_epochs=20)
    trainer.start()
    for channels in (3, 9, 5):
        shapes.hear({"move": {"channels_1": channels}}, [])
    assert len(trainer.net[0].weight) == len(bench.net[0].weight) == len(microscope.net[0].weight) == 5
    trainer.stop()
    assert len(microscope.arrays["maps"]) == 5


def test_labs_do_not_drive_each_other_in_circles(bench, monkeypatch):
    taken, take = [], bench.take
    monkeypatch.setattr(bench, "take", lambda net, source: taken.append(net) or take(net, source))
    monkeypatch.setitem(
        vars(sys.modules["helpers.labs.bench"]), "shapes", Shapes
    )  # in two cells: none closes the other
    one, other = bench.shapes(), bench.shapes()
    one.hear({"move": {"dense_1": 50}}, [])
    other.hear({"move": {"dense_2": 40}}, [])
    assert len(taken) == 2
    assert one.board.values() == other.board.values()
    assert (one.controls["dense_1"].value, one.controls["dense_2"].value) == (50, 40)


def test_a_closed_lab_neither_follows_nor_stays_in_memory(bench):
    shapes, microscope = bench.shapes(), bench.microscope()
    microscope.close()
    known, before = weakref.ref(microscope), microscope.net
    shapes.hear({"move": {"channels_1": 4}}, [])
    assert microscope.net is before
    del microscope
    Cell._made.clear()  # the cell that was run still knew it
    gc.collect()
    assert known() is None


def test_a_closed_diagram_moves_nothing_any_more(bench):
    shapes, before = bench.shapes(), bench.net
    shapes.close()
    shapes.board.text.value = "shapes channels_1=3"
    assert bench.net is before


def test_a_bench_that_is_made_anew_tells_the_labs_of_the_old_one(bench, data):
    shapes, microscope = bench.shapes(), bench.microscope()
    anew = labs.bench(data)  # outside JupyterLab a cell is known by its lab's name
    assert "run this cell again" in said(shapes)
    assert "run this cell again" in said(microscope)
    shapes.hear({"move": {"channels_1": 4}}, [])
    assert anew.net[0].out_channels == bench.net[0].out_channels == 8


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("shapes image_size=48", "keep their last network: a network for these data takes images of 28×28"),
        ("shapes kernel_1=11 kernel_2=11 padding_1=0", "larger than"),
        ("shapes kernel_1=30", ""),
    ],
)
def test_a_diagram_that_is_no_network_for_the_data_changes_no_other_lab(bench, line, why):
    shapes, before = bench.shapes(), bench.net
    shapes.board.text.value = line
    assert why in said(shapes)
    assert bench.net is before
    shapes.board.text.value = "shapes channels_1=7"
    assert bench.net[0].out_channels == 7


DEEPER = nn.Sequential(
    nn.Conv2d(1, 4, 3, padding="same"), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(),
    nn.Linear(4 * 24 * 24, 10),
)  # fmt: skip
OTHERS = {
    "deeper": (DEEPER, {"shapes"}),
    "mlp": (mlp((20,)), {"shapes", "microscope"}),
    "too wide for its sliders": (lenet(channels=(6, 200), activation=nn.ReLU), {"shapes"}),
    "LeakyReLU with a slope": (lenet(activation=lambda: nn.LeakyReLU(0.3)), {"shapes"}),
    "GELU": (lenet(3, (4, 4), (1, 1), nn.GELU, nn.MaxPool2d), set()),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_lab_that_cannot_show_a_network_says_so_and_shows_the_next_one(bench, name):
    net, silent = OTHERS[name]
    made = [bench.shapes(), bench.microscope(), bench.drawing(), bench.versus(mlp())]
    trainer = trained(bench)
    bench.take(net)
    after_some_steps(trainer)
    assert layers(bench.net) == layers(net)
    assert layers(trainer.net) == layers(net)
    assert {lab.NAME for lab in made if "this lab cannot show" in said(lab)} == silent
    bench.take(lenet(3, (4, 4), (1, 1)))
    after_some_steps(trainer)
    assert not [said(lab) for lab in made if "cannot" in said(lab)]
    assert made[0].controls["channels_2"].value == 4


def test_a_lab_that_cannot_be_made_for_the_network_is_words_in_its_place(data):
    verdict = labs.bench(data, mlp()).microscope()
    assert verdict.right is False
    assert "no feature maps" in verdict.message


NORMED = nn.Sequential(nn.Conv2d(1, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


@pytest.mark.parametrize(
    ("net", "filters", "maps"),
    [(NORMED, (4, 5, 5), (4, 6, 6)), (mlp((20,)), (16, 28, 28), (16, 1, 1)), (DEEPER, (4, 3, 3), (4, 28, 28))],
)
def test_a_run_of_ones_own_layers_can_be_looked_back_at(bench, net, filters, maps):
    bench.take(net)
    trainer = trained(bench)
    trainer.hear({"move": {"looking": True}}, [])
    state = trainer.state()
    look, arrays = state["facts"]["look"], state["arrays"]
    assert look["step"] == trainer.runs[-1].past.moments[-1].step
    assert (torch.tensor(arrays["filters0"]).shape, torch.tensor(arrays["maps0"]).shape) == (filters, maps)
    answers = trainer.runs[-1].past.moments[-1].answers["sample"]
    X = trainer.val_iter.images[:1000]
    assert (answers == classes_of(trainer.net, X)).float().mean() > 0.99  # in half precision, some at the edge differ


def test_other_conditions_train_the_layers_of_the_bench(bench, monkeypatch):
    monkeypatch.setattr(sys.modules[Versus.__module__], "SEEN", 1000)
    versus = bench.versus(mlp((30,)))
    versus.board.move({"images": 1000})
    versus.buttons["Train"].click()
    versus.runner.wait()
    mine = versus.bout().nets
    assert list(mine) == ["yours", "MLP"]
    assert layers(mine["yours"]) == layers(bench.net)
    assert not torch.equal(weights_of(mine["yours"]).cpu(), weights_of(bench.net))
    assert num_parameters(mine["MLP"]) == pytest.approx(num_parameters(bench.net), rel=0.05)
    bench.trained(xavier(bench.layers()))  # the same layers
    assert versus.bout().nets is mine
    bench.take(lenet(3, (4, 4), (1, 1)))
    assert layers(versus.bout().nets["yours"]) == layers(bench.net)
    assert versus.bout().done == 0


def test_a_network_that_does_not_fit_the_data_is_refused(data, bench):
    before = bench.net
    with pytest.raises(ShapeError, match="28"):
        bench.take(lenet(image_size=32))
    assert bench.net is before
    with pytest.raises(ShapeError):
        labs.bench(data, lenet(num_classes=3))


def test_it_is_saved_and_found_in_the_next_chapter_and_on_the_next_day(bench, data, capsys):
    bench.shapes().hear({"move": {"channels_1": 12}}, [])
    assert bench.save()
    chosen = layers(bench.net)
    assert layers(load_own_net()) == chosen
    capsys.readouterr()
    tomorrow = labs.bench(data)
    assert "the network that you saved" in capsys.readouterr().out
    assert layers(tomorrow.net) == chosen
    assert tomorrow.shapes().controls["channels_1"].value == 12


def test_what_a_run_has_learnt_is_kept_by_a_name_of_the_students(bench, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainer = trained(bench)
    weights = weights_of(trainer.net).cpu()
    trainer.hear({"file": "mine.pt", "do": "save"}, [])
    tomorrow = labs.bench(data)
    microscope, other = tomorrow.microscope(), tomorrow.trainer()
    other.hear({"file": "mine.pt", "do": "load"}, [])
    assert torch.equal(weights_of(microscope.net), weights)


@pytest.mark.parametrize("channels", [1, 3])
def test_other_images_get_a_network_that_takes_them(data, channels, capsys):
    parts = ("train_images", "test_images")
    other = {name: getattr(data, name)[..., :20, :20].expand(-1, channels, -1, -1) for name in parts}
    bench = labs.bench(dataclasses.replace(data, **other))
    assert "does not fit these images, so the course's example is used" in capsys.readouterr().out
    assert layers(bench.net) == layers(own_net.example(image_size=20, in_channels=channels))
    shapes, trainer = bench.shapes(), bench.trainer()
    assert (shapes.controls["image_size"].value, shapes.controls["in_channels"].value) == (20, channels)
    shapes.hear({"move": {"channels_1": 4}}, [])
    assert after_some_steps(trainer).net[0].in_channels == channels


def test_the_diagram_waits_for_the_hand_to_let_go_only_if_a_run_would_begin(bench):
    shapes = bench.shapes()
    assert not shapes.controls["kernel_1"].patient
    bench.trainer()
    assert shapes.controls["kernel_1"].patient
    assert bench.shapes().controls["kernel_1"].patient
