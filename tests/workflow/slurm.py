"""A SLURM cluster of one node on loopback: munged, slurmctld and slurmd, without systemd.

All files are in a temporary folder, but for one: the executor plugin removes SLURM's variables from
the environment of jobs, so that their programs look for /etc/slurm/slurm.conf. It is linked to the
one of this cluster and must not exist before, but for a link that a killed test left.
"""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from servers import free_port, wait_until

CONFIGURATION = Path("/etc/slurm/slurm.conf")
ATTEMPTS = 3
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "sinfo", "scontrol", "scancel")
SETTINGS = {
    "ClusterName": "test",
    "SlurmUser": "root",
    "SlurmdUser": "root",
    "AuthType": "auth/munge",
    "CredType": "cred/munge",
    "ProctrackType": "proctrack/linuxproc",
    "TaskPlugin": "task/none",
    "JobAcctGatherType": "jobacct_gather/none",
    "AccountingStorageType": "accounting_storage/none",
    "SelectType": "select/cons_tres",
    "SelectTypeParameters": "CR_Core",
    "GresTypes": "gpu",
    "ReturnToService": "2",
    "MinJobAge": "300",
    "MpiDefault": "none",
    "SlurmdParameters": "config_overrides",  # stages may ask for more memory than there is
    "SchedulerParameters": "sched_interval=1,batch_sched_delay=0",
    # A job gets SIGTERM at its time limit, and SIGKILL these seconds later.
    "KillWait": "30",
}


def skip_unless_possible() -> None:
    """Skip the test where SLURM cannot be started."""
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="needs the extra `slurm`")
    missing = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if missing:
        pytest.skip(
            f"needs {', '.join(missing)} (Debian: apt-get install --no-install-recommends"
            " slurm-wlm munge)"
        )
    if os.getuid() != 0:
        pytest.skip("needs root: slurmd starts jobs as other users")
    if os.path.lexists(CONFIGURATION) and not _is_left_over():
        pytest.skip(f"{CONFIGURATION} exists: this machine belongs to a cluster")


@contextmanager
def cluster(folder: Path, gpus: int = 2) -> Iterator[None]:
    """The running cluster; its GPUs are simulated.

    Another program can take a port between the choice of it and the start of its daemon, so that
    the start is tried again with other ports. Where SLURM ends each time, the test is skipped with
    what it said.
    """
    CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(ATTEMPTS):
        with ExitStack() as stack:
            folder_of_attempt = folder / str(attempt)
            folder_of_attempt.mkdir(parents=True)
            try:
                stack.enter_context(_running(folder_of_attempt, gpus))
            except _DaemonEnded as error:
                reason = str(error)
                continue
            yield
            return
    pytest.skip(f"SLURM does not start here: {reason}")


class _DaemonEnded(Exception):
    """A daemon ended while the cluster started; the text says which one and what it printed."""


@contextmanager
def _running(folder: Path, gpus: int) -> Iterator[None]:
    configuration = _configure(folder, gpus)
    CONFIGURATION.unlink(missing_ok=True)
    CONFIGURATION.symlink_to(configuration)
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for command in _daemons(folder):
            with (folder / f"{command[0]}.out").open("wb") as out:
                program = shutil.which(command[0], path=_path()) or command[0]
                daemons.append(
                    subprocess.Popen(
                        [program, *command[1:]],
                        stdout=out,
                        stderr=subprocess.STDOUT,
                        env=os.environ | {"SLURM_CONF": str(configuration)},
                    )
                )
            if command[0] == "munged":
                wait_until((folder / "munge.socket").exists, lambda: _logs(folder))
        wait_until(lambda: _is_idle(daemons, folder), lambda: _logs(folder), seconds=120, every=1)
        yield
    finally:
        subprocess.run(["scancel", "--user=root"], check=False)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(30)
            except subprocess.TimeoutExpired:
                daemon.kill()
        CONFIGURATION.unlink()


def _is_left_over() -> bool:
    """Whether the configuration is that of a test whose daemons are gone."""
    if not CONFIGURATION.is_symlink():
        return False
    temporary = Path(tempfile.gettempdir()).resolve()
    is_of_test = temporary in CONFIGURATION.readlink().parents
    # Without daemons, it says "DOWN" and fails.
    ping = ["scontrol", "ping"]
    return is_of_test and subprocess.run(ping, capture_output=True, check=False).returncode != 0


def _configure(folder: Path, gpus: int) -> Path:
    host, cores = socket.gethostname(), len(os.sched_getaffinity(0))
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o600)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    devices = [folder / f"gpu{k}" for k in range(gpus)]
    for device in devices:
        device.touch()
    (folder / "gres.conf").write_text(
        "".join(f"NodeName={host} Name=gpu File={device}\n" for device in devices)
    )
    if _version() >= (23, 11):  # earlier ones load no plugin of cgroups for these settings
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
    settings = SETTINGS | {
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": str(free_port()),
        "SlurmdPort": str(free_port()),
        "AuthInfo": f"socket={folder}/munge.socket",
        "StateSaveLocation": str(folder / "state"),
        "SlurmdSpoolDir": str(folder / "spool"),
        "SlurmctldPidFile": str(folder / "slurmctld.pid"),
        "SlurmdPidFile": str(folder / "slurmd.pid"),
    }
    lines = [f"{key}={value}" for key, value in settings.items()]
    lines += [
        f"NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=1000000 Gres=gpu:{gpus}",
        f"PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES",
    ]
    (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
    return folder / "slurm.conf"


def _daemons(folder: Path) -> list[list[str]]:
    munged = [
        *("munged", "--foreground", "--force", f"--key-file={folder}/munge.key"),
        *(f"--socket={folder}/munge.socket", f"--pid-file={folder}/munged.pid"),
        *(f"--log-file={folder}/munged.log", f"--seed-file={folder}/munged.seed"),
    ]
    return [munged, ["slurmctld", "-D", "-i"], ["slurmd", "-D"]]


def _version() -> tuple[int, ...]:
    slurmd = shutil.which("slurmd", path=_path()) or "slurmd"
    said = subprocess.run([slurmd, "-V"], capture_output=True, text=True, check=True)
    return tuple(map(int, said.stdout.split()[-1].split(".")[:2]))


def _is_idle(daemons: list[subprocess.Popen[bytes]], folder: Path) -> bool:
    for daemon, command in zip(daemons, _daemons(folder), strict=True):
        if daemon.poll() is not None:
            said = (folder / f"{command[0]}.out").read_text().splitlines()
            fatal = [line for line in said if "fatal" in line]
            raise _DaemonEnded(f"{command[0]} ended: {(fatal or said or ['no message'])[-1]}")
    listed = subprocess.run(
        ["sinfo", "--noheader", "--format=%t"], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip() == "idle"


def _logs(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.out")))


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin"
