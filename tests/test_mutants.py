"""Every mutation finds its line, wherever that stands today, and a hang is noticed and named."""

import ast
import shutil

import pytest

from tests import mutants
from tests.mutants import MUTATIONS, ROOT, Mutation, fails, spoil


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "helpers", folder / "helpers", ignore=shutil.ignore_patterns("sample", "__pycache__"))
    return folder


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_changes_one_line_and_leaves_python(mutation, folder):
    path, text = spoil(mutation, folder)
    spoilt = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    assert ast.dump(ast.parse(spoilt)) != ast.dump(ast.parse(text))
    assert (ROOT / mutation.first).exists()


@pytest.mark.parametrize("old", ["nothing of the kind", "net"])
def test_a_mutation_whose_line_is_gone_or_stands_twice_is_an_error(old, folder):
    with pytest.raises(ValueError, match="not once"):
        spoil(Mutation("a name", "train", old, "pass", ""), folder)


@pytest.mark.parametrize(
    ("source", "limit", "words"),
    [
        ("def test(): pass", 300, None),
        ("def test(): assert False", 300, "test_it.py::test"),
        ("import time\ndef test(): time.sleep(600)", 300, "test_it.py::test (HANGS: ended after 2 s)"),
        ("import threading, time\ndef test(): threading.Thread(target=time.sleep, args=[600]).start()", 6, "HANGS"),
    ],
    ids=["passes", "fails", "a test that hangs", "a thread that never ends"],
)
def test_a_failure_and_a_hang_are_noticed(source, limit, words, tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "TEST_LIMIT", 2)
    monkeypatch.setattr(mutants, "LIMIT", limit)
    (tmp_path / "test_it.py").write_text(source)
    found = fails(tmp_path, "test_it.py")
    assert found is None if words is None else words in found
