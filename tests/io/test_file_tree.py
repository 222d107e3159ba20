"""A folder and a zip of the same files are the same tree."""

import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from hw2.io.file_tree import Unreadable, listed, open_tree
from hw2.runtime.errors import UserError

FILES = {
    **{"p/q/r/deep first": b"deepest", "p/q/s/other": b"", "a.txt": b"top", "x/b.txt": b"below"},
    **{"x/y z/数字.txt": b"deep", "x/.hidden": b"", "p/last": b""},
}


def folder(path: Path) -> Path:
    for name, content in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def packed(path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(params=["folder", "zip", "stored"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    methods = {"zip": zipfile.ZIP_DEFLATED, "stored": zipfile.ZIP_STORED}
    if request.param == "folder":
        return folder(tmp_path / "tree")
    return packed(tmp_path / "tree.zip", methods[request.param])


def test_a_tree_lists_and_reads_its_files(made: Path) -> None:
    with open_tree(made, "") as tree:
        assert (tree.folders(""), tree.files("")) == ({"x", "p"}, {"a.txt"})
        assert (tree.folders("p"), tree.files("p")) == ({"q"}, {"last"})
        assert tree.folders("p/q") == {"r", "s"}
        assert (tree.folders("x"), tree.files("x")) == ({"y z"}, {"b.txt", ".hidden"})
        assert (tree.folders("nowhere"), tree.files("nowhere")) == (set(), set())
        assert {name: tree.read(name, 10) for name in FILES} == FILES
        assert tree.repeated("x") == set()


def test_a_file_above_the_limit_is_not_read(made: Path) -> None:
    with open_tree(made, "") as tree:
        assert tree.read("x/b.txt", 5) == b"below"
        with pytest.raises(Unreadable, match="more than 4 bytes"):
            tree.read("x/b.txt", 4)


@pytest.mark.parametrize("name", ["absent", "x/absent", "x"])
def test_a_path_that_is_no_file_is_unreadable(made: Path, name: str) -> None:
    with open_tree(made, "") as tree, pytest.raises(Unreadable, match="cannot be read"):
        tree.read(name, 10)


def test_a_pipe_is_no_file_of_the_tree(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with open_tree(tmp_path, "") as tree:
        assert tree.files("") == set()


def test_a_repeated_name_in_a_zip_is_reported(tmp_path: Path) -> None:
    path = packed(tmp_path / "tree.zip")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("x/b.txt", b"other")
    with open_tree(path, "") as tree:
        assert tree.repeated("x") == {"b.txt"}


def test_row_67_found_20_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(10_000_000))
    with open_tree(tmp_path / "bomb.zip", "") as tree, pytest.raises(Unreadable, match="more than"):
        tree.read("bomb", 1000)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_found_20_a_zip_whose_headers_lie_takes_no_memory(tmp_path: Path, method: int) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("bomb", bytes(10_000_000))
    stated = (10_000_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(stated, (10).to_bytes(4, "little")))
    tracemalloc.start()
    with open_tree(path, "") as tree, pytest.raises(Unreadable, match="another method"):
        tree.read("bomb", 1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_flipped_byte_in_a_zip_is_detected(tmp_path: Path) -> None:
    path = packed(tmp_path / "tree.zip", zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"below", b"bElow"))
    with open_tree(path, "") as tree, pytest.raises(Unreadable, match="CRC"):
        tree.read("x/b.txt", 10)


@pytest.mark.parametrize("flag", ["encrypted", "method"])
def test_a_member_that_cannot_be_unpacked_is_unreadable(tmp_path: Path, flag: str) -> None:
    path = packed(tmp_path / "tree.zip", zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\1\2")
    if flag == "encrypted":
        content[6] |= 1
        content[entry + 8] |= 1
    else:
        content[8], content[entry + 10] = 97, 97
    path.write_bytes(content)
    with open_tree(path, "") as tree, pytest.raises(Unreadable):
        tree.read(next(iter(FILES)), 10)


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"PK\x03\x04"])
def test_the_error_for_a_file_that_is_no_zip_has_the_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tree.zip"
    path.write_bytes(content)
    with (
        pytest.raises(UserError, match=r"whole zip archive .*; do this"),
        open_tree(path, "do this"),
    ):
        pass


def test_the_error_for_an_absent_path_has_the_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="is not there; do this"),
        open_tree(tmp_path / "absent", "do this"),
    ):
        pass


def test_hidden_files_and_folders_are_not_listed(tmp_path: Path) -> None:
    for name in ("b.png", "a.PNG", "._b.png", ".DS_Store", "note.txt"):
        (tmp_path / name).touch()
    (tmp_path / "c.png").mkdir()
    assert [path.name for path in listed(tmp_path, (".png",))] == ["a.PNG", "b.png"]
    assert [path.name for path in listed(tmp_path)] == ["a.PNG", "b.png", "note.txt"]
    assert listed(tmp_path / "absent") == []


def test_found_07_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xa4\xa4.png")).touch()
    with pytest.raises(UserError, match="is not UTF-8; rename it") as caught:
        listed(tmp_path)
    assert str(caught.value).isprintable()
