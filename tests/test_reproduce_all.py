"""`make reproduce`: which experiments it measures, and what it writes."""

import json

import pytest

from helpers import reproduce_all
from helpers.experiments import EXPERIMENTS, measured


@pytest.fixture
def files(monkeypatch, tmp_path):
    """The three files that it writes, as copies in a folder of their own; nothing is trained: {what: path}."""
    paths = {
        "MEASURED": tmp_path / "measured.json",
        "README": tmp_path / "README.md",
        "FIGURE": tmp_path / "figure.png",
    }
    paths["README"].write_text(f"before\n{reproduce_all.BEGIN}old\n{reproduce_all.END}after\n")
    for name, path in paths.items():
        monkeypatch.setattr(reproduce_all, name, path)
    old = measured()
    monkeypatch.setattr(reproduce_all, "measured", lambda: json.loads(paths["MEASURED"].read_text()))
    paths["MEASURED"].write_text(json.dumps(old))

    def reproduce(keys, full):
        return {key: {**old["experiments"][key], "test_accs": [0.111 if full else 0.222]} for key in keys}

    monkeypatch.setattr(reproduce_all, "reproduce", reproduce)
    monkeypatch.setattr(reproduce_all, "tell", lambda: [])
    return paths


def accuracies(files):
    rows = json.loads(files["MEASURED"].read_text())["experiments"]
    return {key: row["test_accs"] for key, row in rows.items()}


def test_one_experiment_leaves_the_other_rows_as_they_are(files):
    before = accuracies(files)
    reproduce_all.main(["R7"])
    assert accuracies(files) == before | {"R7": [0.222]}


@pytest.mark.parametrize(("arguments", "accuracy"), [([], 0.222), (["--full"], 0.111)])
def test_without_names_all_are_measured(arguments, accuracy, files):
    reproduce_all.main(arguments)
    assert accuracies(files) == {key: [accuracy] for key in EXPERIMENTS}


def test_show_measures_nothing_and_replaces_the_table_only(files):
    before = files["MEASURED"].read_bytes()
    reproduce_all.main(["--show"])
    assert files["MEASURED"].read_bytes() == before
    text = files["README"].read_text()
    assert text.startswith(f"before\n{reproduce_all.BEGIN}| |")
    assert text.endswith(f"{reproduce_all.END}after\n")
    assert "old" not in text
    assert files["FIGURE"].read_bytes().startswith(b"\x89PNG")


def test_an_unknown_name_is_refused_before_anything_is_measured(files, capsys):
    before = files["MEASURED"].read_bytes()
    with pytest.raises(SystemExit) as ended:
        reproduce_all.main(["R9"])
    assert ended.value.code == 2
    assert "there is no experiment R9: choose from R1, R2" in capsys.readouterr().err
    assert files["MEASURED"].read_bytes() == before
