"""Where to compute: the device and the number of threads, from `runtime` or the environment."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from hw2.runtime import allocator, ranks
from hw2.runtime.errors import UserError

if TYPE_CHECKING:
    import torch

# OpenMP's threads would spin while they wait, and take the cores from the threads of ours that have
# work (training.parallel): up to ten times the processor time, and slower. The
# variable is read when torch is loaded, which every stage and command does after this module.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA's, the same in WSL, and AMD's


def prepare(name: str, threads: int) -> "torch.device":
    """Make this process ready to compute: `choose` and `use_threads`, with fast settings for both.

    Raises:
        UserError: for a device that this machine does not have, or an invalid variable.
    """
    allocator.keep_freed_memory()
    use_threads(threads)
    device = choose(name)
    use_tensor_cores(device)
    return device


def choose(name: str = "auto") -> "torch.device":
    """The device of that name: auto, cpu, cuda or cuda:N. HW2_DEVICE goes before `name`.

    Of several processes on a machine each gets a GPU of its own.

    Raises:
        UserError: for another name, a CUDA device that this machine does not have, or one that
            several processes would have to share.
    """
    import torch  # here, because figures and `hw2 --help` do without it

    override = os.environ.get("HW2_DEVICE", "")
    key = "HW2_DEVICE" if override else "runtime.device"
    name = override or name
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise UserError(f"{key}: {name!r} is no device; write auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if count else "cpu"
    if name.startswith("cuda") and ranks.count_here() > 1:
        if name != "cuda" or ranks.count_here() > count:
            raise UserError(
                f"{key}: {name!r} for {ranks.count_here()} processes and {count} CUDA device(s);"
                " each process needs one of its own: write auto, or lower runtime.processes"
            )
        name = f"cuda:{ranks.own_here()}"
        torch.cuda.set_device(name)  # nccl takes the current device for its own
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        available = f"{count} CUDA device(s)" if count else "no CUDA device"
        raise UserError(
            f"{key}: {name!r} is requested, but there is {available}; write auto or cpu"
        )
    return device


def has_gpu() -> bool:
    """Whether there may be a GPU to compute on, told by its driver without importing torch."""
    if os.environ.get("HW2_DEVICE") == "cpu" or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    return any(os.path.exists(driver) for driver in _DRIVERS)


def use_tensor_cores(device: "torch.device") -> None:
    """Let products and convolutions in fp32 use TF32 on a GPU, which rounds factors to 11 bits."""
    import torch

    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True


def fastest_precision(device: "torch.device") -> Literal["fp32", "bf16", "fp16"]:
    """What `precision: auto` means: bf16 where it is fastest, else fp16 on a GPU, fp32 on a CPU.

    A GPU before NVIDIA's Ampere emulates bf16. A processor computes it in half of the time of fp32
    with AMX; with AVX512-BF16 alone it takes a fifth longer than fp32, and without both, three
    times as long (docs/design-notes.md).
    """
    import torch

    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16" if torch.cpu._is_amx_tile_supported() else "fp32"


def use_threads(count: int) -> int:
    """Let PyTorch use `count` threads, 0 for all cores this process may use; return the number.

    HW2_THREADS goes before `count`. Several processes on a machine divide the threads.
    """
    import torch

    override = os.environ.get("HW2_THREADS", "")
    if override:
        if not override.isdecimal():
            raise UserError(f"HW2_THREADS: {override!r} is no count; write 0 (all cores) or more")
        count = int(override)
    threads = max(1, (count or usable_cores()) // ranks.count_here())
    torch.set_num_threads(threads)
    return threads


@contextmanager
def one_thread() -> Iterator[None]:
    """One of PyTorch's threads for the caller, whose sums then have the same bits everywhere.

    For work that is not divided among a `ParallelMap`: the order in which an operation adds
    depends on how many threads share it. In a training whose batches run in a `ParallelMap`, the
    caller is left with hundreds of small weights; waking a second thread for each of them took two
    thirds of the time of a step of the small Stable Diffusion.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def usable_cores() -> int:
    """The number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
