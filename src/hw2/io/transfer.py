"""Download of a file from a mirror over HTTP, with checked redirects and resumption."""

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from hw2.runtime.progress import Progress, progress

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
_REDIRECTS = 5
_CHUNK = 1 << 16
_UNKNOWN_SIZE = 1 << 30  # more than this is not taken of a file whose size is not published
_LOCAL = ("localhost", "127.0.0.1", "::1")
_HTML = (b"<!doctype html", b"<html", b"<head", b"<?xml")


@dataclass(frozen=True)
class Wanted:
    """A file to download.

    Attributes:
        part: Path of the partial file. Its bytes, if it exists, are not downloaded again.
        name: Label of the progress bar.
        sha256: Of the whole file, 64 hexadecimal digits.
        bytes: Its size, or None where it is not published.
    """

    part: Path
    name: str
    sha256: str
    bytes: int | None


class Failed(Exception):
    """A mirror did not deliver the file. The text continues the mirror's name."""


class Unreachable(Failed):
    """The mirror cannot be connected to."""


class Useless(Failed):
    """The mirror has another file or none, so that trying again would not help."""


def bring(url: str, wanted: Wanted, seconds: float) -> None:
    """Complete `wanted.part` from a mirror, which must be reached within `seconds`.

    Raises:
        Failed: if the download is not complete. Bytes received are kept unless they are wrong.
    """
    for start in (size(wanted.part), 0):  # from 0 again: the old bytes may be the wrong ones
        with _open(url, start, seconds) as response:
            begin = _begin(response, start)
            if begin is not None and _receive(response, wanted, begin):
                return
        if begin == 0:
            break
    raise Useless("sent other bytes than the published ones (has the mirror changed?)")


def _begin(response: requests.Response, start: int) -> int | None:
    """Offset in the file of the first byte of the body; None if the server cannot resume."""
    status = response.status_code
    if status == requests.codes.ok:
        return 0
    if start and status == requests.codes.partial_content:
        resumed = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        return start if resumed else None
    if start and status == requests.codes.requested_range_not_satisfiable:
        return None
    raise (Useless if 400 <= status < 500 else Failed)(f"answered {status}")


def _receive(response: requests.Response, wanted: Wanted, start: int) -> bool:
    """Write the body from byte `start` of the part on; return whether its sha256 is right.

    Raises:
        Failed: if it ends early, is too long, or is a web page.
    """
    length = response.headers.get("Content-Length", "")
    total = wanted.bytes or start + (int(length) if length.isdecimal() else 0)
    with progress(total // 1000, wanted.name, start // 1000, unit="kB") as bar:
        with wanted.part.open("r+b" if start else "wb") as file:
            file.seek(start)
            broken = _copy(response, file, wanted.bytes or _UNKNOWN_SIZE, bar)
            got = file.tell()
            os.fsync(file.fileno())
        if sha256(wanted.part) == wanted.sha256:
            return True
        if not start and is_web_page(wanted.part):
            wanted.part.unlink()
            raise Useless("sent a web page instead of the file")
        if broken or got < (wanted.bytes or 0):
            of = f" of {_mb(wanted.bytes)}" if wanted.bytes else ""
            raise Failed(f"broke off at {_mb(got)}{of} MB ({broken or 'connection closed'})")
    wanted.part.unlink()
    return False


def _copy(response: requests.Response, file: BinaryIO, limit: int, bar: Progress) -> str:
    """Copy the body, up to a little over `limit` bytes; return why it ended early, or ""."""
    while file.tell() <= limit:
        try:
            # Not iter_content: it undoes a Content-Encoding, and loses a chunk that is cut.
            chunk = response.raw.read1(_CHUNK, decode_content=False)
        except urllib3.exceptions.ReadTimeoutError:
            return f"nothing came for {READ_SECONDS:.0f} s"
        except urllib3.exceptions.HTTPError:
            return "connection closed"
        if not chunk:
            break
        file.write(chunk)
        bar.update(file.tell() // 1000 - bar.step)
    return ""


@contextmanager
def _open(url: str, start: int, seconds: float) -> Iterator[requests.Response]:
    """Request the bytes from `start` on, following only redirects that stay encrypted.

    Raises:
        Failed: if there is no response, or a redirect is not acceptable.
    """
    # "identity": a server that packs on the way would change the bytes that the sha256 is of.
    # "close": no request goes out on a connection that the server is just closing.
    headers = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "hw2"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.Session() as session:
        for _ in range(_REDIRECTS + 1):
            response = _request(session, url, headers, seconds)
            with response:
                if not response.is_redirect:
                    yield response
                    return
                url = _redirected(url, response.headers["Location"])
    raise Failed(f"redirected more than {_REDIRECTS} times")


def _request(
    session: requests.Session, url: str, headers: dict[str, str], seconds: float
) -> requests.Response:
    _probe(url, seconds)
    try:
        return session.get(
            url,
            headers=headers,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
    except requests.exceptions.SSLError as error:
        raise Failed("did not prove its identity (bad certificate)") from error
    except requests.exceptions.Timeout as error:
        raise Failed("did not answer in time") from error
    except requests.RequestException as error:
        raise Failed(f"gave no answer ({type(error).__name__})") from error


def _redirected(url: str, location: str) -> str:
    """Return the target of a redirect.

    Raises:
        Failed: if that is unencrypted: from https never, from http on this machine only there.
    """
    target = urljoin(url, location)
    scheme = urlsplit(target).scheme
    if scheme != "https" and (urlsplit(url).scheme == "https" or not acceptable(target)):
        raise Failed(f"redirected to an unencrypted address ({target}), which is not followed")
    return target


def acceptable(url: str) -> bool:
    """Whether a URL is encrypted or on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)


def _probe(url: str, seconds: float) -> None:
    """Connect to the server, or to the proxy for it, within `seconds`.

    `requests` bounds each attempt at an address, but not the look-up of the name, which takes a
    quarter of a minute and more where there is no network.

    Raises:
        Unreachable: if that fails.
    """
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    endpoint = urlsplit((proxy if "//" in proxy else f"http://{proxy}") if proxy else url)
    address = (
        endpoint.hostname or "",
        endpoint.port or (443 if endpoint.scheme == "https" else 80),
    )
    failure = [f"no answer in {seconds:.0f} s"]

    def call() -> None:
        try:
            socket.create_connection(address, timeout=seconds / 2).close()  # of each address
            failure[0] = ""
        except OSError as error:
            failure[0] = error.strerror or str(error)

    thread = threading.Thread(target=call, daemon=True)  # never waited for longer than that
    thread.start()
    thread.join(seconds)
    if reason := failure[0]:
        raise Unreachable(f"cannot be reached ({reason})")


def is_web_page(path: Path) -> bool:
    """Whether a file starts like an HTML page, which a server may send instead of the file."""
    with path.open("rb") as file:
        return file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML)


def sha256(path: Path) -> str:
    """The SHA-256 of the file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size(path: Path) -> int:
    """Size of a file in bytes; 0 if it does not exist."""
    return path.stat().st_size if path.exists() else 0


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f}"
