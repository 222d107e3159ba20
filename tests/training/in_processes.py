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

_CONTEXT = multiprocessing.get_context("fork")  # torch is imported already


@dataclass(frozen=True)
class Raised:
    """An exception of a process: its type and its text."""

    kind: type[BaseException]
    text: str


def in_processes(count: int, work: Callable[[int], Any], folder: Path) -> list[Any]:
    """What `work(rank)` returns in each process, `Raised`, or None of a process that was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(socket.create_server(("localhost", 0))) as probe:
        port = probe.getsockname()[1]
    paths = [folder / f"result-{rank}.pt" for rank in range(count)]
    for path in paths:
        path.unlink(missing_ok=True)
    members = [
        _CONTEXT.Process(target=_member, args=(rank, count, port, work, paths[rank]))
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
