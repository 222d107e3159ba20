"""The pipeline of diffusers that samples digits.

`hw2.ddpm.hub` copies this file into the folders that it writes, so it may import nothing of hw2.
"""

import inspect
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline, ImagePipelineOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in a gray value


class DigitsPipeline(DiffusionPipeline):  # type: ignore[misc]
    """Samples digits by class label with classifier-free guidance.

    Args:
        unet: the `DigitsUNet` of the folder.
        scheduler: a scheduler of diffusers with the noise schedule of the training.
        id2label: names of the class labels, such as {"3": "mnistm:3"}.
        guidance_scale: default of a call.
        guidance_interval: default of a call.
        num_inference_steps: default of a call.
        least_noise: see `_limited`; matters only to a network that predicts x0.
        color_guidance: default of a call.
    """

    model_cpu_offload_seq = "unet"

    def __init__(
        self,
        unet: torch.nn.Module,
        scheduler: Any,
        id2label: dict[str, str] | None = None,
        guidance_scale: float = 1.0,
        guidance_interval: list[float] | None = None,
        num_inference_steps: int = 50,
        least_noise: float = 0.0,
        color_guidance: float = 1.0,
    ) -> None:
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)
        self.register_to_config(
            id2label=id2label or {},
            guidance_scale=guidance_scale,
            guidance_interval=guidance_interval or [0.0, 1.0],
            num_inference_steps=num_inference_steps,
            least_noise=least_noise,
            color_guidance=color_guidance,
        )
        self.labels = {name: int(key) for key, name in (id2label or {}).items()}

    def get_label_ids(self, label: int | str | list[int | str]) -> list[int]:
        """Class labels as integers.

        Args:
            label: one label or several, each an integer or a name such as `mnistm:3`.

        Raises:
            ValueError: for a label that the model does not have.
        """
        ids = []
        for item in [label] if isinstance(label, int | str) else label:
            known = item if item in self.labels.values() else self.labels.get(str(item))
            if known is None:
                names = ", ".join(f"{name} ({key})" for name, key in self.labels.items())
                raise ValueError(f"class label {item!r} does not exist; the model has {names}")
            ids.append(int(known))
        return ids

    @torch.no_grad()
    def __call__(
        self,
        class_labels: int | str | list[int | str],
        guidance_scale: float | None = None,
        generator: torch.Generator | list[torch.Generator] | None = None,
        num_inference_steps: int | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        *,
        guidance_interval: tuple[float, float] | None = None,
        color_guidance: float | None = None,
        eta: float = 0.0,
    ) -> Any:
        """Sample an image for each class label.

        Args:
            class_labels: integers or names such as `mnistm:3`; `pipe.labels` lists them.
            guidance_scale: s in unconditional + s (conditional - unconditional), as in all
                pipelines of diffusers. 1 is no guidance and 0 ignores the label; the weight w of
                Ho & Salimans (2022) is s - 1. None takes the scale of the folder.
            generator: of the initial noise; a list has one for each image.
            num_inference_steps: None takes the number of the folder. `DDIMScheduler` needs a
                divisor of the number of noise levels to visit them evenly.
            output_type: `pil`, `np` (float32 (N, 28, 28, 3) in [0, 1]) or `pt` (tensor
                (N, 3, 28, 28) in [0, 1]).
            return_dict: return an `ImagePipelineOutput` instead of a tuple.
            guidance_interval: noise levels that are guided, from and to, as fractions of their
                number (Kynkäänniemi et al., 2024). None takes the interval of the folder.
            color_guidance: share of guidance that may change colors: 1 is the usual rule, 0
                guides the gray value alone. None takes the share of the folder.
            eta: fresh noise of `DDIMScheduler`, 0 to 1; other schedulers ignore it.

        Raises:
            ValueError: for a class label that does not exist, or too few generators.
        """
        scale = self.config.guidance_scale if guidance_scale is None else guidance_scale
        lowest, highest = guidance_interval or self.config.guidance_interval
        color = self.config.color_guidance if color_guidance is None else color_guidance
        device = self._execution_device
        labels = torch.tensor(self.get_label_ids(class_labels), device=device)
        if isinstance(generator, list) and len(generator) != len(labels):
            raise ValueError(f"{len(generator)} generators for {len(labels)} class labels")
        if num_inference_steps is None:
            num_inference_steps = self.config.num_inference_steps
        self.scheduler.set_timesteps(num_inference_steps, device=device)
        side = self.unet.config.sample_size
        shape = (len(labels), self.unet.config.in_channels, side, side)
        images = randn_tensor(shape, generator=generator, device=device, dtype=self.unet.dtype)
        images = images * self.scheduler.init_noise_sigma
        step_arguments = self._step_arguments(generator, eta)
        levels = self.scheduler.timesteps.tolist()  # read once: no step waits for the device
        for t, level in zip(self.progress_bar(self.scheduler.timesteps), levels, strict=True):
            noisy = self.scheduler.scale_model_input(images, t)
            inside = lowest <= level / self.scheduler.config.num_train_timesteps <= highest
            output = self._guided(noisy, t, labels, scale if inside else 1.0, color)
            output = self._limited(output, noisy, int(level))
            images = self.scheduler.step(output, t, images, **step_arguments).prev_sample
        self.maybe_free_model_hooks()
        finished = self._finished(images, output_type)
        return ImagePipelineOutput(images=finished) if return_dict else (finished,)

    def _guided(
        self, images: Tensor, t: Tensor, labels: Tensor, scale: float, color: float
    ) -> Tensor:
        """The guided prediction; with a scale of 1, one evaluation."""
        if scale == 1:
            return self.unet(images, t, labels).sample
        null = torch.full_like(labels, self.unet.config.num_labels)
        both = self.unet(torch.cat([images, images]), t, torch.cat([labels, null])).sample
        conditional, unconditional = both.chunk(2)
        if color == 1 or scale < 1:
            return scale * conditional - (scale - 1) * unconditional
        difference = conditional - unconditional
        weights = difference.new_tensor(_LUMA).reshape(3, 1, 1)
        gray = (weights * difference).sum(1, keepdim=True)
        return conditional + (scale - 1) * (gray + color * (difference - gray))

    def _limited(self, output: Tensor, images: Tensor, level: int) -> Tensor:
        """The prediction; an x0 is moved towards the noisy images where there is little noise.

        That is less noise than `least_noise`. There, a small error of x0 would be an arbitrarily
        large one of the noise, which the next step starts from.
        """
        if self.scheduler.config.prediction_type != "sample":
            return output
        abar = float(self.scheduler.alphas_cumprod[level])
        noise, scaled = (1 - abar) ** 0.5, abar**0.5 * images
        return scaled + noise / max(noise, self.config.least_noise) * (output - scaled)

    def _step_arguments(self, generator: Any, eta: float) -> dict[str, Any]:
        """Those arguments of `step` that the scheduler has.

        A step continues with the noise that fits the clipped estimate of the clean image.
        """
        accepted = inspect.signature(self.scheduler.step).parameters
        given = {"generator": generator, "eta": eta, "use_clipped_model_output": True}
        return {name: value for name, value in given.items() if name in accepted}

    def _finished(self, images: Tensor, output_type: str) -> Any:
        images = (images / 2 + 0.5).clamp(0, 1)
        if output_type == "pt":
            return images
        arrays = images.cpu().permute(0, 2, 3, 1).float().numpy()
        return self.numpy_to_pil(arrays) if output_type == "pil" else arrays
