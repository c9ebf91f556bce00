"""The experiments of the course as plain data: five published ones, R1 to R5, and two of our own, R6 and R7.

`python -m helpers.reproduce R4` runs one of them and prints it beside the published figures.
"""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from helpers.data import Batches, fashion_mnist, mirrored, mnist, train_validation_split
from helpers.models import lenet, mlp, xavier
from helpers.training import one_cycle, train

MEASURED = Path(__file__).resolve().parent / "measured.json"


@dataclass(frozen=True)
class Experiment:
    """A network, a data set, a way to train, and the published results; chapter 4 trains some."""

    name: str
    load: Callable  # the data set: `fashion_mnist` or `mnist`
    network: Callable[[], nn.Module]  # makes the untrained network
    batch_size: int
    lr: float
    epochs: int  # the published number
    optimizer: Callable = torch.optim.SGD
    loss_function: Callable = nn.functional.cross_entropy
    schedule: Callable | None = None
    change: Callable | None = None  # applied to each training batch, as in `Batches`
    quick_epochs: int | None = None  # for `make reproduce`, if the published number would take too long
    report_steps: int | None = None  # every so many steps, also measure on the first 2,000 test images
    rival: Callable[[], nn.Module] | None = None  # another network, trained in the same way for comparison
    tests_once: bool = False  # True if the test set stays closed until the end
    keeps_files: bool = False  # True if weights and curves are always saved, as in the source
    both_ways: bool = False  # True if each test image is also shown mirrored
    # {epoch: (loss, train accuracy, test accuracy)}, accuracies from 0 to 1, None if none was published
    published: Mapping[int, tuple] = field(default_factory=dict)

    @property
    def published_test_acc(self):
        """The published test accuracy at the end of training, or None."""
        return self.published[self.epochs][2] if self.epochs in self.published else None

    def prepare(self, data, device, seed):
        """The untrained network, and batches of `data`'s training and test images; `seed` decides all three."""
        torch.manual_seed(seed)
        net = self.network()
        train_iter = Batches(data.train_images, data.train_labels, self.batch_size, True, seed, device, self.change)
        return net, train_iter, Batches(data.test_images, data.test_labels, 1000, device=device)

    def as_measured(self, net):
        """What the test images are shown to: `net`, or `BothWays` of it."""
        return BothWays(net) if self.both_ways else net

    def train(self, net, train_iter, epochs, device=None, val_iter=None):
        """Train as the experiment says, yielding a `training.Progress` after every step."""
        return train(
            net,
            train_iter,
            epochs,
            self.lr,
            val_iter,
            device,
            self.optimizer,
            reports=len(train_iter),
            loss_function=self.loss_function,
            schedule=self.schedule,
        )


class BothWays(nn.Module):
    """A network whose scores are the mean of those that `net` gives to an image and to its mirror image.

    After Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012,
    section 4.1, who also take the mean over five places.
    """

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, X):
        """The mean scores, (batch, classes); X: (batch, channels, height, width)."""
        return (self.net(X) + self.net(X.flip(3))) / 2


def classic_lenet():
    """LeNet as in Dive into Deep Learning, section 7.6: sigmoid, average-pooling, Xavier weights, zero biases."""
    return xavier(lenet())


def unpadded_lenet():
    """The same without padding and with max-pooling: 44,426 parameters."""
    return xavier(lenet(padding=(0, 0), pooling=nn.MaxPool2d))


def lenet_c5():
    """LeNet whose third convolution, C5, sees the whole of its 5×5 maps: LeCun and others, 1998, section II.B.

    As the tutorial lists it, with sigmoids after S2 and F6 only.
    """
    return xavier(
        nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.AvgPool2d(2),
            nn.Sigmoid(),
            nn.Conv2d(6, 16, 5),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 120, 5),
            nn.Flatten(),
            nn.Linear(120, 84),
            nn.Sigmoid(),
            nn.Linear(84, 10),
        )
    )


def two_convolutions():
    """Two wide convolutions and one dense layer, with PyTorch's own initial weights."""
    return lenet(channels=(16, 32), padding=(2, 2), activation=nn.ReLU, pooling=nn.MaxPool2d, dense=())


def lenet_today(activation=nn.SiLU, normalised=True):
    """Two convolutions and two dense layers, as in LeNet, with what has been found since: 54,810 parameters.

    Batch normalisation: Ioffe and Szegedy, 2015, arXiv:1502.03167. SiLU: Elfwing, Uchibe and Doya, 2017,
    arXiv:1702.03118. Pooling comes first, which leaves a quarter of the work for the layers after it.
    """
    return nn.Sequential(
        *_block(1, 16, 5, pooling=True, normalised=normalised, activation=activation),
        *_block(16, 40, 3, pooling=True, normalised=normalised, activation=activation),
        nn.Flatten(),
        nn.Linear(40 * 5 * 5, 48),
        activation(),
        nn.Linear(48, 10),
    )


def small_and_sharp():
    """Five 3×3 convolutions and one dense layer: 51,034 parameters."""
    return nn.Sequential(
        *_block(1, 16, 3, padding=1),
        *_block(16, 16, 3, padding=1, pooling=True),
        *_block(16, 32, 3, padding=1),
        *_block(32, 32, 3, padding=1, pooling=True),
        *_block(32, 64, 3),
        nn.Flatten(),
        nn.Linear(64 * 5 * 5, 10),
    )


def _block(in_channels, out_channels, kernel_size, padding=0, pooling=False, normalised=True, activation=nn.ReLU):
    """The layers of one convolution; without a bias if normalised, since the normalisation would subtract it again."""
    layers = [nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, bias=not normalised)]
    if pooling:
        layers.append(nn.MaxPool2d(2))
    if normalised:
        layers.append(nn.BatchNorm2d(out_channels))
    return [*layers, activation()]


