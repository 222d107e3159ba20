"""A linear latent codec: principal components of patches, fitted in closed form.

Saved pipelines name this module and class in model_index.json: renaming either makes them
unreadable, and it must be imported before diffusers reads such a folder.
"""

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import (
    DecoderOutput,
    DiagonalGaussianDistribution,
)
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor
from torch.nn import functional as F

_EXACT = -30.0  # log-variance of a latent that has no spread; where diffusers clamps it


class PatchCodec(ModelMixin, ConfigMixin):
    """What a `StableDiffusionPipeline` asks of its VAE, without training.

    An image (N, 3, S, S) in [-1, 1] is cut into patches; a patch is told by its first
    `latent_channels` principal components, (N, C, S / patch, S / patch). Component i is divided by
    std_i ** whitening, so that the loss of a denoising network counts faint ones as well; decoding
    multiplies again, so what is lost does not depend on it.

    Args:
        latent_channels: how many components.
        patch: side of a patch, pixels, a power of two.
        scaling_factor: what the pipeline multiplies latents by, for a spread of 1.
        block_out_channels: as many as make the pipeline's 2 ** (len - 1) equal `patch`.
        force_upcast: asked for by the pipeline.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        patch: int = 4,
        scaling_factor: float = 1.0,
        block_out_channels: tuple[int, ...] = (1, 1, 1),
        force_upcast: bool = False,
    ) -> None:
        super().__init__()
        values = 3 * patch**2
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("encoder", torch.zeros(latent_channels, values))
        self.register_buffer("decoder", torch.zeros(values, latent_channels))

    @classmethod
    def fit(cls, images: Tensor, channels: int, patch: int, whitening: float) -> "PatchCodec":
        """The codec of these images: float (N, 3, S, S) in [-1, 1]."""
        patches = F.pixel_unshuffle(images, patch).movedim(1, -1).flatten(0, -2).double()
        mean = patches.mean(0)
        variances, directions = torch.linalg.eigh(torch.cov(patches.T))  # ascending
        kept = directions[:, -channels:].flip(1)
        # The sign of an eigenvector is free; fix it, so that libraries agree.
        kept = kept * kept.gather(0, kept.abs().argmax(0, keepdim=True)).sign()
        scale = variances[-channels:].flip(0).clamp(min=1e-12).sqrt() ** whitening
        spread = ((patches - mean) @ (kept / scale)).std()
        codec = cls(
            latent_channels=channels,
            patch=patch,
            scaling_factor=float(1 / spread),
            block_out_channels=(1,) * patch.bit_length(),
        )
        codec.mean.copy_(mean)
        codec.encoder.copy_((kept / scale).T)
        codec.decoder.copy_(kept * scale)
        return codec.eval()

    def encode(self, x: Tensor, return_dict: bool = True) -> AutoencoderKLOutput:
        """The latents as a distribution without spread, as diffusers' VAEs give them."""
        folded = F.pixel_unshuffle(x, self.config.patch)
        centred = folded - self.mean.view(-1, 1, 1)
        mean = torch.einsum("kv,nvhw->nkhw", self.encoder, centred)
        moments = torch.cat([mean, torch.full_like(mean, _EXACT)], 1)
        return AutoencoderKLOutput(latent_dist=DiagonalGaussianDistribution(moments))

    def decode(
        self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        """Images of latents."""
        folded = torch.einsum("vk,nkhw->nvhw", self.decoder, z) + self.mean.view(-1, 1, 1)
        images = F.pixel_shuffle(folded, self.config.patch)
        return DecoderOutput(sample=images) if return_dict else (images,)
