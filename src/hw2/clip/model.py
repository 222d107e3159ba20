"""CLIP models of open_clip, loaded from their files and ready to classify."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import open_clip
import torch
from torch import Tensor

from hw2.clip.preprocess import Preprocess
from hw2.clip.weights import Located
from hw2.runtime.errors import UserError


@dataclass(frozen=True)
class Clip:
    """A CLIP model with its tokenizer and preprocessing.

    Attributes:
        located: The files that the model was loaded from.
        network: open_clip's module, in evaluation mode.
        tokenize: Texts to token ids int64 (N, context).
        preprocess: Images to the tensor that `network.encode_image` takes.
        device: The device of `network`.
    """

    located: Located
    network: Any
    tokenize: Callable[[Sequence[str]], Tensor]
    preprocess: Preprocess
    device: torch.device

    @property
    def scale(self) -> float:
        """Factor of the cosines before the softmax."""
        return float(self.network.logit_scale.exp())

    @property
    def context(self) -> int:
        """Number of token positions, including the start and end markers."""
        return int(self.network.context_length)


def load(located: Located, device: torch.device) -> Clip:
    """Load the model from its files.

    Raises:
        UserError: if the files do not belong together, or are damaged.
    """
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # open_clip logs every step to it
    try:
        network, tokenize = _create(located)
    except Exception as error:  # open_clip and torch raise many exception types
        message = " ".join(str(error).split())[:160]
        raise UserError(
            f"clip.zero_shot.models, {located.name}: {located.weights} cannot be loaded"
            f" ({message}); give weights and an architecture that belong together"
        ) from error
    finally:
        root.setLevel(level)
    network.to(device).eval().requires_grad_(False)
    preprocess = Preprocess(network.visual.preprocess_cfg)
    return Clip(located, network, tokenize, preprocess, device)


def _create(located: Located) -> tuple[Any, Callable[[Sequence[str]], Tensor]]:
    """The network with its weights, and its tokenizer."""
    config = located.config
    name = located.architecture if config is None else f"local-dir:{config.parent}"
    # Weights are loaded separately: open_clip has its own order of several weight files.
    network = open_clip.create_model(name, load_weights=False, pretrained_text=False)
    open_clip.load_checkpoint(network, str(located.weights), weights_only=True)
    return network, open_clip.get_tokenizer(name)
