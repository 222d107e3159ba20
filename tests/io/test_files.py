"""Files are complete or absent, and what is read is what was written."""

import errno
import math
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hw2.io import atomic, files
from hw2.runtime.errors import UserError


def in_child(work: Callable[[], None]) -> int:
    """Fork, do `work` there, return its process id at once. The child never returns."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def litter(folder: Path) -> list[Path]:
    return list(folder.glob(".tmp-*"))


def test_a_table_with_named_columns_may_be_empty(tmp_path: Path) -> None:
    files.write_table(tmp_path / "t.csv", [], ("step", "loss"))
    assert (tmp_path / "t.csv").read_text() == "step,loss\n"
    assert files.read_table(tmp_path / "t.csv") == []


@pytest.mark.parametrize("attempt", range(4))
def test_a_kill_during_a_write_leaves_the_old_or_the_new_file(tmp_path: Path, attempt: int) -> None:
    target = tmp_path / "data.bin"

    def write_forever() -> None:
        for fill in range(100_000):
            with files.atomic_path(target) as temporary:
                temporary.write_bytes(bytes([fill % 251]) * 400_000)

    pid = in_child(write_forever)
    while not target.exists():
        time.sleep(0.001)
    time.sleep(0.03 + 0.013 * attempt)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    content = target.read_bytes()
    assert len(content) == 400_000
    assert len(set(content)) == 1
    with files.atomic_path(target) as temporary:  # the next writer cleans up
        temporary.write_bytes(b"next")
    assert litter(tmp_path) == []
    assert target.read_bytes() == b"next"


def test_row_28_failure_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), files.atomic_path(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert litter(tmp_path) == []


def test_temporary_name_keeps_the_suffix_and_the_usual_mode(tmp_path: Path) -> None:
    with files.atomic_path(tmp_path / "new" / "fig.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.name.startswith(".tmp-fig.png-")
        temporary.write_bytes(b"x")
        temporary.chmod(0o600)
    (tmp_path / "plain").touch()
    assert (tmp_path / "new/fig.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_files_of_a_folder_are_readable_by_those_who_may_list_it(tmp_path: Path) -> None:
    with atomic.atomic_dir(tmp_path / "model") as folder:
        (folder / "weights.safetensors").touch(mode=0o600)  # as safetensors leaves them
        (folder / "run.sh").touch(mode=0o755)
    allowed = (tmp_path / "model").stat().st_mode & 0o444
    modes = {item.name: item.stat().st_mode & 0o777 for item in (tmp_path / "model").iterdir()}
    assert modes["weights.safetensors"] == 0o600 | allowed
    assert modes["run.sh"] & 0o111


@pytest.mark.parametrize("kind", ["symlink", "fifo", "folder"])
def test_row_19_targets_that_are_no_files_are_refused_untouched(tmp_path: Path, kind: str) -> None:
    real, target = tmp_path / "real", tmp_path / "target"
    real.write_text("kept")
    if kind == "symlink":
        target.symlink_to(real)
    elif kind == "fifo":
        os.mkfifo(target)
    else:
        target.mkdir()
    before = os.lstat(target)
    with pytest.raises(UserError, match="not a regular file"):
        files.write_json(target, {})
    assert os.lstat(target).st_ino == before.st_ino
    assert real.read_text() == "kept"


def test_a_full_disk_is_a_one_line_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.npz"
    files.save_arrays(target, x=np.zeros(10))
    old = target.read_bytes()

    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        with pytest.raises(UserError, match=r"could not write .*a.npz: File too large"):
            files.save_arrays(target, x=np.zeros(10_000))

    _, status = os.waitpid(in_child(fill), 0)
    assert status == 0
    assert target.read_bytes() == old
    assert litter(tmp_path) == []


def test_row_14_full_disk_at_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_json(tmp_path / "a.json", {"a": 1})

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"could not write .*No space left"):
        files.write_json(tmp_path / "a.json", {"a": 2})
    assert files.read_json(tmp_path / "a.json") == {"a": 1}
    assert litter(tmp_path) == []


def test_temporary_files_of_running_processes_and_of_other_names_stay(tmp_path: Path) -> None:
    alive = tmp_path / f".tmp-a.txt-{os.getppid()}-00000000.txt"
    other = tmp_path / ".tmp-b.txt-999999999-00000000.txt"
    dead = tmp_path / ".tmp-a.txt-999999999-00000000.txt"
    reborn = tmp_path / f".tmp-a.txt-{os.getpid()}-00000000.txt"  # our id, an earlier process
    for path in (alive, other, dead, reborn):
        path.touch()
    with files.atomic_path(tmp_path / "a.txt") as temporary:
        temporary.touch()
        atomic.remove_litter(tmp_path, "a.txt")
        assert temporary.exists()
    assert sorted(litter(tmp_path)) == sorted([alive, other])


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "packed"
    for names in (["a", "b"], ["c"]):
        with files.atomic_dir(target) as temporary:
            for name in names:
                (temporary / name).write_text(name)
    assert [p.name for p in target.iterdir()] == ["c"]
    with pytest.raises(ZeroDivisionError), files.atomic_dir(target) as temporary:
        (temporary / "d").touch()
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == ["packed"]
    assert [p.name for p in target.iterdir()] == ["c"]
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="not a folder"), files.atomic_dir(tmp_path / "file"):
        pass


def test_json_is_stable_and_takes_numpy_numbers(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    files.write_json(path, {"b": np.float32(0.5), "a": [np.int64(1), None, "é"]})
    assert path.read_text() == '{\n  "a": [\n    1,\n    null,\n    "é"\n  ],\n  "b": 0.5\n}\n'
    assert files.read_json(path) == {"a": [1, None, "é"], "b": 0.5}


def test_metrics_are_rounded_to_six_digits(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    files.write_metrics(
        path, {"a": [0.47050000000000014], "b": {"c": np.float64(1234567.8)}, "n": 8}
    )
    assert files.read_json(path) == {"a": [0.4705], "b": {"c": 1234570.0}, "n": 8}


@pytest.mark.parametrize("bad", [math.nan, math.inf, np.float32("nan")])
def test_json_names_the_key_of_a_nan(tmp_path: Path, bad: float) -> None:
    with pytest.raises(UserError, match=r"m.json: svhn\.1\.accuracy is (nan|inf)"):
        files.write_json(tmp_path / "m.json", {"svhn": [{}, {"accuracy": bad}]})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", '{"a": 1', '{"a": NaN}', '{"a": 1e999}', "\xff"])
def test_row_33_json_reader_is_strict(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"m\.json: not a complete JSON file") as caught:
        files.read_json(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"gone\.json: cannot be read"):
        files.read_json(tmp_path / "gone.json")


def test_found_10_json_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert files.read_json(tmp_path / "m.json") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' occurs twice"),
        ("[" * 200_000 + "]" * 200_000, "nested too deeply"),
        ("1" * 401, "is not a finite number"),
        ("1" * 5000, "is not a finite number"),
        (r'["\ud800"]', "half of a surrogate pair"),
        (r'{"\uDC00": 1}', "half of a surrogate pair"),
    ],
    ids=["key", "depth", "401 digits", "5000 digits", "text", "key of a surrogate"],
)
def test_found_09_23_json_that_others_accept_in_part_is_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(UserError, match=reason) as caught:
        files.read_json(tmp_path / "m.json")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(tmp_path)) + 150


def test_json_accepts_characters_outside_the_basic_plane(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(r'["\ud83d\ude00"]')
    assert files.read_json(tmp_path / "m.json") == ["😀"]


def test_table_round_trip(tmp_path: Path) -> None:
    rows = [
        {"step": 1, "loss": 0.1 + 0.2, "name": "a, b", "ok": True, "note": None},
        {"step": 2, "loss": 1e-30, "name": 'q"', "ok": False, "note": "nan"},
    ]
    files.write_table(tmp_path / "t.csv", rows)
    assert files.read_table(tmp_path / "t.csv") == rows
    assert b"\r" not in (tmp_path / "t.csv").read_bytes()


def test_faults_of_a_table_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(UserError, match=r"row 2\.loss is nan"):
        files.write_table(path, [{"loss": 1.0}, {"loss": math.nan}])
    with pytest.raises(UserError, match="row 2 has columns"):
        files.write_table(path, [{"a": 1}, {"b": 1}])
    with pytest.raises(UserError, match="at least one row"):
        files.write_table(path, [])
    path.write_text("a,b\n1,2\n3")
    with pytest.raises(UserError, match="line 3 has 1 of 2 cells"):
        files.read_table(path)


def test_arrays_round_trip_with_the_same_bytes(tmp_path: Path) -> None:
    arrays: dict[str, np.ndarray] = {
        "x": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "y": np.array(3.0),
    }
    files.save_arrays(tmp_path / "a.npz", **arrays)
    files.save_arrays(tmp_path / "b.npz", **dict(reversed(arrays.items())))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = files.load_arrays(tmp_path / "a.npz")
    assert loaded["x"].dtype == np.uint8
    np.testing.assert_array_equal(loaded["x"], arrays["x"])
    assert loaded["y"] == 3


def test_row_69_arrays_damaged_or_with_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(ValueError, match="Object arrays"):
        files.save_arrays(path, x=np.array([{}], dtype=object))
    files.save_arrays(path, x=np.arange(1000))
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[3000] ^= 1
    for damaged in (whole[: len(whole) // 2], bytes(flipped), b"", b"<!DOCTYPE html>"):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="not a whole NPZ"):
            files.load_arrays(path)
    np.savez(path, x=np.array([{}], dtype=object))
    with pytest.raises(UserError, match="plain arrays"):
        files.load_arrays(path)
