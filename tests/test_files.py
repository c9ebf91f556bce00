"""New files are whole or not there, and replace nothing unasked."""

import pytest

from helpers.files import new_file, refuse_to_replace


def test_a_new_file_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new"
    with new_file(path) as file:
        file.write(b"all of it")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_while_writing_leaves_nothing(error, tmp_path):
    with pytest.raises(error), new_file(tmp_path / "new") as file:
        file.write(b"half of")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_replaced(tmp_path):
    path = tmp_path / "mine"
    path.write_bytes(b"my work")
    with pytest.raises(FileExistsError, match="mine exists already"), new_file(path) as file:
        file.write(b"yours")
    assert path.read_bytes() == b"my work"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_there_is_replaced_when_asked_for(tmp_path):
    path = tmp_path / "mine"
    path.write_bytes(b"my work")
    with new_file(path, overwrite=True) as file:
        file.write(b"yours")
    assert path.read_bytes() == b"yours"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_while_replacing_leaves_what_was_there(tmp_path):
    path = tmp_path / "mine"
    path.write_bytes(b"my work")
    with pytest.raises(OSError, match="disk full"), new_file(path, overwrite=True) as file:
        file.write(b"you")
        raise OSError("disk full")
    assert path.read_bytes() == b"my work"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_oserror(tmp_path):
    with pytest.raises(OSError, match="missing"), new_file(tmp_path / "missing" / "new"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_an_oserror(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError), new_file(tmp_path / "file" / "new"):
        pass


def test_refusing_looks_only_at_what_is_there(tmp_path):
    refuse_to_replace(tmp_path / "new")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileExistsError, match="folder"):
        refuse_to_replace(tmp_path / "folder")
