"""Files from the internet: taken from one of several mirrors, resumed, and verified.

A file appears under its name only when its size and sha256 are the published ones. Until then it
is `<name>.part`, and the next attempt, also of a later run, goes on where that ends.
"""

import fcntl
import hashlib
import logging
import os
import socket
import tarfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from hw2.errors import UserError
from hw2.progress import Progress, progress

CONNECT_SECONDS = 5.0
OFFLINE_SECONDS = 8.0  # all mirrors together, until it is said that none can be reached
READ_SECONDS = 30.0
_ROUNDS = 10  # through the mirrors, while each round brings something
_REDIRECTS = 5
_CHUNK = 1 << 16
_UNKNOWN_SIZE = 1 << 30  # more than this is not taken of a file whose size is not published
_LOCAL = ("localhost", "127.0.0.1", "::1")
_HTML = (b"<!doctype html", b"<html", b"<head", b"<?xml")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """A public file.

    Attributes:
        name: Its name in the folder, without a path.
        urls: Mirrors, the best first; https, or http on this machine.
        sha256: Of the whole file, 64 hexadecimal digits.
        bytes: Its size, or None where it is not published.
        licence: On what terms it may be used.
        about: What it is, in a few words.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str
    bytes: int | None
    licence: str
    about: str

    def __post_init__(self) -> None:
        if not self.urls or not all(_acceptable(url) for url in self.urls):
            raise ValueError(f"{self.name}: every mirror needs https")
        if Path(self.name).name != self.name or len(self.sha256) != 64:
            raise ValueError(f"{self.name}: a plain name and a whole sha256 are needed")


class _Failed(Exception):
    """One mirror did not give the file; the text goes on after the mirror's name."""


class _Unreachable(_Failed):
    """Not even a connection."""


class _Useless(_Failed):
    """What this mirror has is not the file; asking it again would not help."""


def get(remote: Remote, folder: Path) -> Path:
    """The path of `remote` in `folder`; it is downloaded unless it is there already.

    A file that is there, put by hand or by an earlier run, is verified and used.

    Raises:
        UserError: if a file of this name is there and is another one, if no mirror gave the
            file (what each of them did is said), or if the disk refuses.
    """
    path = folder / remote.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if os.path.lexists(path):
                _verify_present(path, remote)
                source = "was there already"
            else:
                part = folder / f"{remote.name}.part"
                source = f"downloaded {_download(remote, part)}"
                os.replace(part, path)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read or written ({error.strerror or error});"
            " make room or correct the rights, then run again"
        ) from error
    log.info("%s: %s, %s, sha256 verified; terms: %s", path, remote.about, source, remote.licence)
    return path


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for any other download into this folder; the lock ends with its process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("waiting for another download into %s", folder)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _verify_present(path: Path, remote: Remote) -> None:
    """Refuse a file that is not the published one; it may be the user's, so it stays."""
    if not path.is_file():
        raise UserError(f"{path}: is no file; move it away, then it is downloaded")
    found = _sha256(path)
    if found != remote.sha256:
        what = "a web page" if _is_web_page(path) else f"{_size(path)} bytes, sha256 {found}"
        raise UserError(
            f"{path}: is {what}, not the published file (sha256 {remote.sha256});"
            " delete it or move it away, then it is downloaded"
        )


def _download(remote: Remote, part: Path) -> str:
    """Bring all of `remote` into `part`; returns from where."""
    if os.path.lexists(part) and (part.is_symlink() or not part.is_file()):
        raise UserError(f"{part}: is no regular file; move it away, then run again")
    if part.exists() and _sha256(part) == remote.sha256:  # killed just before the last step
        return "by an earlier run"
    seconds = min(CONNECT_SECONDS, OFFLINE_SECONDS / len(remote.urls))
    failures: dict[str, _Failed] = {}
    for _ in range(_ROUNDS):
        before = _size(part)
        for url in remote.urls:
            if isinstance(failures.get(url), _Useless):
                continue
            try:
                _transfer(url, remote, part, seconds, _size(part))
                return f"from {url}"
            except _Failed as failure:
                failures[url] = failure
                log.info("%s: %s %s", remote.name, urlsplit(url).netloc, failure)
        if _size(part) <= before:
            break
    raise UserError(_explained(remote, part, failures))


def _explained(remote: Remote, part: Path, failures: dict[str, _Failed]) -> str:
    """What went wrong with every mirror, and what to do, in one line."""
    by_hand = f"put {remote.name} (sha256 {remote.sha256}) into {part.parent}"
    if all(isinstance(failure, _Unreachable) for failure in failures.values()):
        hosts = " nor ".join(urlsplit(url).netloc for url in failures)
        return f"offline: {by_hand}, from {remote.urls[0]} (cannot reach {hosts})"
    said = "; ".join(f"{urlsplit(url).netloc} {failure}" for url, failure in failures.items())
    return f"{remote.name} could not be downloaded: {said}; run again later, or {by_hand}"


def _transfer(url: str, remote: Remote, part: Path, seconds: float, start: int) -> None:
    """Bring `part`, of which `start` bytes are there, to its end from one mirror.

    Raises:
        _Failed: if that did not succeed. What was received is kept, unless it is wrong.
    """
    with _open(url, start, seconds) as response:
        begin = _begin(response, start)
        if begin is not None and _receive(response, remote, part, begin):
            return
    if begin == 0:
        raise _Useless("sent other bytes than the published ones (has the mirror changed?)")
    _transfer(url, remote, part, seconds, 0)  # the wrong bytes may be those of before


