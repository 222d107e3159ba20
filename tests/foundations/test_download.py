"""Downloads against a server on this machine that does what servers on the internet do."""

import errno
import hashlib
import io
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from hw2 import download
from hw2.download import Remote, get
from hw2.errors import UserError

SIZE = 300_000
DATA = np.random.Generator(np.random.PCG64(34)).bytes(SIZE)
OTHER = bytes(255 - byte for byte in DATA)
PAGE = b"\n <!DOCTYPE html><html><title>Quota exceeded</title></html>"
SHA = hashlib.sha256(DATA).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The first part of the path says how to behave; what was asked is noted."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        behaviour = self.path.split("/")[1]
        range_header = self.headers.get("Range")
        self.server.asked.append((behaviour, range_header))
        self.close_connection = True
        start = int(range_header.split("=")[1].rstrip("-")) if range_header else 0
        getattr(self, behaviour)(start)

    def send(self, body: bytes, status: int = 200, length: int | None = None, **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def ranged(self, data: bytes, start: int, stop: int | None = None) -> None:
        if start >= len(data):
            return self.send(b"", 416, Content_Range=f"bytes */{len(data)}")
        where = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        self.send(data[start:stop], 206 if start else 200, length=len(data) - start, **where)

    def good(self, start: int) -> None:
        self.ranged(DATA, start)

    def whole(self, start: int) -> None:
        self.send(DATA)  # knows no ranges

    def cut(self, start: int) -> None:
        self.ranged(DATA, start, start + (SIZE - start) // 2 + 1)

    def cutwhole(self, start: int) -> None:
        self.send(DATA[: SIZE // 2], length=SIZE)

    def silent(self, start: int) -> None:
        self.send(b"", length=SIZE)

    def boasts(self, start: int) -> None:
        self.send(DATA, length=SIZE + 5000)

    def understates(self, start: int) -> None:
        where = {"Content_Range": f"bytes {start}-{SIZE - 1}/{SIZE}"} if start else {}
        self.send(DATA[start:], 206 if start else 200, length=(SIZE - start) // 2 + 1, **where)

    def unmeasured(self, start: int) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(DATA)

    def packed(self, start: int) -> None:
        self.send(DATA, Content_Encoding="gzip")  # says so, but it is not

    def page(self, start: int) -> None:
        self.send(PAGE)

    def other(self, start: int) -> None:
        self.ranged(OTHER, start)

    def longer(self, start: int) -> None:
        self.send(DATA + DATA)

    def elsewhere(self, start: int) -> None:
        if not start:
            return self.send(DATA)
        self.send(DATA[start - 7 :], 206, Content_Range=f"bytes {start - 7}-{SIZE - 1}/{SIZE}")

    def forbidden(self, start: int) -> None:
        self.send(b"", 403)

    def broken(self, start: int) -> None:
        self.send(b"", 503)

    def hangup(self, start: int) -> None:
        self.wfile.close()

    def moved(self, start: int) -> None:
        self.send(b"", 302, Location="/good/elsewhere")

    def circle(self, start: int) -> None:
        self.send(b"", 301, Location="/circle")

    def away(self, start: int) -> None:
        self.send(b"", 302, Location="http://example.org/file.bin")

    def slow(self, start: int) -> None:
        if start:
            return self.ranged(DATA, start)
        self.send(DATA[: SIZE // 2], length=SIZE)
        self.wfile.flush()
        self.server.leave.wait(60)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.leave = threading.Event()

    def handle_error(self, *_: object) -> None:
        pass  # a client that has seen enough goes away


@dataclass
class Mirrors:
    server: Server
    folder: Path
    closed: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}/file.bin")

    @property
    def path(self) -> Path:
        return self.folder / "file.bin"

    @property
    def part(self) -> Path:
        return self.folder / "file.bin.part"

    @property
    def asked(self) -> list[tuple[str, str | None]]:
        return self.server.asked

    def url(self, behaviour: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{behaviour}/file.bin"

    def remote(self, *behaviours: str, size: int | None = SIZE) -> Remote:
        urls = tuple(b if "//" in b else self.url(b) for b in behaviours)
        return Remote("file.bin", urls, SHA, size, "public domain", "random bytes")

    def get(self, *behaviours: str, size: int | None = SIZE) -> None:
        assert get(self.remote(*behaviours, size=size), self.folder) == self.path
        assert self.path.read_bytes() == DATA
        assert sorted(self.folder.iterdir()) == [self.path]

    def refusal(self, *behaviours: str, size: int | None = SIZE) -> str:
        with pytest.raises(UserError) as caught:
            get(self.remote(*behaviours, size=size), self.folder)
        assert "\n" not in str(caught.value)
        return str(caught.value)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def mirrors(tmp_path: Path) -> Iterator[Mirrors]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield Mirrors(server, tmp_path / "raw")
    server.leave.set()
    server.shutdown()
    server.server_close()


def test_a_file_is_downloaded_and_its_terms_are_logged(
    mirrors: Mirrors, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        mirrors.get("good")
    assert f"random bytes, downloaded from {mirrors.url('good')}" in caplog.text
    assert "terms: public domain" in caplog.text
    assert "file.bin: kB 300/300" in caplog.text


@pytest.mark.parametrize("behaviour", ["good", "whole", "unmeasured", "boasts", "packed", "moved"])
@pytest.mark.parametrize("size", [SIZE, None])
def test_whatever_the_server_says_around_it_the_file_is_the_same(
    mirrors: Mirrors, behaviour: str, size: int | None
) -> None:
    mirrors.get(behaviour, size=size)


def test_a_file_that_is_there_is_used(mirrors: Mirrors, caplog: pytest.LogCaptureFixture) -> None:
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
    ("put", "said"),
    [
        (put_page, "is a web page, not the published file"),
        (put_other, "is 300000 bytes, sha256"),
        (put_folder, "is no file; move it away"),
        (put_link, "is no file; move it away"),
    ],
)
def test_another_file_of_the_name_is_refused_and_stays(
    mirrors: Mirrors, put: Callable[[Path], None], said: str
) -> None:
    mirrors.folder.mkdir()
    put(mirrors.path)
    before = os.lstat(mirrors.path)
    assert said in mirrors.refusal("good")
    assert os.lstat(mirrors.path) == before
    assert mirrors.asked == []


@pytest.mark.parametrize("have", [1, 1000, SIZE - 1])
def test_a_partial_file_is_gone_on_with(mirrors: Mirrors, have: int) -> None:
    mirrors.folder.mkdir()
    mirrors.part.write_bytes(DATA[:have])
    mirrors.get("good")
    assert mirrors.asked == [("good", f"bytes={have}-")]


def test_a_whole_part_is_not_asked_for(mirrors: Mirrors) -> None:
    mirrors.folder.mkdir()
    mirrors.part.write_bytes(DATA)
    mirrors.get("good")
    assert mirrors.asked == []


@pytest.mark.parametrize("behaviour", ["whole", "elsewhere"])
def test_a_server_without_ranges_starts_again(mirrors: Mirrors, behaviour: str) -> None:
    mirrors.folder.mkdir()
    mirrors.part.write_bytes(DATA[:1000])
    mirrors.get(behaviour)


WRONG = {"start": OTHER[:1000], "all": OTHER, "more": DATA + b"more", "page": PAGE}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("size", [SIZE, None])
def test_wrong_bytes_of_an_earlier_run_are_replaced(
    mirrors: Mirrors, wrong: str, size: int | None
) -> None:
    mirrors.folder.mkdir()
    mirrors.part.write_bytes(WRONG[wrong])
    mirrors.get("good", size=size)


def test_the_next_mirror_goes_on_where_one_broke_off(mirrors: Mirrors) -> None:
    mirrors.get("cut", "good")
    assert mirrors.asked == [("cut", None), ("good", f"bytes={SIZE // 2 + 1}-")]


@pytest.mark.parametrize(
    ("behaviour", "size"), [("cut", SIZE), ("cut", None), ("understates", SIZE)]
)
def test_one_mirror_that_breaks_off_is_asked_again(
    mirrors: Mirrors, behaviour: str, size: int | None
) -> None:
    message = mirrors.refusal(behaviour, size=size)  # ten halves are not all of it
    assert re.search(r"broke off at 0\.3 (of 0\.3 )?MB", message)
    assert len(mirrors.asked) == 10
    assert DATA.startswith(mirrors.part.read_bytes())
    mirrors.get(behaviour, size=size)


def test_breaking_off_without_progress_ends(mirrors: Mirrors) -> None:
    assert "broke off at 0.1 of 0.3 MB (connection closed)" in mirrors.refusal("cutwhole")
    assert len(mirrors.asked) == 2
    assert mirrors.part.read_bytes() == DATA[: SIZE // 2]
    assert not mirrors.path.exists()
    assert "broke off at 0.0 of 0.3 MB" in mirrors.refusal("silent")


@pytest.mark.parametrize(
    ("behaviour", "said"),
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
def test_a_mirror_that_fails_is_named_and_the_next_is_tried(
    mirrors: Mirrors, behaviour: str, said: str, size: int | None
) -> None:
    message = mirrors.refusal(behaviour, size=size)
    assert f"file.bin could not be downloaded: 127.0.0.1:{mirrors.server.server_port} {said}" in (
        message
    )
    assert f"put file.bin (sha256 {SHA}) into {mirrors.folder}" in message
    assert list(mirrors.folder.iterdir()) == []
    mirrors.get(behaviour, mirrors.closed, "good", size=size)


def test_every_mirror_s_fault_is_said(mirrors: Mirrors) -> None:
    message = mirrors.refusal("cutwhole", "forbidden", mirrors.closed)
    assert re.search(
        r"broke off at 0\.1 of 0\.3 MB .*; .* answered 403; .* cannot be reach", message
    )


def test_a_mirror_with_other_bytes_is_not_asked_twice(mirrors: Mirrors) -> None:
    mirrors.refusal("other", "cutwhole")
    assert [behaviour for behaviour, _ in mirrors.asked].count("other") == 1


def test_an_encrypted_address_is_never_asked_unencrypted(mirrors: Mirrors) -> None:
    """The server speaks no TLS: that fails, and no plain request follows."""
    message = mirrors.refusal(mirrors.url("good").replace("http:", "https:"))
    assert "did not prove its identity" in message
    assert mirrors.asked == []


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://a.org/x/f", "https://b.org/f", "https://b.org/f"),
        ("https://a.org/x/f", "../f", "https://a.org/f"),
        ("https://a.org/f", "//b.org/f", "https://b.org/f"),
        ("https://a.org/f", "http://a.org/f", None),
        ("https://a.org/f", "http://localhost/f", None),
        ("https://a.org/f", "ftp://a.org/f", None),
        ("https://a.org/f", "file:///etc/passwd", None),
        ("http://localhost/f", "http://127.0.0.1:80/f", "http://127.0.0.1:80/f"),
        ("http://localhost/f", "https://a.org/f", "https://a.org/f"),
        ("http://localhost/f", "http://a.org/f", None),
    ],
)
def test_redirects_never_leave_encryption(url: str, location: str, target: str | None) -> None:
    if target is not None:
        assert download._redirected(url, location) == target
    else:
        with pytest.raises(download._Failed, match="unencrypted"):
            download._redirected(url, location)


@pytest.mark.parametrize(
    ("name", "url", "sha"),
    [
        ("f", "http://a.org/f", SHA),
        ("f", "ftp://localhost/f", SHA),
        ("../f", "https://a.org/f", SHA),
        ("f", "https://a.org/f", SHA[:40]),
    ],
)
def test_a_careless_catalogue_is_refused(name: str, url: str, sha: str) -> None:
    with pytest.raises(ValueError, match="f: "):
        Remote(name, (url,), sha, None, "", "")


def check_offline(mirrors: Mirrors, *urls: str) -> None:
    before = time.monotonic()
    message = mirrors.refusal(*urls)
    assert time.monotonic() - before < 10
    assert message.startswith(f"offline: put file.bin (sha256 {SHA}) into {mirrors.folder}, from")


def test_without_a_network_one_line_says_what_to_put_where(mirrors: Mirrors) -> None:
    check_offline(mirrors, mirrors.closed, mirrors.closed.replace("127.0.0.1", "localhost"))


def test_a_network_that_swallows_everything_is_not_waited_for(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "OFFLINE_SECONDS", 0.4)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: time.sleep(60))
    before = time.monotonic()
    check_offline(mirrors, "https://a.org/f", "https://b.org/f", "https://c.org/f")
    assert time.monotonic() - before < 2


def test_the_limits_keep_the_promise() -> None:
    assert download.OFFLINE_SECONDS < 10
    assert download.CONNECT_SECONDS < 10


def test_a_proxy_is_used_and_a_dead_one_means_offline(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", mirrors.closed.removesuffix("/file.bin"))
    check_offline(mirrors, "https://example.org/file.bin")
    monkeypatch.setenv("HTTPS_PROXY", mirrors.closed.removesuffix("/file.bin")[len("http://") :])
    check_offline(mirrors, "https://example.org/file.bin")


def test_killed_in_the_middle_it_leaves_no_file_and_goes_on(mirrors: Mirrors) -> None:
    code = "import sys; from pathlib import Path; from hw2.download import Remote, get; " + (
        f"get(Remote('file.bin', ({mirrors.url('slow')!r},), {SHA!r}, {SIZE}, '', ''),"
        " Path(sys.argv[1]))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(mirrors.folder)])
    try:
        deadline = time.monotonic() + 60
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
    assert mirrors.asked[-1] == ("slow", f"bytes={have}-")


def test_two_at_once_download_it_once(mirrors: Mirrors) -> None:
    threads = [threading.Thread(target=mirrors.get, args=("good",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mirrors.get("good")
    assert len(mirrors.asked) == 1


def test_a_disk_that_refuses_is_one_line(mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "cannot be read or written (No space left on device)" in mirrors.refusal("good")
    assert not mirrors.path.exists()
    mirrors.get("good")


def test_a_link_in_place_of_the_part_is_not_written_through(mirrors: Mirrors) -> None:
    mirrors.folder.mkdir()
    mine = mirrors.folder.parent / "mine"
    mine.write_bytes(b"mine")
    mirrors.part.symlink_to(mine)
    assert f"{mirrors.part}: is no regular file" in mirrors.refusal("good")
    assert mine.read_bytes() == b"mine"


def archive(path: Path, entries: list[tuple[str, bytes, bytes]], mode: str = "w:gz") -> Path:
    """A tar archive of (name, type, content)."""
    with tarfile.open(path, mode) as file:  # type: ignore[call-overload]
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, len(content)
            if kind != tarfile.REGTYPE:
                entry.size, entry.linkname = 0, "/etc/passwd"
            file.addfile(entry, io.BytesIO(content))
    return path


ENTRIES = [
    ("a/train/1.jpg", tarfile.REGTYPE, b"one"),
    ("a/train", tarfile.DIRTYPE, b""),
    ("a/train/2.jpg", tarfile.SYMTYPE, b""),
    ("a/train/3.jpg", tarfile.LNKTYPE, b""),
    ("a/train/4.mat", tarfile.REGTYPE, b"no"),
    ("a/test/5.jpg", tarfile.REGTYPE, b"no"),
    ("../../train/6.jpg", tarfile.REGTYPE, b"six"),
    ("train/7.jpg", tarfile.FIFOTYPE, b""),
]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_regular_members_of_the_folder_are_read_and_nothing_is_written(
    tmp_path: Path, mode: str
) -> None:
    path = archive(tmp_path / "a.tar", ENTRIES, mode)
    assert list(download.members(path, "train", ".jpg")) == [
        ("a/train/1.jpg", b"one"),
        ("../../train/6.jpg", b"six"),
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tgz", [("train/1.jpg", tarfile.REGTYPE, bytes(5000))] * 3)
    assert len(list(download.members(path, "train", ".jpg", limit=15_000))) == 3
    with pytest.raises(UserError, match="unpacks to more than it should"):
        list(download.members(path, "train", ".jpg", limit=14_999))


@pytest.mark.parametrize("data", [b"", PAGE, DATA[:5000]], ids=["empty", "page", "noise"])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.tgz"
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.tgz: not a whole tar archive") as caught:
        list(download.members(path, "train", ".jpg"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_archive_is_refused(tmp_path: Path, share: float) -> None:
    path = archive(tmp_path / "a.tgz", [("train/1.jpg", tarfile.REGTYPE, DATA)])
    path.write_bytes(path.read_bytes()[: int(len(path.read_bytes()) * share)])
    with pytest.raises(UserError, match=r"a\.tgz: not a whole tar archive"):
        list(download.members(path, "train", ".jpg"))
