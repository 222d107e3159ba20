"""The small CLIP's architecture, and its files in open_clip's format."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
from safetensors.torch import save_file
from torch import Tensor

from hw2.clip import prompts, tokenizer
from hw2.clip.preprocess import Preprocess
from hw2.clip.weights import CONFIG, WEIGHTS
from hw2.config import params
from hw2.shapes import vocabulary

CONTEXT = 40  # tokens; the longest caption has 37, including the start and end markers
_IN_THE_FOLDER = "local"  # open_clip takes any name to mean the tokenizer in a local folder


@dataclass(frozen=True)
class Design:
    """A model without weights: open_clip's `model_cfg`, merges, tokenizer and preprocessing."""

    model: dict[str, Any]
    merges: bytes
    tokenize: Callable[[Sequence[str]], Tensor]
    preprocess: Preprocess

    @property
    def digest(self) -> str:
        """SHA-256 of the merges."""
        return hashlib.sha256(self.merges).hexdigest()


def design(network: params.ClipNetwork, shapes: params.Shapes) -> Design:
    """The architecture for these sizes, with all words of captions and prompt sets as tokens."""
    merges = tokenizer.single_token_merges(
        [*prompts.words(), *vocabulary.words(shapes.num_nouns, shapes.num_styles)]
    )
    model = {
        "embed_dim": network.embed_dim,
        "vision_cfg": {
            "image_size": network.image_size,
            "layers": [1, 1, 1, 1],
            "width": network.image_width,
            "head_width": 32,
        },
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": tokenizer.size(merges),
            "width": network.text_width,
            "heads": 4,
            "layers": network.text_layers,
        },
    }
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "merges.txt.gz"
        path.write_bytes(merges)
        tokenize = open_clip.SimpleTokenizer(str(path), context_length=CONTEXT)
    return Design(model, merges, tokenize, Preprocess(_preprocess(network)))


def _preprocess(network: params.ClipNetwork) -> dict[str, Any]:
    """open_clip's `preprocess_cfg`; pixels have a mean of about 0.5 and a deviation of 0.35."""
    return {
        "size": network.image_size,
        "mode": "RGB",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.35, 0.35, 0.35],
        "interpolation": "bicubic",
        "resize_mode": "squash",
        "fill_color": 0,
    }


def save(folder: Path, network: open_clip.CLIP, design: Design) -> None:
    """Write weights, configuration and tokenizer into `folder`, which exists.

    `open_clip.create_model` and `open_clip.get_tokenizer` read it as `local-dir:FOLDER`, from any
    working directory. The tokenizer has the format of transformers, because open_clip resolves
    files of its own format in the working directory.
    """
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS[0], metadata={"format": "pt"})
    tokenizer.transformers_tokenizer(design.merges, CONTEXT).save_pretrained(folder)
    text = design.model["text_cfg"] | {"hf_tokenizer_name": _IN_THE_FOLDER}
    config = {
        "model_cfg": design.model | {"text_cfg": text},
        "preprocess_cfg": design.preprocess.config,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
