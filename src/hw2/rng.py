"""Named random streams: `torch_rng(seed, "ddpm", "noise", 7)` is the same in every process.

A stream is known by its names, not by when it is drawn from, so adding a consumer of randomness
moves no other stream, and image 7 has the same noise whatever the batch size is.
"""

import hashlib
import json
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive(seed: int, *names: str | int) -> int:
    """A seed for the stream `names`: an integer in [0, 2**63), equal in all processes.

    JSON keeps what plain joining would lose: "1" differs from 1, and ("a", "b") from ("ab",).
    """
    parts = [n if isinstance(n, str) else operator.index(n) for n in (seed, *names)]
    text = json.dumps(parts, separators=(",", ":"))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def numpy_rng(seed: int, *names: str | int) -> np.random.Generator:
    """NumPy generator of the stream. PCG64 is named because `default_rng` may change its mind."""
    return np.random.Generator(np.random.PCG64(derive(seed, *names)))


def torch_rng(
    seed: int, *names: str | int, device: "torch.device | str" = "cpu"
) -> "torch.Generator":
    """PyTorch generator of the stream, which draws on `device`.

    The streams of a GPU are counter-based (Philox), so that a new generator costs nothing there.
    Their numbers are not those of the CPU and may differ between models of GPUs.
    """
    import torch  # here, so that figures can import this module without torch

    return torch.Generator(device=device).manual_seed(derive(seed, *names))


@contextmanager
def seeded_init(seed: int, *names: str | int) -> Iterator[None]:
    """Initial weights that are built in the block come from the stream, always on the CPU.

    PyTorch's global stream is as before when the block ends.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, *names))
        yield
