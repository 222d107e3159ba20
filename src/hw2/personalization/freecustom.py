"""FreeCustom's multi-reference self-attention (Ding et al., 2024, arXiv 2405.13870).

It needs no training: while an image is sampled, its self-attention also attends to photographs of
the concepts. We read the paper's equation as a softmax over [own keys, keys of reference 1, ...] of
the logits, where those of reference i are multiplied by `weight` inside its mask and omitted
outside.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hw2.config import params
from hw2.diffusion.schedule import Schedule
from hw2.personalization import photos
from hw2.personalization.batches import to_tensor
from hw2.personalization.photos import Concept
from hw2.personalization.train import encoded
from hw2.stable_diffusion import sample
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import SampleRequest


class _ReferenceAttention:
    """A self-attention processor of diffusers for a batch of samples, then references.

    Args:
        samples: Number of samples.
        masks: Where the concept is in each reference, bool (H, W).
        size: Height and width of an image in pixels.
        weight: Factor of the references' attention logits.
    """

    def __init__(self, samples: int, masks: Sequence[np.ndarray], size: int, weight: float) -> None:
        self.samples, self.masks, self.size, self.weight = samples, masks, size, weight

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Any = None, **_: Any
    ) -> Tensor:
        n, (batch, cells, _width) = self.samples, hidden_states.shape
        heads = attn.heads

        def split(x: Tensor) -> Tensor:
            return x.view(batch, cells, heads, -1).transpose(1, 2)  # (batch, heads, cells, head)

        q, k, v = (split(f(hidden_states)) for f in (attn.to_q, attn.to_k, attn.to_v))
        out = torch.empty_like(q)
        out[n:] = F.scaled_dot_product_attention(q[n:], k[n:], v[n:])
        # A factor of a key is one of its logits, so that the attention can be fused: its matrix
        # would take 15 GiB at 512 pixels. Keys outside the masks are left out.
        in_mask = self._mask(cells).to(q.device)
        keys = torch.cat([k[:n], _of_references(k[n:], in_mask, n) * self.weight], dim=2)
        values = torch.cat([v[:n], _of_references(v[n:], in_mask, n)], dim=2)
        out[:n] = F.scaled_dot_product_attention(q[:n], keys, values)
        output = out.transpose(1, 2).reshape(batch, cells, -1)
        return attn.to_out[1](attn.to_out[0](output))

    def _mask(self, cells: int) -> Tensor:
        side = round(cells**0.5)
        return torch.cat([mask_at(mask, self.size, side) for mask in self.masks])


def _of_references(x: Tensor, in_mask: Tensor, samples: int) -> Tensor:
    """Keys or values (references, heads, cells, head) in the masks, the same for every sample.

    Returns:
        (samples, heads, number of cells in a mask, head).
    """
    inside = x.transpose(0, 1).flatten(1, 2)[:, in_mask]
    return inside.expand(samples, *inside.shape)


def mask_at(mask: np.ndarray, size: int, cells: int) -> Tensor:
    """Where a concept is on a grid of cells: bool (cells * cells,), true for at least one."""
    square = torch.from_numpy(photos.squared(mask.astype(np.uint8) * 255, size).copy()).float()
    coverage = F.adaptive_avg_pool2d(square[None, None], cells).flatten() / 255
    return coverage >= min(0.5, float(coverage.max()))


@contextmanager
def _attending(unet: Any, processor: _ReferenceAttention) -> Any:
    processors = unet.attn_processors
    unet.set_attn_processor(
        {name: processor if ".attn1." in name else own for name, own in processors.items()}
    )
    try:
        yield
    finally:
        unet.set_attn_processor(processors)


@torch.no_grad()
def sample_requests(
    pipe: Any,
    requests: Sequence[SampleRequest],
    concepts: Sequence[Concept],
    sentences: Sequence[str],
    sampling: params.PersonalizationSampling,
    *,
    weight: float,
    seed: int,
) -> np.ndarray:
    """Sample images uint8 (N, S, S, 3), each from the same noise as `sample.sample_requests`.

    Args:
        pipe: The pipeline.
        requests: Prompts and noises of the images.
        concepts: The concepts, whose first photographs are the references.
        sentences: A caption of each reference, in ordinary words.
        sampling: Sampling settings; `guidance_scale` is that of `hw2.diffusion.guidance`.
        weight: Factor of the references' attention logits.
        seed: Seed of the noises.
    """
    size = image_size(pipe)
    device, dtype, n = pipe.unet.device, pipe.unet.dtype, len(requests)
    photographs = to_tensor([photos.squared(c.images[0], size) for c in concepts])
    clean = pipe.vae.encode(photographs.to(device, dtype)).latent_dist.mean
    clean = clean * pipe.vae.config.scaling_factor
    noise = sample.initial_noises(pipe, seed, "references", range(len(concepts)))
    latents = sample.initial_latents(pipe, seed, requests).to(device, dtype)
    texts = [*([""] * n), *(request.prompt for request in requests), *sentences]
    states = pipe.text_encoder(encoded(pipe, texts))[0]
    scheduler = pipe.scheduler
    levels = Schedule(scheduler.alphas_cumprod.double().cpu())
    scheduler.set_timesteps(sampling.steps, device=device)
    latents = latents * scheduler.init_noise_sigma
    processor = _ReferenceAttention(2 * n, [c.masks[0] for c in concepts], size, weight)
    with _attending(pipe.unet, processor):
        for t, level in zip(scheduler.timesteps, scheduler.timesteps.cpu().long(), strict=True):
            references = levels.add_noise(clean, noise.to(clean), level[None])
            both = scheduler.scale_model_input(torch.cat([latents, latents]), t)
            batch = torch.cat([both, references])
            output = pipe.unet(batch, t, encoder_hidden_states=states).sample
            unconditional, conditional = output[: 2 * n].chunk(2)
            guided = unconditional + sampling.guidance_scale * (conditional - unconditional)
            latents = scheduler.step(guided, t, latents, return_dict=False)[0]
    images = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample
    scaled = (images.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    return (scaled * 255).round().astype(np.uint8)
