"""Local servers that behave like servers on the internet, and the requests that they get."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from hw2.io import transfer
from hw2.io.download import Remote, get
from hw2.runtime.errors import UserError

SIZE = 300_000
DATA = np.random.Generator(np.random.PCG64(34)).bytes(SIZE)
OTHER = bytes(255 - byte for byte in DATA)
PAGE = b"\n <!DOCTYPE html><html><title>Quota exceeded</title></html>"
SHA = hashlib.sha256(DATA).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The first part of the path says how to behave; the request is recorded.

    Each answer is the last of its connection and says so: a client that is not told may send the
    next request just as the connection ends.
    """

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        behavior = self.path.split("/")[1]
        range_header = self.headers.get("Range")
        self.server.requests.append((behavior, range_header))
        start = int(range_header.split("=")[1].rstrip("-")) if range_header else 0
        getattr(self, behavior)(start)

    def send(self, body: bytes, status: int = 200, length: int | None = None, **more: str) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
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
        self.send_header("Connection", "close")
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
        self.close_connection = True
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
        self.requests: list[tuple[str, str | None]] = []
        self.leave = threading.Event()

    def handle_error(self, *_: object) -> None:
        pass  # a client that has seen enough goes away


@dataclass
class Mirrors:
    server: Server
    folder: Path
    closed: str  # an address where nobody listens

    @property
    def path(self) -> Path:
        return self.folder / "file.bin"

    @property
    def part(self) -> Path:
        return self.folder / "file.bin.part"

    @property
    def requests(self) -> list[tuple[str, str | None]]:
        return self.server.requests

    def url(self, behavior: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{behavior}/file.bin"

    def remote(self, *behaviors: str, size: int | None = SIZE) -> Remote:
        urls = tuple(b if "//" in b else self.url(b) for b in behaviors)
        return Remote("file.bin", urls, SHA, size, "public domain", "random bytes")

    def get(self, *behaviors: str, size: int | None = SIZE) -> None:
        assert get(self.remote(*behaviors, size=size), self.folder) == self.path
        assert self.path.read_bytes() == DATA
        assert sorted(self.folder.iterdir()) == [self.path]

    def bring(self, behavior: str, size: int | None = SIZE) -> None:
        self.folder.mkdir(exist_ok=True)
        url = self.remote(behavior).urls[0]
        transfer.bring(url, transfer.Wanted(self.part, "file.bin", SHA, size), 60)
        assert self.part.read_bytes() == DATA
        assert list(self.folder.iterdir()) == [self.part]

    def refusal(self, *behaviors: str, size: int | None = SIZE) -> str:
        with pytest.raises(UserError) as caught:
            get(self.remote(*behaviors, size=size), self.folder)
        assert "\n" not in str(caught.value)
        return str(caught.value)


@contextmanager
def serving(folder: Path) -> Iterator[Mirrors]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # kept without listening, so that nobody else gets the port
        yield Mirrors(server, folder, f"http://127.0.0.1:{deaf.getsockname()[1]}/file.bin")
    server.leave.set()
    server.shutdown()
    server.server_close()
