"""Images of one's own: a folder of pictures, files in MNIST's and in NumPy's format, arrays; and how they are split."""

import gzip
import os
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from support import checkers, file_of, grey_of_16_bits, png_that_promises

from helpers import DataError, ImageData, fashion_mnist, idx_files, image_folder, npz_file
from helpers.errors import ShapeError
from helpers.own_images import as_image


def noise(seed, size=(40, 30), mode="RGB"):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], len(mode))).astype("uint8")
    return Image.fromarray(pixels.squeeze())


@pytest.fixture
def folder(tmp_path):
    """A folder of two classes with ten different pictures each."""
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(10):
            noise(100 * label + i).save(tmp_path / "pets" / name / f"{i}.png")
    return tmp_path / "pets"


def snapshot(folder):
    return {path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in folder.parent.rglob("*")}


def equal(one, other):
    names = ("train_images", "train_labels", "test_images", "test_labels")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)


def test_a_folder_is_a_data_set_and_is_left_as_it_was(folder, capsys):
    before = snapshot(folder)
    data = image_folder(folder)
    assert snapshot(folder) == before
    assert data.class_names == ("cat", "dog")
    assert data.train_images.shape == (16, 1, 28, 28)
    assert data.test_labels.bincount().tolist() == [2, 2]
    assert "16 training and 4 test images in 2 classes" in capsys.readouterr().out


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (32, 3), (64, 3), (28, 1)])
def test_images_of_that_form_are_taken_as_they_are(size, channels, tmp_path):
    mode = "L" if channels == 1 else "RGB"
    wanted = []
    for i in range(4):
        (tmp_path / "set" / str(i % 2)).mkdir(parents=True, exist_ok=True)
        image = noise(i, (size, size), mode)
        image.save(tmp_path / "set" / str(i % 2) / f"{i}.png")
        wanted.append(torch.from_numpy(np.array(image)).reshape(size, size, channels).movedim(-1, 0))
    data = image_folder(tmp_path / "set", size, channels)
    both = torch.cat([data.train_images, data.test_images])
    assert all(any(torch.equal(image, one) for one in both) for image in wanted)


@pytest.mark.parametrize(
    "content",
    [
        file_of(checkers("P")),
        file_of(checkers("RGBA")),
        file_of(checkers("L")),
        file_of(grey_of_16_bits()),
        file_of(checkers("CMYK"), "JPEG"),
        file_of(checkers("1"), "BMP"),
        file_of(checkers("P"), "GIF"),
    ],
)
def test_pictures_of_every_kind_are_taken(content):
    image = as_image(content)
    assert image.shape == (1, 28, 28)
    assert image[0, 2, 14] > image[0, -2, 8]  # white above black