# Loshchilov and Hutter, 2017, arXiv:1711.05101. Fused: one call for all weights saves a tenth of a small step.
# The usual betas, 0.9 and 0.999, average over more steps than are worth remembering in so short a training.
adamw = functools.partial(torch.optim.AdamW, betas=(0.85, 0.97), fused=True)

SINCE_1998 = {  # what R6 and R7 share
    "lr": 0.01,
    "optimizer": adamw,
    "loss_function": nn.CrossEntropyLoss(label_smoothing=0.1),
    "schedule": one_cycle,
    "tests_once": True,
}

EXPERIMENTS = {
    # Juejin, August 2022: LeNet-5 网络结构及实现 Fashion-MNIST 服装图片的分类任务
    "R1": Experiment(
        "lenet-fashion-50",
        fashion_mnist,
        classic_lenet,
        batch_size=256,  # not published; as in Dive into Deep Learning
        lr=0.5,
        epochs=50,
        published={1: (2.32, 0.1, None), 10: (0.556, 0.786, None), 23: (0.396, 0.855, None), 50: (0.3, 0.889, 0.89)},
    ),
    # kinga-AI学长 (TensorFlow): 第2例 基于卷积神经网络LeNet的手写体数字识别
    "R2": Experiment(
        "lenet-mnist-c5",
        mnist,
        lenet_c5,
        batch_size=64,
        lr=0.1,
        epochs=100,
        quick_epochs=20,
        keeps_files=True,
        rival=lambda: xavier(mlp((256,))),
        published={5: (None, None, 0.95), 100: (None, 0.98, 0.98)},
    ),
    # CSDN blog: 深度学习(1)——CNN训练MINIST手写数字数据集
    "R3": Experiment(
        "cnn-mnist-adam",
        mnist,
        two_convolutions,
        batch_size=200,
        lr=0.001,
        epochs=2,
        optimizer=torch.optim.Adam,
        report_steps=50,
    ),
    # The first, MXNet edition of Dive into Deep Learning (动手学深度学习), section 5.5
    "R4": Experiment(
        "lenet-maxpool-fashion",
        fashion_mnist,
        unpadded_lenet,
        batch_size=256,
        lr=0.9,
        epochs=5,
        published={
            1: (2.3197, 0.102, 0.100),
            2: (2.1476, 0.173, 0.525),
            3: (1.0506, 0.578, 0.657),
            4: (0.7780, 0.698, 0.728),
            5: (0.6767, 0.732, 0.758),
        },
    ),
    # Blog, 2023, after Dive into Deep Learning, 7.6: 机器学习&&深度学习——卷积神经网络(LeNet)
    "R5": Experiment(
        "lenet-fashion-10",
        fashion_mnist,
        classic_lenet,
        batch_size=256,
        lr=0.9,
        epochs=10,
        published={10: (0.477, 0.820, 0.795)},
    ),
    "R6": Experiment("lenet-today", fashion_mnist, lenet_today, batch_size=48, epochs=1, **SINCE_1998),
    "R7": Experiment(
        "small-and-sharp",
        fashion_mnist,
        small_and_sharp,
        batch_size=128,
        epochs=7,
        change=mirrored,
        both_ways=True,
        **SINCE_1998,
    ),
}


def story():
    """From the textbook's recipe to R6, one change after another, one epoch each (chapter 4): {change: Experiment}.

    Told in the manner of Andrej Karpathy's lecun1989-repro (github.com/karpathy/lecun1989-repro).
    """
    today = EXPERIMENTS["R6"]
    changes = {
        "the textbook: sigmoid, average-pooling, SGD at 0.9, batches of 256": {"epochs": 1, "published": {}},
        "learning rate 0.1, not 0.9": {"lr": 0.1},
        "tanh, not sigmoid": {"network": lambda: xavier(lenet(activation=nn.Tanh))},
        "ReLU, not tanh": {"network": lambda: xavier(lenet(activation=nn.ReLU))},
        "max-pooling, not average-pooling": {
            "network": lambda: xavier(lenet(activation=nn.ReLU, pooling=nn.MaxPool2d))
        },
        f"batches of {today.batch_size}, not 256": {"batch_size": today.batch_size},
        "AdamW with its own learning rate, 0.003, not SGD": {"optimizer": adamw, "lr": 0.003},
        "a learning rate that rises to 0.003, then falls to 0": {"schedule": one_cycle},
        f"a learning rate that rises to {today.lr}": {"lr": today.lr},
        "another shape: 16 and 40 channels, one dense layer of 48": {
            "network": lambda: xavier(lenet_today(nn.ReLU, normalised=False))
        },
        "labels smoothed by 0.1": {"loss_function": today.loss_function},
        "batch normalisation": {"network": lambda: xavier(lenet_today(nn.ReLU))},
        "SiLU, not ReLU": {"network": lambda: xavier(lenet_today())},
        "PyTorch's first weights, not Xavier's": {"network": today.network},
    }
    step, steps = EXPERIMENTS["R5"], {}
    for what, change in changes.items():
        step = steps[what] = replace(step, **change)
    return steps


def measured():
    """The committed results of the last `make reproduce`: its `machine`, and results by experiment and by change."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def for_choosing(data):
    """`data` with a sixth of its training images instead of its test images (chapter 5).

    So the test images stay closed while you are still choosing.
    """
    names = ("train_images", "train_labels", "test_images", "test_labels")
    parts = train_validation_split(data.train_images, data.train_labels, len(data.train_images) // 6)
    return replace(data, **dict(zip(names, parts, strict=True)))
