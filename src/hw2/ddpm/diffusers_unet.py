"""The network of digits as a model of diffusers.

`hw2.ddpm.hub` copies this file into the folders that it writes, with the two imports from hw2
replaced by the source of what they import. So it may import nothing else of hw2.
"""

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.unets.unet_2d import UNet2DOutput
from torch import Tensor

from hw2.models.context_unet import ContextUnet
from hw2.models.unet import UNet


class DigitsUNet(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Predicts x0, eps or v of digits under a class label; `config.json` holds the arguments.

    Args:
        kind: `unet` or `context_unet`, which reads no argument but `n_feat`.
        num_labels: conditions; the label `num_labels` is the null label of guidance.
        base_channels: channels of the first level.
        channel_mult: channels of each level as multiples of `base_channels`.
        num_res_blocks: residual blocks of each level.
        patch_size: side of the patches that the image is folded into.
        n_feat: channels of `context_unet`.
        timesteps: T of the noise schedule.
        in_channels: of the images, 3.
        sample_size: height and width of the images, 28.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        *,
        kind: str,
        num_labels: int,
        base_channels: int,
        channel_mult: list[int],
        num_res_blocks: int,
        patch_size: int,
        n_feat: int,
        timesteps: int,
        in_channels: int = 3,
        sample_size: int = 28,
    ) -> None:
        super().__init__()
        self.network: UNet | ContextUnet
        if kind == "context_unet":
            self.network = ContextUnet(num_labels=num_labels, n_feat=n_feat, timesteps=timesteps)
        else:
            self.network = UNet(
                num_labels=num_labels,
                base_channels=base_channels,
                channel_mult=tuple(channel_mult),
                num_res_blocks=num_res_blocks,
                patch_size=patch_size,
                timesteps=timesteps,
                size=sample_size,
            )

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | int,
        class_labels: Tensor,
        return_dict: bool = True,
    ) -> UNet2DOutput | tuple[Tensor]:
        """Predict from noisy images.

        Args:
            sample: float32 (N, 3, 28, 28).
            timestep: int64 (N,) or one for all, 0 (least noisy) to T - 1.
            class_labels: int64 (N,), 0 to `num_labels`.
            return_dict: return a `UNet2DOutput` instead of a tuple.

        Returns:
            The prediction, shaped like the sample.
        """
        t = torch.as_tensor(timestep, device=sample.device).expand(len(sample))
        output = self.network(sample, t, class_labels)
        return UNet2DOutput(sample=output) if return_dict else (output,)
