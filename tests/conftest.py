"""What several tests share: a machine without data, and small real data."""

import pytest
import torch

from helpers import data


@pytest.fixture
def bare_machine(monkeypatch, tmp_path):
    """No data folder named, an empty cache, no system copy, no network: returns the cache's folder."""
    monkeypatch.delenv("LENET_LAB_DATA", raising=False)
    monkeypatch.setenv("LENET_LAB_OFFLINE", "1")
    monkeypatch.setattr(data, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(data, "SYSTEM", tmp_path / "system")
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def sample():
    """The bundled sample of Fashion-MNIST."""
    folder = data.SAMPLE / "FashionMNIST"
    return data._read("FashionMNIST", data.CLOTHES, folder, data.SAMPLE_SHA256, "the bundled sample")


@pytest.fixture
def batches(sample):
    """A thousand training images in shuffled batches of 64; the last has 40."""
    return data.Batches(sample.train_images[:1000], sample.train_labels[:1000], 64, shuffle=True, seed=0)


@pytest.fixture(autouse=True)
def same_numbers_each_time():
    torch.manual_seed(0)
