"""Runs a function in several processes, as torchrun does but without the seconds that it takes."""

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import torch

# A process that stays without threads, and from which fresh ones are forked in no time. One forked
# from the process of the tests would wait for threads that other tests have started there.
_SERVER = multiprocessing.get_context("forkserver")
_STAGES = ("ddpm_train", "dann_train", "personalization_train")
_SERVER.set_forkserver_preload(["torch._dynamo", *(f"hw2.stages.{name}" for name in _STAGES)])


@dataclass(frozen=True)
class Raised:
    """An exception of a process: its type and its text."""

    kind: type[BaseException]
    text: str


def in_processes(count: int, work: Callable[[int], Any], folder: Path) -> list[Any]:
    """What `work(rank)` returns in each process, `Raised`, or None of a process that was killed.

    `work` may be a function within a test: it is pickled with what it refers to. The processes
    compute with one thread each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with closing(socket.create_server(("localhost", 0))) as probe:
        port = probe.getsockname()[1]
    paths = [folder / f"result-{rank}.pt" for rank in range(count)]
    for path in paths:
        path.unlink(missing_ok=True)
    pickled = _pickled(work)
    members = [
        _SERVER.Process(target=_member, args=(rank, count, port, pickled, paths[rank]))
        for rank in range(count)
    ]
    for member in members:
        member.start()
    for member in members:
        member.join(300)
        if member.is_alive():
            member.kill()
    return [torch.load(p, weights_only=False) if p.exists() else None for p in paths]


def _pickled(work: Callable[[int], Any]) -> bytes:
    """Pytest imports modules of tests in a way of its own, so their functions go by value."""
    if isinstance(work, partial):  # of a function that can be imported
        return bytes(cloudpickle.dumps(work))
    module = sys.modules[work.__module__]
    cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(work))
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _member(rank: int, count: int, port: int, pickled: bytes, path: Path) -> None:
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
        result = cloudpickle.loads(pickled)(rank)
    except (Exception, SystemExit) as error:
        result = Raised(type(error), str(error))
    torch.save(result, path)
