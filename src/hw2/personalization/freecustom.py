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
from hw2.personalization.batches import tensor
from hw2.personalization.photos import Concept
from hw2.personalization.train import encoded
from hw2.stable_diffusion import sample as drawing
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import SampleRequest


class _Shared:
    """A self-attention processor of diffusers for samples (the first `pictures`) and references."""

    def __init__(
        self, pictures: int, masks: Sequence[np.ndarray], size: int, weight: float
    ) -> None:
        self.pictures, self.masks, self.size, self.weight = pictures, masks, size, weight

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Any = None, **_: Any
    ) -> Tensor:
        n, (batch, cells, _width) = self.pictures, hidden_states.shape
        heads = attn.heads

        def split(x: Tensor) -> Tensor:
            return x.view(batch, cells, heads, -1).transpose(1, 2)  # (batch, heads, cells, head)

        q, k, v = (split(f(hidden_states)) for f in (attn.to_q, attn.to_k, attn.to_v))
        out = torch.empty_like(q)
        out[n:] = F.scaled_dot_product_attention(q[n:], k[n:], v[n:])
        own, shared = k[:n], k[n:].transpose(0, 1).flatten(1, 2)  # (heads, references * cells, .)
        keep = self._kept(cells).to(q.device)
        logits = torch.cat(
            [
                q[:n] @ own.transpose(-1, -2),
                (q[:n] @ shared.transpose(-1, -2) * self.weight).masked_fill(~keep, -torch.inf),
            ],
            dim=-1,
        )
        share = (logits * q.shape[-1] ** -0.5).softmax(-1)
        values = v[n:].transpose(0, 1).flatten(1, 2)
        out[:n] = share[..., :cells] @ v[:n] + share[..., cells:] @ values
        joined = out.transpose(1, 2).reshape(batch, cells, -1)
        return attn.to_out[1](attn.to_out[0](joined))

    def _kept(self, cells: int) -> Tensor:
        side = round(cells**0.5)
        return torch.cat([mask_at(mask, self.size, side) for mask in self.masks])


def mask_at(mask: np.ndarray, size: int, cells: int) -> Tensor:
    """Where a concept is on a grid of cells: bool (cells * cells,), true for at least one."""
    square = torch.from_numpy(photos.squared(mask.astype(np.uint8) * 255, size).copy()).float()
    share = F.adaptive_avg_pool2d(square[None, None], cells).flatten() / 255
    return share >= min(0.5, float(share.max()))


@contextmanager
def _attending(unet: Any, processor: _Shared) -> Any:
    before = unet.attn_processors
    unet.set_attn_processor(
        {name: processor if ".attn1." in name else old for name, old in before.items()}
    )
    try:
        yield
    finally:
        unet.set_attn_processor(before)


@torch.no_grad()
def draw(
    pipe: Any,
    requests: Sequence[SampleRequest],
    concepts: Sequence[Concept],
    sentences: Sequence[str],
    how: params.PersonalizationSampling,
    *,
    weight: float,
    seed: int,
) -> np.ndarray:
    """Sample images uint8 (N, S, S, 3), each from the same noise as `sample.draw_all`.

    Args:
        pipe: The pipeline.
        requests: Prompts and noises of the images.
        concepts: The concepts, whose first photographs are the references.
        sentences: A caption of each reference, in ordinary words.
        how: Sampling settings.
        weight: Factor of the references' attention logits.
        seed: Seed of the noises.
    """
    size = image_size(pipe)
    device, kind, n = pipe.unet.device, pipe.unet.dtype, len(requests)
    pictures = tensor([photos.squared(c.images[0], size) for c in concepts])
    clean = pipe.vae.encode(pictures.to(device, kind)).latent_dist.mean
    clean = clean * pipe.vae.config.scaling_factor
    fresh = drawing.noises(pipe, seed, "references", range(len(concepts)))
    latents = drawing.starts(pipe, seed, requests).to(device, kind)
    texts = [*([""] * n), *(item.prompt for item in requests), *sentences]
    states = pipe.text_encoder(encoded(pipe, texts))[0]
    scheduler = pipe.scheduler
    levels = Schedule(scheduler.alphas_cumprod.double().cpu())
    scheduler.set_timesteps(how.steps, device=device)
    latents = latents * scheduler.init_noise_sigma
    processor = _Shared(2 * n, [c.masks[0] for c in concepts], size, weight)
    with _attending(pipe.unet, processor):
        for t in scheduler.timesteps:
            seen = levels.add_noise(clean, fresh.to(clean), t.cpu()[None].long())
            both = scheduler.scale_model_input(torch.cat([latents, latents]), t)
            answer = pipe.unet(torch.cat([both, seen]), t, encoder_hidden_states=states).sample
            blank, eval_prompts = answer[: 2 * n].chunk(2)
            guided = blank + how.guidance_scale * (eval_prompts - blank)
            latents = scheduler.step(guided, t, latents, return_dict=False)[0]
    images = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample
    scaled = (images.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    return (scaled * 255).round().astype(np.uint8)
