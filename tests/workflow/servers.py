"""Servers on loopback that hold what DVC pushes: a real sshd, and S3 as moto simulates it."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Remote:
    """A remote of DVC: its URL, and the options that `dvc remote modify` sets."""

    url: str
    options: dict[str, str]

    @property
    def configuration(self) -> str:
        """The text of a .dvc/config.local in which it is the default."""
        options = {"url": self.url} | self.options
        lines = [f"    {option} = {value}" for option, value in options.items()]
        return "\n".join(["[core]", "    remote = server", "['remote \"server\"']", *lines, ""])


@contextmanager
def ssh(folder: Path) -> Iterator[Remote]:
    """An sshd of this user with keys of its own in `folder`; skips the test where there is none."""
    pytest.importorskip("dvc_ssh", reason="needs the extra `ssh`")
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if sshd is None:
        pytest.skip("needs sshd (Debian: apt-get install openssh-server)")
    folder.mkdir()
    for name in ("host_key", "user_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    port = free_port()
    configuration = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host_key",
        "AuthorizedKeysFile": folder / "user_key.pub",
        "StrictModes": "no",  # a folder below /tmp has a parent that everyone may write
        "UsePAM": "no",
        "PidFile": "none",
        "Subsystem": "sftp internal-sftp",
    }
    lines = [f"{key} {value}\n" for key, value in configuration.items()]
    (folder / "sshd_config").write_text("".join(lines))
    if os.getuid() == 0:  # Debian's sshd of root wants this folder, which its service makes
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        command = [sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
        server = subprocess.Popen(command, stderr=log)
    try:
        wait_until(lambda: _listens(port), lambda: (folder / "log").read_text())
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{folder}/store"
        yield Remote(url, {"keyfile": str(folder / "user_key")})
    finally:
        server.terminate()
        server.wait()


@contextmanager
def s3(_: Path) -> Iterator[Remote]:
    """An S3 server with one bucket; skips the test where moto is not installed."""
    pytest.importorskip("dvc_s3", reason="needs the extra `s3`")
    moto = pytest.importorskip("moto.server", reason="needs moto, flask and flask-cors")
    import boto3

    server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        options = {
            "endpointurl": f"http://{host}:{port}",
            "region": "us-east-1",
            "access_key_id": "test",
            "secret_access_key": "test",
        }
        client = boto3.client(
            "s3",
            endpoint_url=options["endpointurl"],
            region_name=options["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        client.create_bucket(Bucket="hw2")
        yield Remote("s3://hw2/store", options)
    finally:
        server.stop()


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    ready: Callable[[], bool], log: Callable[[], str], seconds: float = 300.0, every: float = 0.1
) -> None:
    """Wait for a server; the test fails with its log if it does not become ready.

    `seconds` only ends a hang.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"not ready within {seconds:.0f} s:\n{log()[-4000:]}"
        time.sleep(every)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
