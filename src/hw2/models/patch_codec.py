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

_EXACT = -30.0  # log-variance of a latent without spread: the lower limit of diffusers


class PatchCodec(ModelMixin, ConfigMixin):
    """A VAE for `StableDiffusionPipeline` that needs no training.

    An image (N, 3, S, S) in [-1, 1] is cut into patches, and a patch is represented by its first
    `latent_channels` principal components: (N, C, S / patch, S / patch). Component i is divided by
    std_i ** whitening, so that the loss of a denoising network also counts components of small
    variance. Decoding multiplies by it again, so the reconstruction error does not depend on it.

    Args:
        latent_channels: number of components.
        patch: side of a patch in pixels, a power of two.
        scaling_factor: factor that the pipeline multiplies latents by, for unit standard deviation.
        block_out_channels: its length makes the pipeline's 2 ** (len - 1) equal `patch`.
        force_upcast: required by the pipeline.
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
        """Fit the codec to images, float (N, 3, S, S) in [-1, 1]."""
        patches = F.pixel_unshuffle(images, patch).movedim(1, -1).flatten(0, -2).double()
        mean = patches.mean(0)
        variances, directions = torch.linalg.eigh(torch.cov(patches.T))  # ascending
        kept = directions[:, -channels:].flip(1)
        # The sign of an eigenvector is arbitrary; fix it, so that libraries agree.
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
        """Encode images as a latent distribution of zero variance, as diffusers' VAEs return it."""
        folded = F.pixel_unshuffle(x, self.config.patch)
        centred = folded - self.mean.view(-1, 1, 1)
        mean = torch.einsum("kv,nvhw->nkhw", self.encoder, centred)
        moments = torch.cat([mean, torch.full_like(mean, _EXACT)], 1)
        return AutoencoderKLOutput(latent_dist=DiagonalGaussianDistribution(moments))

    def decode(
        self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        """Decode latents (N, C, H, W) to images (N, 3, patch * H, patch * W)."""
        folded = torch.einsum("vk,nkhw->nvhw", self.decoder, z) + self.mean.view(-1, 1, 1)
        images = F.pixel_shuffle(folded, self.config.patch)
        return DecoderOutput(sample=images) if return_dict else (images,)
