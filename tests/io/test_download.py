"""Downloads against servers on this machine that do what servers on the internet do."""

import errno
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from mirrors import DATA, OTHER, PAGE, SHA, SIZE, Mirrors

from hw2.io import download, transfer
from hw2.io.download import Remote


def test_a_file_is_downloaded_and_its_terms_are_logged(
    mirrors: Mirrors, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        mirrors.get("good")
    assert f"random bytes, downloaded from {mirrors.url('good')}" in caplog.text
    assert "terms: public domain" in caplog.text
    assert "file.bin: kB 300/300" in caplog.text


def test_an_existing_file_is_used(mirrors: Mirrors, caplog: pytest.LogCaptureFixture) -> None:
    mirrors.folder.mkdir()
    mirrors.path.write_bytes(DATA)
    with caplog.at_level(logging.INFO):
        mirrors.get(mirrors.closed)
    assert "was there already" in caplog.text


def put_page(path: Path) -> None:
    path.write_bytes(PAGE)


def put_other(path: Path) -> None:
    path.write_bytes(OTHER)


def put_folder(path: Path) -> None:
    path.mkdir()


def put_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (put_page, "is a web page, not the published file"),
        (put_other, "is 300000 bytes, sha256"),
        (put_folder, "is no file; move it away"),
        (put_link, "is no file; move it away"),
    ],
)
def test_a_different_file_of_the_same_name_is_refused_and_kept(
    mirrors: Mirrors, put: Callable[[Path], None], message: str
) -> None:
    mirrors.folder.mkdir()
    put(mirrors.path)
    before = os.lstat(mirrors.path)
    assert message in mirrors.refusal("good")
    after = os.lstat(mirrors.path)
    for name in ("st_ino", "st_mode", "st_size", "st_mtime_ns"):  # looking at it is allowed
        assert getattr(after, name) == getattr(before, name)
    assert mirrors.requests == []


def test_a_complete_partial_file_is_not_downloaded_again(mirrors: Mirrors) -> None:
    mirrors.folder.mkdir()
    mirrors.part.write_bytes(DATA)
    mirrors.get("good")
    assert mirrors.requests == []


def test_row_34_the_next_mirror_resumes_where_the_first_broke_off(mirrors: Mirrors) -> None:
    mirrors.get("cut", "good")
    assert mirrors.requests == [("cut", None), ("good", f"bytes={SIZE // 2 + 1}-")]


@pytest.mark.parametrize(
    ("behavior", "size"), [("cut", SIZE), ("cut", None), ("understates", SIZE)]
)
def test_a_single_mirror_that_breaks_off_is_tried_again(
    mirrors: Mirrors, behavior: str, size: int | None
) -> None:
    message = mirrors.refusal(behavior, size=size)  # ten halves are not all of it
    assert re.search(r"broke off at 0\.3 (of 0\.3 )?MB", message)
    assert len(mirrors.requests) == 10
    assert DATA.startswith(mirrors.part.read_bytes())
    mirrors.get(behavior, size=size)


def test_attempts_without_progress_end_the_download(mirrors: Mirrors) -> None:
    assert "broke off at 0.1 of 0.3 MB (connection closed)" in mirrors.refusal("cutwhole")
    assert len(mirrors.requests) == 2
    assert mirrors.part.read_bytes() == DATA[: SIZE // 2]
    assert not mirrors.path.exists()
    assert "broke off at 0.0 of 0.3 MB" in mirrors.refusal("silent")


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        ("page", "sent a web page instead of the file"),
        ("other", "sent other bytes than the published ones"),
        ("longer", "sent other bytes than the published ones"),
        ("forbidden", "answered 403"),
        ("broken", "answered 503"),
        ("hangup", "gave no answer"),
        ("circle", "redirected more than 5 times"),
        ("away", "redirected to an unencrypted address (http://example.org/file.bin)"),
    ],
)
@pytest.mark.parametrize("size", [SIZE, None])
def test_row_37_a_mirror_that_fails_is_named_and_the_next_is_tried(
    mirrors: Mirrors, behavior: str, reason: str, size: int | None
) -> None:
    message = mirrors.refusal(behavior, size=size)
    address = f"127.0.0.1:{mirrors.server.server_port}"
    assert f"file.bin could not be downloaded: {address} {reason}" in message
    assert f"put file.bin (sha256 {SHA}) into {mirrors.folder}" in message
    assert list(mirrors.folder.iterdir()) == []
    mirrors.get(behavior, mirrors.closed, "good", size=size)


