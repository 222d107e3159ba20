"""Runs a function in several processes, as torchrun does but without the seconds that it takes."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # seconds, which each process would spend on its first optimizer

_FORK = multiprocessing.get_context("fork")  # torch is imported already
# A process that stays without threads, and from which fresh ones are forked in no time.
_SERVER = multiprocessing.get_context("forkserver")
_STAGES = ("ddpm_train", "dann_train", "personalization_train")
_SERVER.set_forkserver_preload(["torch._dynamo", *(f"hw2.stages.{name}" for name in _STAGES)])


@dataclass(frozen=True)
class Raised:
    """An exception of a process: its type and its text."""

    kind: type[BaseException]
    text: str


def in_processes(
    count: int, work: Callable[[int], Any], folder: Path, *, fresh: bool = False
) -> list[Any]:
    """What `work(rank)` returns in each process, `Raised`, or None of a process that was killed.

    Args:
        count: The number of processes.
        work: May compute with one thread only, unless the processes are fresh: OpenMP waits for
            threads of the process that was forked, which other tests may have started.
        folder: For the results.
        fresh: Fork the processes from one that has no threads; `work` must be picklable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with closing(socket.create_server(("localhost", 0))) as probe:
        port = probe.getsockname()[1]
    paths = [folder / f"result-{rank}.pt" for rank in range(count)]
    for path in paths:
        path.unlink(missing_ok=True)
    context: Any = _SERVER if fresh else _FORK
    members = [
        context.Process(target=_member, args=(rank, count, port, work, paths[rank]))
        for rank in range(count)
    ]
    for member in members:
        member.start()
    for member in members:
        member.join(300)
        if member.is_alive():
            member.kill()
    return [torch.load(p, weights_only=False) if p.exists() else None for p in paths]


def _member(rank: int, count: int, port: int, work: Callable[[int], Any], path: Path) -> None:
    os.environ |= {
        "RANK": str(rank),
        "WORLD_SIZE": str(count),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(port),
    }
    torch.set_num_threads(1)
    result: Any
    try:
        result = work(rank)
    except (Exception, SystemExit) as error:
        result = Raised(type(error), str(error))
    torch.save(result, path)
