"""The precision of a forward pass, and the scaling of its gradients where that is needed."""

from typing import Literal

import torch

from hw2.runtime.device import native_bf16

Precision = Literal["fp32", "bf16"]


def dtype(device: torch.device, precision: Precision) -> torch.dtype:
    """The data type of matrix products and convolutions.

    bf16 is fp16 on a GPU that only emulates bf16 (before NVIDIA's Ampere).
    """
    if precision == "fp32":
        return torch.float32
    emulated = device.type == "cuda" and not native_bf16(device)
    return torch.float16 if emulated else torch.bfloat16


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """A context whose operations run in half precision if asked for.

    Autocast's cache of cast weights is off: threads share it, so that the bits of a gradient would
    depend on which thread leaves its context first.
    """
    half = precision != "fp32"
    cast = dtype(device, precision) if half else torch.bfloat16
    return torch.autocast(device.type, cast, enabled=half, cache_enabled=False)


def grad_scaler(
    device: torch.device, computed: torch.dtype, *, initial: float = 65536.0
) -> torch.amp.GradScaler:
    """A scaler of losses, enabled for fp16 only, whose small gradients would become 0.

    It skips a step whose gradients overflow, and then lowers the scale (Micikevicius et al., 2018).
    """
    enabled = computed == torch.float16
    return torch.amp.GradScaler(device.type, init_scale=initial, enabled=enabled)
