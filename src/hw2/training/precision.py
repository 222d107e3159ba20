"""The precision of a forward pass."""

from typing import Literal

import torch


def autocast(device: torch.device, precision: Literal["fp32", "bf16"]) -> torch.autocast:
    """A context whose operations run in bf16 if asked for.

    Autocast's cache of cast weights is off: threads share it, so that the bits of a gradient would
    depend on which thread leaves its context first.
    """
    bf16 = precision == "bf16"
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16, cache_enabled=False)
