"""Batches of training images on the device that trains.

The CPU gathers each batch when it is needed. A GPU holds all images as they are stored, a byte for
each value, and gathers there; images that would take too much of its memory are gathered and
copied by a thread, one step ahead.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hw2.pixels import as_tensor, from_uint8

Images = np.ndarray | Tensor
"""uint8 (N, H, W, C), or float (N, C, h, w) for latents."""
RESIDENT_SHARE = 0.25
"""Share of a GPU's free memory that images may take; networks and activations need the rest."""


class ImageBatches:
    """The images of each step.

    Args:
        images: All images.
        rows: A step to the indices int64 (n,) of its images.
        device: Where the batches are wanted.
    """

    def __init__(
        self, images: Images, rows: Callable[[int], np.ndarray], device: torch.device
    ) -> None:
        self._rows, self._device = rows, device
        self._gather: Callable[[int], tuple[Tensor, Tensor]]
        if device.type == "cpu":
            self._images, self._gather = images, self._gathered
        elif _fits(images, device):
            self._images, self._gather = as_tensor(images).to(device), self._gathered
        else:
            self._images, self._gather = images, _Prefetch(self._pinned, device)

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Indices int64 (n,), and images in [-1, 1] or latents, float32 (n, C, H, W)."""
        rows, images = self._gather(step)
        return rows, from_uint8(images) if images.dtype == torch.uint8 else images

    def _gathered(self, step: int) -> tuple[Tensor, Tensor]:
        rows = self._rows(step)
        index = torch.from_numpy(rows).to(self._device, non_blocking=True)
        if isinstance(self._images, np.ndarray):  # much faster than an index of tensors
            return index, torch.from_numpy(self._images[rows])
        return index, self._images[index]

    def _pinned(self, step: int) -> tuple[Tensor, Tensor]:
        rows = self._rows(step)
        index = rows if isinstance(self._images, np.ndarray) else torch.from_numpy(rows)
        batch: Any = self._images[index]
        return torch.from_numpy(rows).pin_memory(), as_tensor(batch).pin_memory()


def _fits(images: Images, device: torch.device) -> bool:
    free, _ = torch.cuda.mem_get_info(device)
    return images.nbytes <= RESIDENT_SHARE * free


class _Prefetch:
    """Copies the batch of the next step to a GPU, on a stream of its own, during this step.

    Args:
        load: A step to tensors in pinned memory, from which copies do not wait for the GPU.
    """

    def __init__(self, load: Callable[[int], tuple[Tensor, Tensor]], device: torch.device) -> None:
        self._load, self._device = load, device
        self._thread = ThreadPoolExecutor(1)
        self._stream = torch.cuda.Stream(device)
        self._ahead: dict[int, Future[tuple[tuple[Tensor, Tensor], torch.cuda.Event]]] = {}

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        now = self._ahead.pop(step, None) or self._thread.submit(self._copy, step)
        self._ahead = {step + 1: self._thread.submit(self._copy, step + 1)}
        batch, copied = now.result()
        current = torch.cuda.current_stream(self._device)
        current.wait_event(copied)
        for tensor in batch:
            tensor.record_stream(current)  # its memory is not reused before the step is done
        return batch

    def _copy(self, step: int) -> tuple[tuple[Tensor, Tensor], torch.cuda.Event]:
        rows, images = self._load(step)
        with torch.cuda.stream(self._stream):
            batch = (
                rows.to(self._device, non_blocking=True),
                images.to(self._device, non_blocking=True),
            )
            return batch, self._stream.record_event()
