"""Training of the small CLIP (Radford et al., 2021) on synthetic captioned images."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import open_clip
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW

from hw2 import rng
from hw2.clip import open_clip_folder
from hw2.config import params
from hw2.shapes import scenes
from hw2.training.batch_sampler import BatchSampler
from hw2.training.loop import Numbers, finite, train
from hw2.training.optimizers import (
    CLIP_BETAS,
    ScheduledOptimizers,
    adamw_and_muon,
    trapezoid,
)
from hw2.training.parallel import ParallelMap
from hw2.training.precision import autocast
from hw2.training.resume import Resume

_MAX_LOG_SCALE = math.log(100)  # of the cosines, as in CLIP
_LENGTH_GROUPS = 2  # parts of a batch with texts of similar length


def train_clip(
    clip: params.Clip,
    shapes: params.Shapes,
    design: open_clip_folder.Design,
    resume: Resume,
    device: torch.device,
) -> tuple[open_clip.CLIP, list[dict[str, float]]]:
    """Train on `shapes.train_images` images, without the zero-shot test set.

    The towers run in parallel, in one thread each, up to the loss. The result is the same as with
    one thread.

    Returns:
        The network, and the history (rows of `step`, `loss`, `lr`, `scale`).
    """
    settings = clip.train
    network = _new_network(clip, design, device)
    data = _Pairs(shapes, clip, design, device)
    vision = {n: p for n, p in network.named_parameters() if n.startswith("visual.")}
    scale = network.logit_scale
    text = {n: p for n, p in network.named_parameters() if n not in vision and p is not scale}
    towers = [_Tower(vision, settings), _Tower(text, settings)]
    scale_adamw = AdamW([scale], lr=settings.lr, betas=CLIP_BETAS, weight_decay=0.0)
    scale_optimizer = ScheduledOptimizers([(scale_adamw, settings.lr)])
    parallel = ParallelMap(len(towers))
    hint = "lower clip.train.lr or clip.train.muon_lr"

    def low_precision(encode: Callable[..., Tensor], *inputs: Any) -> Tensor:
        with autocast(device, settings.precision):
            return encode(*inputs).float()

    def advance(step: int) -> Numbers:
        rows = data.rows(step)
        features = parallel.run(
            [
                lambda: low_precision(network.visual, data.images(rows)),
                lambda: low_precision(_texts, network, data.texts(rows)),
            ]
        )
        leaves = [f.detach().requires_grad_() for f in features]
        loss = contrastive(leaves[0], leaves[1], scale)
        value = finite(loss.detach(), step, hint)
        *gradients, scale.grad = torch.autograd.grad(loss, [*leaves, scale])
        factor = trapezoid(
            step,
            settings.steps,
            warmup_steps=settings.warmup_fraction * settings.steps,
            decay_start=settings.decay_start,
            offset=0.5,
        )
        parallel.run(
            [
                partial(tower.update, feature, gradient, factor)
                for tower, feature, gradient in zip(towers, features, gradients, strict=True)
            ]
        )
        lr = scale_optimizer.step(factor)
        with torch.no_grad():
            scale.clamp_(0, _MAX_LOG_SCALE)
        return {"loss": value, "lr": lr, "scale": scale.detach().exp()}

    history = train(
        advance,
        {
            "network": network,
            "vision": towers[0].optimizers,
            "text": towers[1].optimizers,
            "scale": scale_optimizer,
        },
        steps=settings.steps,
        resume=resume,
        save_every=settings.save_every,
        desc="clip",
        hint=hint,
    )
    return network.cpu().eval(), history


def contrastive(images: Tensor, texts: Tensor, scale: Tensor) -> Tensor:
    """CLIP's symmetric cross-entropy (Radford et al., 2021, figure 3).

    Args:
        images: Image features (N, F), of any length.
        texts: Text features (N, F), of any length; row k belongs to image k.
        scale: Logarithm of the factor of the cosines.
    """
    logits = scale.exp() * F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).T
    pairs = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)) / 2


def text_features(network: open_clip.CLIP, texts: Tensor) -> Tensor:
    """`network.encode_text(texts)` without the padding that no text of the batch needs.

    The text tower is causal, so positions after the end of a text have no effect. `texts` are on
    the CPU, where reading their length waits for nothing.
    """
    length = int((texts != 0).sum(1).max())
    device = network.positional_embedding.device
    texts = texts[:, :length].to(device, non_blocking=True)
    x = network.token_embedding(texts) + network.positional_embedding[:length]
    x = network.ln_final(network.transformer(x, attn_mask=network.attn_mask[:length, :length]))
    return x[torch.arange(len(texts), device=device), texts.argmax(1)] @ network.text_projection


def _texts(network: open_clip.CLIP, texts: Tensor) -> Tensor:
    """Text features of a batch; short and long texts are encoded separately to save padding."""
    order = (texts != 0).sum(1).argsort(stable=True)
    result = [text_features(network, texts[rows]) for rows in order.tensor_split(_LENGTH_GROUPS)]
    features = torch.cat(result)
    return features[order.argsort().to(features.device, non_blocking=True)]


class _Pairs:
    """Images with captions, in batches that depend only on the seed and the step."""

    def __init__(
        self,
        shapes: params.Shapes,
        clip: params.Clip,
        design: open_clip_folder.Design,
        device: torch.device,
    ) -> None:
        captioned = scenes.training(shapes)
        self._images, self._device = captioned.images, device
        self._texts = design.tokenize(captioned.captions).to(torch.int16)
        self._preprocess = design.preprocess
        self._order = BatchSampler(len(captioned.captions), clip.seed)
        self._batch_size = clip.train.batch_size

    def rows(self, step: int) -> Any:
        """Indices of the pairs of a step: int (batch,)."""
        return self._order.batch(step, self._batch_size)

    def images(self, rows: Any) -> Tensor:
        prepared = self._preprocess(list(self._images[rows]))
        return prepared.to(self._device, memory_format=torch.channels_last, non_blocking=True)

    def texts(self, rows: Any) -> Tensor:
        """Token ids int64 (batch, context), on the CPU."""
        return self._texts[rows].long()


class _Tower:
    """One tower of the network and its optimizers."""

    def __init__(self, weights: dict[str, nn.Parameter], train: params.ClipTrain) -> None:
        self._weights, self._max_norm = list(weights.values()), train.grad_clip
        muon_weights = {n: p for n, p in weights.items() if p.ndim > 1 and _is_inner(n)}
        decayed = {n for n, p in weights.items() if p.ndim > 1 and "embedding" not in n}
        self.optimizers = adamw_and_muon(
            self._weights,
            muon_weights.values(),
            lr=train.lr,
            muon_lr=train.muon_lr,
            weight_decay=train.weight_decay,
            betas=CLIP_BETAS,
            undecayed=[p for n, p in weights.items() if n not in decayed],
        )

    def update(self, features: Tensor, gradient: Tensor, factor: float) -> None:
        """Step at `factor` times the peak rates; `gradient` is the loss gradient at `features`."""
        gradients = torch.autograd.grad(features, self._weights, gradient)
        for weight, gradient in zip(self._weights, gradients, strict=True):
            # In the memory layout of the weight, which fused optimizers rely on without a check.
            weight.grad = torch.empty_like(weight).copy_(gradient)
        nn.utils.clip_grad_norm_(self._weights, self._max_norm)
        self.optimizers.step(factor)


def _is_inner(name: str) -> bool:
    """Whether a matrix belongs to a residual block, not to the ends or the attention pool."""
    return "resblocks" in name or name.startswith("visual.layer")


def _new_network(
    clip: params.Clip, design: open_clip_folder.Design, device: torch.device
) -> open_clip.CLIP:
    with rng.seeded_init(clip.seed, "initial weights"):
        network = open_clip.CLIP(**design.model)
    network.visual.to(memory_format=torch.channels_last)
    return network.to(device).train()


def identity(
    clip: params.Clip, shapes: params.Shapes, design: open_clip_folder.Design
) -> dict[str, Any]:
    """Everything that changes the result of the training, except code; `save_every` does not."""
    return {
        "clip": clip.model_dump(
            mode="json", exclude={"run": True, "zero_shot": True, "train": {"save_every"}}
        ),
        "shapes": shapes.model_dump(mode="json", exclude={"test_images_per_class"}),
        "vocabulary": design.digest,
    }
