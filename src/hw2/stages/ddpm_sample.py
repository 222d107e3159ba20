"""Sample the digits of the report, and the reverse process of the first "0" of each domain.

The architecture of the network is recorded as well, because the model is at hand.
"""

from pathlib import Path

import numpy as np
import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import (
    SHAPE,
    SampleRequest,
    request_all_labels,
    sample_images,
    sampling_states,
)
from hw2.diffusion.guidance import Guidance
from hw2.digits import grid
from hw2.digits.labels import LABELED_DOMAINS, label_of
from hw2.io import files
from hw2.models import architecture
from hw2.pixels import to_uint8
from hw2.runtime.progress import progress

SPLIT = "test"
_MOMENTS = 6  # images of the reverse process, including the initial noise and the final image


def run(
    ddpm: params.Ddpm,
    *,
    ddpm_model: Path,
    ddpm_guidance: Path,
    ddpm_samples: Path,
    ddpm_network: Path,
    device: torch.device,
) -> None:
    """Write `ddpm_samples`: images, digits, domains, index and the reverse process.

    Images are uint8 (N, 28, 28, 3); digits, domains and index are int64 (N,). `ddpm_network` is
    the record of the network's layers.
    """
    sampling = ddpm.sampling
    trained = denoiser.load(ddpm_model, device)
    guidance = chosen_guidance(ddpm_guidance)
    request = request_all_labels(trained.domains, sampling.images_per_label, shared=grid.COLUMNS)
    with progress(len(request.labels), "samples", unit="image") as bar:
        images = sample_images(
            trained, request, sampling, guidance=guidance, split=SPLIT, tick=bar.update
        )
    reverse, times = _reverse(trained, sampling, guidance)
    files.write_json(ddpm_network, _architecture(trained, device))
    files.save_arrays(
        ddpm_samples,
        images=images,
        digits=request.digits,
        domains=request.domains,
        index=request.index,
        reverse_images=reverse,
        reverse_t=times,
        reverse_domains=np.array([LABELED_DOMAINS.index(domain) for domain in _in_order(trained)]),
    )


def chosen_guidance(path: Path) -> Guidance:
    """The guidance that `ddpm_select_guidance` chose."""
    record = files.read_json(path)
    lowest, highest = record["interval"]
    return Guidance(record["guidance_scale"], (lowest, highest), record["color"])


def _architecture(model: Denoiser, device: torch.device) -> list[architecture.Layer]:
    index = torch.zeros(1, dtype=torch.int64, device=device)
    return architecture.layers(model.network, torch.zeros(1, *SHAPE, device=device), index, index)


def _reverse(
    model: Denoiser, sampling: params.Sampling, guidance: Guidance
) -> tuple[np.ndarray, np.ndarray]:
    """The reverse process of the first "0" of each domain.

    Returns:
        Images uint8 (D, S, 28, 28, 3) and the times of the S states, where T is pure noise.
    """
    zeros = np.array([label_of(domain, 0) for domain in _in_order(model)])
    trajectory = list(
        sampling_states(
            model,
            SampleRequest(zeros, np.zeros_like(zeros), shared=grid.COLUMNS),
            sampling,
            guidance=guidance,
            split=SPLIT,
        )
    )
    kept = [
        trajectory[k]
        for k in np.unique(np.linspace(0, len(trajectory) - 1, _MOMENTS).round().astype(int))
    ]
    images = np.stack([to_uint8(state.images) for state in kept], axis=1)
    return images, np.array([state.t + 1 for state in kept])


def _in_order(model: Denoiser) -> list[str]:
    return [domain for domain in LABELED_DOMAINS if domain in model.domains]