@pytest.mark.parametrize("size", [(800, 20), (20, 800)])
def test_of_a_strip_the_middle_is_taken_at_its_full_height(size):
    strip = Image.new("L", size)
    strip.paste(255, tuple((length - 10) // 2 for length in size) + tuple((length + 10) // 2 for length in size))
    assert as_image(file_of(strip), 20)[0, 5:15, 5:15].eq(255).all()
    assert as_image(file_of(strip), 20)[0].eq(255).sum() == 100


def test_a_picture_stands_upright():
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    upright, turned = as_image(file_of(checkers())), as_image(file_of(checkers(), exif=exif))
    assert torch.equal(turned, upright.rot90(-1, (1, 2)))


def test_a_picture_as_a_photograph_of_chapter_1():
    image = Image.new("L", (200, 200), 240)
    image.paste(30, (80, 60, 120, 140))
    assert as_image(file_of(image), prepared=True)[0, 14, 14] > 200
    assert as_image(file_of(image))[0, 14, 14] < 50


def test_what_cannot_be_read_is_left_out_and_named(folder, capsys):
    (folder / "cat" / "notes.txt").write_text("not a picture")
    (folder / "cat" / "empty.jpg").touch()
    (folder / "cat" / "short.png").write_bytes(file_of(noise(7))[:300])
    (folder / "dog" / "huge.png").write_bytes(png_that_promises(20_000, 10_000))
    (folder / "dog" / ".hidden").write_text("of the system")
    (folder / "dog" / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "dog" / "linked.png").symlink_to(folder / "cat" / "1.png")
    (folder / "bird").mkdir()
    data = image_folder(folder)
    said = capsys.readouterr().out
    assert len(data.train_labels) + len(data.test_labels) == 21
    assert data.class_names == ("cat", "dog")
    for words in (
        "cat/notes.txt. This picture cannot be read here",
        "cat/empty.jpg. This file is empty",
        "cat/short.png. This picture is damaged",
        "dog/huge.png. This picture has more than 25 million pixels",
        "dog/gone.png. This cannot be read: it is a closed folder, or a link",
        "left out: bird",
    ):
        assert words in said
    assert ".hidden" not in said
    assert "2 images are almost equal" in said
    assert "the labels differ, as for cat/1.png and dog/linked.png" in said


def test_names_in_any_alphabet(tmp_path):
    names = ("кошка", "犬", "naïve café", "ψ")
    for i, name in enumerate(names):
        (tmp_path / "set" / name).mkdir(parents=True)
        for k in range(2):
            noise(10 * i + k).save(tmp_path / "set" / name / "ø 画.png".replace("ø", str(k)))
    data = image_folder(tmp_path / "set")
    assert sorted(data.class_names) == sorted(names)
    assert data.test_labels.bincount().tolist() == [1, 1, 1, 1]


def test_what_a_system_leaves_in_a_folder_is_no_picture_and_no_class(folder, capsys):
    (folder / "__MACOSX" / "cat").mkdir(parents=True)
    (folder / "__MACOSX" / "cat" / "._1.png").write_bytes(b"of macOS")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (folder / "cat" / name).write_bytes(b"of the system")
    assert image_folder(folder).class_names == ("cat", "dog")
    assert "left out" not in capsys.readouterr().out


def test_two_ways_to_write_one_name_are_one_class(folder):
    for i, name in enumerate(("caf\u00e9", "cafe\u0301")):  # as Windows writes it, and as macOS does
        (folder / name).mkdir()
        noise(300 + i).save(folder / name / "1.png")
    data = image_folder(folder)
    assert data.class_names == ("caf\u00e9", "cat", "dog")
    assert torch.cat([data.train_labels, data.test_labels]).bincount().tolist() == [2, 10, 10]


def test_names_that_are_no_text_and_folders_that_are_closed_are_named(folder, capsys, monkeypatch):
    os.mkdir(os.fsencode(folder) + b"/ma\xf1ana")  # unpacked from an old Windows's ZIP
    for i in range(2):
        noise(300 + i).save(folder / "cat" / f"{i}.png")
        (folder / "cat" / f"{i}.png").rename(os.fsdecode(os.fsencode(folder) + b"/ma\xf1ana/%d.png" % i))
    (folder / "dog" / "closed").mkdir()
    closed, scan = str(folder / "dog" / "closed"), os.scandir

    def scandir(path):
        if str(path) == closed:  # root, who may run the tests, is let in everywhere
            raise PermissionError(13, "Permission denied", closed)
        return scan(path)

    monkeypatch.setattr("os.scandir", scandir)
    assert image_folder(folder, cache=True).class_names == ("cat", "dog", "ma\ufffdana")
    said = capsys.readouterr().out
    assert "dog/closed. This cannot be read: it is a closed folder" in said
    said.encode()  # can be printed


def make(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "has no folders"),
        (("cat",), "has one folder, cat, .*: put the pictures"),
        (("pets/cat", "pets/dog"), "has one folder, pets, .*: give .*/set/pets, or put the pictures"),
        (("cat", "dog"), "pictures in none of its folders; two are needed"),
        (("train", "test"), "is already split, into .*: give one of them"),
        ([f"{i:04}" for i in range(1000)], "has 1,000 folders, but the labs show at most 62"),
    ],
)
def test_a_folder_of_which_no_data_set_comes_is_refused_in_one_line(names, said, tmp_path):
    with pytest.raises(DataError, match=said) as refused:
        image_folder(make(tmp_path / "set", *names) if names else tmp_path)
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, ValueError)


def test_a_folder_that_is_not_there_and_forms_that_are_not_possible(folder):
    for path, said in [(folder / "nowhere", "does not exist"), (folder / "cat" / "1.png", "is a file, not a folder")]:
        with pytest.raises(DataError, match=said):
            image_folder(path)
    for read in (image_folder, npz_file, lambda path: idx_files(path, path)):
        with pytest.raises(DataError, match="None is no path: give the name"):
            read(None)
    for wrong in ({"size": 8}, {"size": 65}, {"size": "28"}, {"channels": 4}, {"prepared": True, "size": 32}):
        with pytest.raises(ValueError, match=r"choose|28×28"):
            image_folder(folder, **wrong)


