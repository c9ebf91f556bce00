"""Nothing in the helpers calls the network but the download of the data: Python itself tells of every attempt."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Python raises an audit event before every such call, whichever library makes it, and an exception there prevents it.
BLOCKED = """
import dataclasses, json, os, sys, tempfile
from pathlib import Path

attempts = []
CALLS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto"}

def refuse(event, arguments):
    if event in CALLS:
        attempts.append(f"{event} {arguments[1:] if event == 'socket.connect' else arguments}")
        raise PermissionError(f"{event} in a test without network")

sys.addaudithook(refuse)
seen = {}

def done(what):
    seen[what] = attempts.copy()
    attempts.clear()

import helpers
from helpers import image_files, plotting, reproduce
from helpers.teacher import handout, student_copy
from tests import every_lab
done("import")

image_files.CACHE = image_files.SYSTEM = Path(tempfile.gettempdir()) / "no such folder"
clothes, digits = helpers.fashion_mnist(), helpers.mnist()
done("data")

net = helpers.lenet()
batches = helpers.Batches(clothes.train_images[:640], clothes.train_labels[:640], 64)
history = list(helpers.train(net, batches, 1, 0.1, batches, "cpu"))
helpers.evaluate_accuracy(net, batches)
with tempfile.TemporaryDirectory() as folder:
    helpers.save_weights(net, Path(folder) / "net.pt")
    helpers.load_weights(net, Path(folder) / "net.pt")
done("training")

plotting.images(clothes.test_images[:8])
done("pictures")

for name in every_lab.LABS:
    every_lab.made(name, clothes)
done("labs")

few = dataclasses.replace(clothes, train_images=clothes.train_images[:640], train_labels=clothes.train_labels[:640])
experiments = helpers.experiments.EXPERIMENTS
experiments["R4"] = dataclasses.replace(experiments["R4"], load=lambda part: few)
reproduce.main(["R4", "--data", "sample", "--epochs", "1", "--device", "cpu"])
done("reproduce")

with tempfile.TemporaryDirectory() as folder:
    student_copy.student_copy(Path(folder) / "copy")
    handout.formula(handout.FORMULA.search("$n + 1$"))
done("hand-out")

del os.environ["LENET_LAB_OFFLINE"]
digits = helpers.mnist()
done("download")
print(json.dumps([seen, digits.source]))
"""


@pytest.fixture(scope="module")
def blocked():
    """What was attempted in each part of the course, and where the digits came from in the end."""
    environment = os.environ | {"LENET_LAB_OFFLINE": "1"}
    environment.pop("LENET_LAB_DATA", None)
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize("part", ["import", "data", "training", "pictures", "labs", "reproduce", "hand-out"])
def test_nothing_is_asked_of_the_network(part, blocked):
    seen, _ = blocked
    assert seen[part] == []


def test_only_the_download_asks_and_without_an_answer_the_sample_comes(blocked):
    seen, source = blocked
    assert seen["download"] != []
    assert all(call.startswith("socket.getaddrinfo") for call in seen["download"])
    assert "sample" in source