def _begin(response: requests.Response, start: int) -> int | None:
    """Where in the file the body begins, or None if this server cannot go on at `start`."""
    status = response.status_code
    if status == requests.codes.ok:
        return 0
    if start and status == requests.codes.partial_content:
        found = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        return start if found else None
    if start and status == requests.codes.requested_range_not_satisfiable:
        return None
    raise (_Useless if 400 <= status < 500 else _Failed)(f"answered {status}")


def _receive(response: requests.Response, remote: Remote, part: Path, start: int) -> bool:
    """Write the body behind byte `start` of `part`; returns whether the file is the right one.

    Raises:
        _Failed: if it ends early, is too long, or is a web page.
    """
    length = response.headers.get("Content-Length", "")
    total = remote.bytes or start + (int(length) if length.isdecimal() else 0)
    with progress(total // 1000, remote.name, start // 1000, unit="kB") as bar:
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            broken = _copy(response, file, remote.bytes or _UNKNOWN_SIZE, bar)
            got = file.tell()
            os.fsync(file.fileno())
        if _sha256(part) == remote.sha256:
            return True
        if not start and _is_web_page(part):
            part.unlink()
            raise _Useless("sent a web page instead of the file")
        if broken or got < (remote.bytes or 0):
            of = f" of {_mb(remote.bytes)}" if remote.bytes else ""
            raise _Failed(f"broke off at {_mb(got)}{of} MB ({broken or 'connection closed'})")
    part.unlink()
    return False


def _copy(response: requests.Response, file: BinaryIO, limit: int, bar: Progress) -> str:
    """Copy the body as it comes, to a little over `limit`; returns why it broke off, or ""."""
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
    """The answer to a request for the bytes from `start` on, redirects followed with care.

    Raises:
        _Failed: if there is no answer, or a redirect must not be followed.
    """
    # "identity": a server that packs on the way would change the bytes that the sha256 is of.
    headers = {"Accept-Encoding": "identity", "User-Agent": "hw2"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.Session() as session:
        for _ in range(_REDIRECTS + 1):
            response = _asked(session, url, headers, seconds)
            with response:
                if not response.is_redirect:
                    yield response
                    return
                url = _redirected(url, response.headers["Location"])
    raise _Failed(f"redirected more than {_REDIRECTS} times")


def _asked(
    session: requests.Session, url: str, headers: dict[str, str], seconds: float
) -> requests.Response:
    _knock(url, seconds)
    try:
        return session.get(
            url,
            headers=headers,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
    except requests.exceptions.SSLError as error:
        raise _Failed("did not prove its identity (bad certificate)") from error
    except requests.exceptions.Timeout as error:
        raise _Failed("did not answer in time") from error
    except requests.RequestException as error:
        raise _Failed(f"gave no answer ({type(error).__name__})") from error


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        _Failed: if that is unencrypted: from https never, from http on this machine only there.
    """
    target = urljoin(url, location)
    scheme = urlsplit(target).scheme
    if scheme != "https" and (urlsplit(url).scheme == "https" or not _acceptable(target)):
        raise _Failed(f"redirected to an unencrypted address ({target}), which is not followed")
    return target


def _acceptable(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)


def _knock(url: str, seconds: float) -> None:
    """Try a connection to the server, or to the proxy for it, within `seconds`.

    `requests` bounds each attempt at an address, but not the look-up of the name, which takes a
    quarter of a minute and more where there is no network.

    Raises:
        _Unreachable: if there is none.
    """
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    door = urlsplit((proxy if "//" in proxy else f"http://{proxy}") if proxy else url)
    address = (door.hostname or "", door.port or (443 if door.scheme == "https" else 80))
    answer = [f"no answer in {seconds:.0f} s"]

    def call() -> None:
        try:
            socket.create_connection(address, timeout=seconds / 2).close()  # of each address
            answer[0] = ""
        except OSError as error:
            answer[0] = error.strerror or str(error)

    thread = threading.Thread(target=call, daemon=True)  # never waited for longer than that
    thread.start()
    thread.join(seconds)
    if said := answer[0]:
        raise _Unreachable(f"cannot be reached ({said})")


def _is_web_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f}"


def members(
    path: Path, folder: str, suffix: str, limit: int = 1 << 28
) -> Iterator[tuple[str, bytes]]:
    """The regular files of a tar archive that lie in a folder of this name: name and content.

    Nothing is written to the disk, so what links and `..` in an archive point at is never
    touched.

    Args:
        path: A tar archive, packed or not.
        folder: The last folder of the wanted files' names.
        suffix: How their names end.
        limit: Bytes that all of them together may have.

    Raises:
        UserError: if the archive is damaged, or holds more than `limit`.
    """
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not (member.isreg() and name.parent.name == folder and name.suffix == suffix):
                    continue
                limit -= member.size
                if limit < 0:
                    raise UserError(f"{path}: unpacks to more than it should; do not use it")
                file = archive.extractfile(member)
                assert file is not None  # it is regular
                yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        why = " ".join(str(error).split())  # tarfile lists every packing it tried
        raise UserError(
            f"{path}: not a whole tar archive ({why}); delete it, then it is downloaded again"
        ) from error