def test_the_split_depends_on_the_content_alone(folder, tmp_path):
    data = image_folder(folder)
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "copy" / name).mkdir(parents=True)
        for i in reversed(range(10)):
            noise(100 * label + i).save(tmp_path / "copy" / name / f"other name {9 - i}.png")
    assert equal(image_folder(tmp_path / "copy"), data)


def test_near_copies_are_on_one_side(folder, capsys):
    for i in range(10):
        picture = noise(i, (8, 6)).resize((400, 300), Image.Resampling.BICUBIC)
        picture.save(folder / "cat" / f"{i}.png")
        picture.resize((320, 240)).save(folder / "cat" / f"again {i}.jpg", quality=60)
    data = image_folder(folder)
    assert "20 images are almost equal to others" in capsys.readouterr().out
    cats, tests = (
        images[labels == 0].flatten(1).float()
        for images, labels in ((data.train_images, data.train_labels), (data.test_images, data.test_labels))
    )
    assert len(tests) == 4
    assert torch.cdist(tests, cats).min() > 500
    assert (torch.cdist(tests, tests).topk(2, largest=False).values[:, 1] < 200).all()


def test_a_class_of_one_image_trains_and_is_named(folder, capsys):
    (folder / "owl").mkdir()
    noise(999).save(folder / "owl" / "1.png")
    data = image_folder(folder)
    assert (data.train_labels == 2).sum() == 1
    said = capsys.readouterr().out
    assert "few images, which may not be enough to learn from: owl 1" in said
    assert "without a test image: owl" in said


def test_a_second_reading_comes_from_the_file_beside_the_folder_only_if_asked(folder, monkeypatch, capsys):
    first = image_folder(folder, cache=True)
    (kept,) = folder.parent.glob("*.npz")
    said = capsys.readouterr().out
    monkeypatch.setattr("helpers.own_images._read_all", lambda *_: pytest.fail("the pictures were read"))
    assert equal(image_folder(folder, cache=True), first)
    assert capsys.readouterr().out == said
    monkeypatch.undo()
    noise(555).save(folder / "cat" / "new.png")
    assert len(image_folder(folder, cache=True).train_labels) > len(first.train_labels)
    kept.write_bytes(b"damaged")
    assert len(image_folder(folder, cache=True).train_labels) > len(first.train_labels)
    assert kept.stat().st_size > 1000


def idx(array, kind=8, numbers="uint8"):
    header = bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(numbers).tobytes()


@pytest.fixture
def letters(tmp_path):
    """Files like EMNIST's letters: labels begin at 1, one file is packed."""
    images = np.random.default_rng(0).integers(0, 256, (26, 28, 28))
    (tmp_path / "images").write_bytes(gzip.compress(idx(images)))
    (tmp_path / "labels").write_bytes(idx(1 + np.arange(26) % 13))
    return tmp_path, torch.from_numpy(images.astype("uint8"))


def test_files_in_the_format_of_mnist(letters, capsys):
    path, images = letters
    given = path / "images", path / "labels"
    data = idx_files(*given, *given, class_names="abcdefghijklm")
    assert torch.equal(data.train_images[:, 0], images)
    assert data.train_labels.tolist() == [*range(13), *range(13)]
    assert data.class_names[2] == "c"
    turned = idx_files(*given, *given, turned=True)
    assert torch.equal(turned.train_images[:, 0], images.mT)
    assert turned.class_names[0] == "1"
    alone = idx_files(*given)
    assert alone.test_labels.bincount().tolist() == [1] * 13


@pytest.mark.parametrize(
    ("kind", "numbers", "scale"), [(11, ">i2", 1), (12, ">i4", 1), (13, ">f4", 255), (14, ">f8", 255)]
)
def test_files_of_other_numbers_in_the_format_of_mnist(kind, numbers, scale, letters):
    path, images = letters
    (path / "others").write_bytes(idx(images.numpy() / scale, kind, numbers))
    (path / "their labels").write_bytes(idx(1 + np.arange(26) % 13, 12, ">i4"))
    data = idx_files(path / "others", path / "their labels", path / "images", path / "labels")
    assert torch.equal(data.train_images, data.test_images)
    assert torch.equal(data.train_labels, data.test_labels)


