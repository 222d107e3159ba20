"""The precision of a forward pass, and the scaling of its gradients where that is needed."""

import torch

from hw2.config.choices import Precision
from hw2.runtime.device import fastest_precision

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def dtype(device: torch.device, precision: Precision) -> torch.dtype:
    """The data type of matrix products and convolutions.

    `auto` is the fastest type of the device. bf16 is fp16 on a GPU that only emulates bf16 (before
    NVIDIA's Ampere).
    """
    if precision == "auto" or (precision == "bf16" and device.type == "cuda"):
        return _DTYPES[fastest_precision(device)]
    return _DTYPES[precision]


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """A context whose operations run in half precision if asked for.

    Autocast's cache of cast weights is off: threads share it, so that the bits of a gradient would
    depend on which thread leaves its context first.
    """
    computed = dtype(device, precision)
    half = computed != torch.float32
    cast = computed if half else torch.bfloat16
    return torch.autocast(device.type, cast, enabled=half, cache_enabled=False)


def unscaled(device: torch.device, precision: Precision) -> Precision:
    """The precision for a training that scales no losses, whose small gradients fp16 would lose."""
    return "fp32" if dtype(device, precision) == torch.float16 else precision


def grad_scaler(
    device: torch.device, computed: torch.dtype, *, initial: float = 65536.0
) -> torch.amp.GradScaler:
    """A scaler of losses, enabled for fp16 only, whose small gradients would become 0.

    It skips a step whose gradients overflow, and then lowers the scale (Micikevicius et al., 2018).
    """
    enabled = computed == torch.float16
    return torch.amp.GradScaler(device.type, init_scale=initial, enabled=enabled)