def test_the_error_lists_the_fault_of_every_mirror(mirrors: Mirrors) -> None:
    message = mirrors.refusal("cutwhole", "forbidden", mirrors.closed)
    assert re.search(
        r"broke off at 0\.1 of 0\.3 MB .*; .* answered 403; .* cannot be reach", message
    )


def test_row_35_a_mirror_with_other_bytes_is_not_tried_twice(mirrors: Mirrors) -> None:
    mirrors.refusal("other", "cutwhole")
    assert [behavior for behavior, _ in mirrors.requests].count("other") == 1


@pytest.mark.parametrize(
    ("name", "url", "sha"),
    [
        ("f", "http://a.org/f", SHA),
        ("f", "ftp://localhost/f", SHA),
        ("../f", "https://a.org/f", SHA),
        ("f", "https://a.org/f", SHA[:40]),
    ],
)
def test_an_unsafe_remote_file_is_refused(name: str, url: str, sha: str) -> None:
    with pytest.raises(ValueError, match="f: "):
        Remote(name, (url,), sha, None, "", "")


def assert_offline(mirrors: Mirrors, *urls: str) -> None:
    message = mirrors.refusal(*urls)
    assert message.startswith(f"offline: put file.bin (sha256 {SHA}) into {mirrors.folder}, from")


def test_row_38_without_a_network_the_error_says_which_file_to_put_where(mirrors: Mirrors) -> None:
    with mock.patch.object(socket, "create_connection", wraps=socket.create_connection) as connect:
        assert_offline(mirrors, mirrors.closed, mirrors.closed.replace("127.0.0.1", "localhost"))
    assert connect.call_count == 2  # each mirror is tried once


def test_connections_that_never_open_are_not_waited_for(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = threading.Event()
    timeouts: list[str] = []

    def swallowed(*_: object, **__: object) -> None:
        if not refused.wait(60):  # far longer than all mirrors together may take
            timeouts.append("waited for a connection until it timed out")
        raise TimeoutError

    monkeypatch.setattr(download, "OFFLINE_SECONDS", 0.4)
    monkeypatch.setattr(socket, "create_connection", swallowed)
    assert_offline(mirrors, "https://a.org/f", "https://b.org/f", "https://c.org/f")
    assert timeouts == []
    refused.set()


def test_time_limits_are_below_ten_seconds() -> None:
    assert download.OFFLINE_SECONDS < 10
    assert transfer.CONNECT_SECONDS < 10


def test_a_proxy_is_used_and_a_dead_one_means_offline(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", mirrors.closed.removesuffix("/file.bin"))
    assert_offline(mirrors, "https://example.org/file.bin")
    monkeypatch.setenv("HTTPS_PROXY", mirrors.closed.removesuffix("/file.bin")[len("http://") :])
    assert_offline(mirrors, "https://example.org/file.bin")


def test_a_killed_download_leaves_no_file_and_is_resumed(mirrors: Mirrors) -> None:
    code = "import sys; from pathlib import Path; from hw2.io.download import Remote, get; " + (
        f"get(Remote('file.bin', ({mirrors.url('slow')!r},), {SHA!r}, {SIZE}, '', ''),"
        " Path(sys.argv[1]))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(mirrors.folder)])
    try:
        deadline = time.monotonic() + 600  # only to end a hang
        while not (mirrors.part.exists() and mirrors.part.stat().st_size):
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    have = mirrors.part.stat().st_size
    assert not mirrors.path.exists()
    assert DATA.startswith(mirrors.part.read_bytes())
    mirrors.get("slow")
    assert mirrors.requests[-1] == ("slow", f"bytes={have}-")


def test_concurrent_downloads_fetch_the_file_once(mirrors: Mirrors) -> None:
    threads = [threading.Thread(target=mirrors.get, args=("good",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mirrors.get("good")
    assert len(mirrors.requests) == 1


def test_a_full_disk_is_a_one_line_error(mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "cannot be read or written (No space left on device)" in mirrors.refusal("good")
    assert not mirrors.path.exists()
    mirrors.get("good")


def test_a_symbolic_link_in_place_of_the_partial_file_is_not_followed(mirrors: Mirrors) -> None:
    mirrors.folder.mkdir()
    mine = mirrors.folder.parent / "mine"
    mine.write_bytes(b"mine")
    mirrors.part.symlink_to(mine)
    assert f"{mirrors.part}: is no regular file" in mirrors.refusal("good")
    assert mine.read_bytes() == b"mine"