def test_files_in_the_format_of_mnist_that_are_something_else(letters):
    path, _ = letters
    (path / "short").write_bytes(gzip.decompress((path / "images").read_bytes())[:-5])
    (path / "cut.gz").write_bytes((path / "images").read_bytes()[:200])
    (path / "zip").write_bytes(b"PK\3\4 and so on")
    (path / "odd").write_bytes(bytes([0, 0, 10, 3, 0, 0, 0, 1]))
    (path / "large").write_bytes(bytes([0, 0, 8, 3, *struct.pack(">3I", 2**20, 2**15, 2**15), 7]))
    (path / "huge").write_bytes(bytes([0, 0, 8, 3, *[255] * 12, 7]))  # more than a C integer can count
    for name, said in [
        ("labels", "holds labels instead of images"),
        ("short", "promises 20,384 numbers but has 20,379"),
        ("large", "numbers but has 1: download"),
        ("huge", "numbers but has 1: download"),
        ("cut.gz", "cannot be read"),
        ("zip", "not in MNIST's format"),
        ("odd", "no numbers of type 10"),
        ("nowhere", "is missing"),
    ]:
        with pytest.raises(DataError, match=said):
            idx_files(path / name, path / "labels")


def test_arrays_in_a_file(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3)).astype("uint8")
    labels = (np.arange(30) % 3)[:, None]  # as MedMNIST has them
    np.savez(tmp_path / "keras.npz", x_train=images, y_train=labels, x_test=images[:6], y_test=labels[:6])
    data = npz_file(tmp_path / "keras.npz", ["a", "b", "c"])
    assert data.train_images.shape == (30, 3, 16, 16)
    assert data.test_labels.tolist() == [0, 1, 2, 0, 1, 2]
    np.savez(tmp_path / "other.npz", pictures=images)
    np.savez(tmp_path / "objects.npz", images=np.array([{}], dtype=object), labels=labels)
    (tmp_path / "text.npz").write_text("text")
    for name, said in [("other", "holds pictures: call its arrays"), ("objects", "cannot be read as arrays"),
                       ("text", "cannot be read as arrays"), ("nowhere", "is missing")]:  # fmt: skip
        with pytest.raises(DataError, match=said):
            npz_file(tmp_path / f"{name}.npz")


def test_arrays_without_test_images_names_or_a_place(capsys):
    sample = fashion_mnist("sample")
    data = ImageData("mine", sample.train_images[:200].flatten(1).numpy(), sample.train_labels[:200].numpy())
    assert data.class_names == tuple("0123456789")
    assert (len(data.train_images) + len(data.test_images), data.train_images.shape[1:]) == (200, (1, 28, 28))
    assert len(data.test_images) == pytest.approx(40, abs=5)
    again = ImageData("mine", sample.train_images[:200].flip(0), sample.train_labels[:200].flip(0))
    assert equal(again, data)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class_names": ["a"]}, "only one class"),
        ({"class_names": 3}, "class_names is 3: give a list of names"),
        ({"train_labels": [0, 1, 10**9] * 2}, "a label is 1,000,000,000"),
        ({"train_images": torch.zeros(0, 1, 28, 28), "train_labels": torch.arange(0)}, "no training images"),
        ({"class_names": ["a", "b", "a"]}, "two classes have the name “a”"),
        ({"class_names": ["a", "b"]}, "labels go from 0 to 2, but there are 2 class names"),
        ({"train_images": torch.zeros(6, 1, 28, 20)}, "expected a square"),
        ({"train_images": torch.zeros(6, 2, 28, 28)}, "expected a square"),
        ({"test_images": torch.zeros(2, 1, 20, 20), "test_labels": [0, 1]}, "a test image"),
        ({"test_images": torch.zeros(2, 1, 28, 28)}, "give both or neither"),
        ({"train_labels": [0, 1]}, "6 images but 2 labels"),
    ],
)
def test_arrays_that_are_no_data_set_are_refused_at_the_door(changes, said):
    given = {"train_images": torch.zeros(6, 1, 28, 28), "train_labels": [0, 1, 2, 0, 1, 2]}
    with pytest.raises(ShapeError, match=said):
        ImageData("mine", **{**given, **changes})
