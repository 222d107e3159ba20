"""The hardware that a command computes on."""

from typing import TYPE_CHECKING

from hw2.config import params
from hw2.runtime import device

if TYPE_CHECKING:
    import torch


def prepare(runtime: params.Runtime) -> "torch.device":
    """Set the number of threads and return the device.

    Args:
        runtime: Section `runtime`; HW2_THREADS and HW2_DEVICE take precedence.

    Raises:
        UserError: for a device that this machine does not have, or an invalid variable.
    """
    return device.prepare(runtime.device, runtime.threads)
