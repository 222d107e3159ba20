"""Checks of `hw2 doctor` on the device, the memory and the disk."""

import os
import re
import shutil
import warnings
from collections.abc import Collection
from pathlib import Path

from hw2.commands import gpu_memory
from hw2.commands.doctor_finding import Finding
from hw2.config import params
from hw2.runtime import device as devices

MINIMUM_MEMORY = 4e9  # bytes; an estimate with room for PyTorch, the data and one training
# Bytes. The outputs of `demo` are 0.35 GB, by dvc.lock; DVC's cache may hold a second copy, and
# trainings write resume files.
MINIMUM_DISK = 2e9
LEAST_DISK = 0.2e9  # bytes, below which stages cannot be expected to write their outputs

_MEMORY = Path("/proc/meminfo")
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


def device(configured: str) -> Finding:
    """The device that stages use: a GPU with its driver, or the CPU with its cores.

    Args:
        configured: `runtime.device` of params.yaml; HW2_DEVICE takes precedence.

    Raises:
        UserError: for a device that this machine does not have.
    """
    import torch

    requested = os.environ.get("HW2_DEVICE") or configured
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of an old driver, which is reported below
        chosen, usable = devices.choose(requested), torch.cuda.is_available()
    cores, driver = f"CPU, {devices.usable_cores()} core(s)", _driver()
    if chosen.type == "cuda":
        gpu = torch.cuda.get_device_properties(chosen)
        memory = f"{gpu.total_memory / 1e9:.0f} GB"
        versions = f"driver {driver or 'unknown'}, CUDA {torch.version.cuda}"
        return Finding("ok", f"{chosen}: {gpu.name}, {memory}, {versions}; {cores}")
    if driver is None or usable or requested == "cpu":
        return Finding("ok", cores)
    return Finding(
        "warn",
        f"{cores}; there is a driver {driver} of NVIDIA, but torch {torch.__version__} finds no GPU"
        f" (built for CUDA {torch.version.cuda or 'none'})",
        "update the driver, install a torch for it, or set HW2_DEVICE=cpu",
    )


def gpu(settings: params.Params, stages: Collection[str]) -> Finding:
    """Whether stages can use the GPU that they would use: its driver and its memory.

    Torch is not imported where no driver is installed.

    Raises:
        UserError: for a device that this machine does not have.
    """
    requested = os.environ.get("HW2_DEVICE") or settings.runtime.device
    if requested == "cpu" or (requested == "auto" and _driver() is None):
        return Finding("ok", "not used")
    finding = device(requested)
    if finding.status != "ok":
        return finding
    import torch

    chosen = devices.choose(requested)
    if chosen.type == "cpu":
        return Finding("ok", "not used")
    available = torch.cuda.get_device_properties(chosen).total_memory
    too_large = {
        stage: size
        for stage, size in gpu_memory.needs(settings, stages).items()
        if size > available
    }
    if not too_large:
        return finding
    return Finding(
        "warn",
        "\n".join(
            f"{stage} needs about {size / 1e9:.1f} GB of the {available / 1e9:.1f} GB of {chosen}"
            for stage, size in too_large.items()
        ),
        "lower the batch_size of the training, or raise its microbatches",
    )


def _driver() -> str | None:
    """The version of NVIDIA's driver on Linux; None if there is none, or the system hides it."""
    try:
        text = _NVIDIA_DRIVER.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    version = re.search(r"\d+\.\d+(\.\d+)?", text)
    return version[0] if version else None


def memory() -> Finding:
    """The memory that a run can have, against MINIMUM_MEMORY."""
    available = _available_memory()
    if available is None:
        return Finding("ok", "this system does not tell how much is available")
    text = f"{available / 1e9:.1f} GB available"
    if available >= MINIMUM_MEMORY:
        return Finding("ok", text)
    return Finding(
        "warn",
        f"{text}, less than the {MINIMUM_MEMORY / 1e9:.0f} GB for the profile demo",
        "end other programs, or lower the batch sizes in params.yaml",
    )


def _available_memory() -> int | None:
    """Bytes that are available, at most the limit of the container; None outside Linux."""
    try:
        found = re.search(r"MemAvailable: *(\d+) kB", _MEMORY.read_text(encoding="utf-8"))
    except OSError:
        return None
    if found is None:
        return None
    try:
        limit = _MEMORY_LIMIT.read_text(encoding="utf-8").strip()
    except OSError:  # not in a container, or one of cgroup version 1
        limit = "max"
    available = int(found[1]) * 1024
    return min(available, int(limit)) if limit.isdecimal() else available


def disk() -> Finding:
    """The free disk space: a warning below MINIMUM_DISK, a failure below LEAST_DISK.

    Between them it is a warning, because a run that is half done needs less than a whole one.
    """
    free = shutil.disk_usage(".").free
    text = f"{free / 1e9:.1f} GB free"
    if free >= MINIMUM_DISK:
        return Finding("ok", text)
    return Finding(
        "warn" if free >= LEAST_DISK else "fail",
        f"{text}; a run of the profile demo needs {MINIMUM_DISK / 1e9:.0f} GB",
        "free some space; `dvc gc --workspace` removes old results from DVC's cache",
    )
