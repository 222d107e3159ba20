"""Downloads from a list of mirrors, resumed and verified.

A file appears under its name only when its size and sha256 are the published ones. Until then it
is `<name>.part`, and the next attempt, also in a later run, continues where that ends.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hw2.io import transfer
from hw2.runtime.errors import UserError

OFFLINE_SECONDS = 8.0  # all mirrors together, until the error that none can be reached
_ROUNDS = 10  # through the mirrors, while each round brings something

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
        if not self.urls or not all(transfer.acceptable(url) for url in self.urls):
            raise ValueError(f"{self.name}: every mirror needs https")
        if Path(self.name).name != self.name or len(self.sha256) != 64:
            raise ValueError(f"{self.name}: a plain name and a whole sha256 are needed")


def get(remote: Remote, folder: Path) -> Path:
    """Return the path of `remote` in `folder`, after downloading it if it does not exist.

    An existing file, put there by hand or by an earlier run, is verified and used.

    Raises:
        UserError: if a file of this name is there and is another one, if no mirror gave the
            file (the message lists the reason of each), or if the disk refuses.
    """
    path = folder / remote.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
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
            " free some space or correct the permissions, then run again"
        ) from error
    log.info("%s: %s, %s, sha256 verified; terms: %s", path, remote.about, source, remote.licence)
    return path


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
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
    result = transfer.sha256(path)
    if result != remote.sha256:
        size = f"{transfer.size(path)} bytes, sha256 {result}"
        what = "a web page" if transfer.is_web_page(path) else size
        raise UserError(
            f"{path}: is {what}, not the published file (sha256 {remote.sha256});"
            " delete it or move it away, then it is downloaded"
        )


def _download(remote: Remote, part: Path) -> str:
    """Bring all of `remote` into `part`; returns from where."""
    if os.path.lexists(part) and (part.is_symlink() or not part.is_file()):
        raise UserError(f"{part}: is no regular file; move it away, then run again")
    if part.exists() and transfer.sha256(part) == remote.sha256:  # killed just before the last step
        return "by an earlier run"
    seconds = min(transfer.CONNECT_SECONDS, OFFLINE_SECONDS / len(remote.urls))
    wanted = transfer.Wanted(part, remote.name, remote.sha256, remote.bytes)
    failures: dict[str, transfer.Failed] = {}
    for _ in range(_ROUNDS):
        before = transfer.size(part)
        for url in remote.urls:
            if isinstance(failures.get(url), transfer.Useless):
                continue
            try:
                transfer.bring(url, wanted, seconds)
                return f"from {url}"
            except transfer.Failed as failure:
                failures[url] = failure
                log.info("%s: %s %s", remote.name, urlsplit(url).netloc, failure)
        if transfer.size(part) <= before:
            break
    raise UserError(_explained(remote, part, failures))


def _explained(remote: Remote, part: Path, failures: dict[str, transfer.Failed]) -> str:
    """What went wrong with every mirror, and what to do, in one line."""
    by_hand = f"put {remote.name} (sha256 {remote.sha256}) into {part.parent}"
    if all(isinstance(failure, transfer.Unreachable) for failure in failures.values()):
        hosts = " nor ".join(urlsplit(url).netloc for url in failures)
        return f"offline: {by_hand}, from {remote.urls[0]} (cannot reach {hosts})"
    reasons = "; ".join(f"{urlsplit(url).netloc} {failure}" for url, failure in failures.items())
    return f"{remote.name} could not be downloaded: {reasons}; run again later, or {by_hand}"
