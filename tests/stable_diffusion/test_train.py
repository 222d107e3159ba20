"""In training a style's token means the style of its own image, and afterwards that of its name."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from torch import Tensor, nn

from hw2 import rng
from hw2.clip import open_clip_folder
from hw2.config import params
from hw2.shapes import styles, vocabulary
from hw2.stable_diffusion import style_embedding, text_encoder, train
from hw2.stable_diffusion.style_embedding import StyleEmbedding


class States(nn.Module):
    """Stands in for the U-Net and returns what it is conditioned on."""

    def forward(self, xt: Tensor, t: Tensor, encoder_hidden_states: Tensor) -> Any:
        return SimpleNamespace(sample=encoder_hidden_states)


@pytest.fixture
def tower(mini: params.Params, tmp_path: Path) -> tuple[Any, Any]:
    """The text tower of a small CLIP with random weights, and its tokenizer."""
    design = open_clip_folder.design(mini.clip.network, mini.shapes)
    with rng.seeded_init(1, "text tower"):
        network = open_clip.CLIP(**design.model).eval()
    open_clip_folder.save(tmp_path, network, design)
    return text_encoder.convert(tmp_path)


def test_a_style_token_means_the_style_of_its_image(
    tower: tuple[Any, Any], mini: params.Params
) -> None:
    encoder, tokenizer = tower
    tokens = train._style_tokens(tokenizer, mini.shapes.num_styles)
    names = vocabulary.style_names(mini.shapes.num_styles)
    assert tokenizer(" ".join(names)).input_ids[1:-1] == tokens
    styled = f"a circle in the style of {names[0]}"
    ids = text_encoder.token_ids(tokenizer, [styled, styled, "a circle", "a circle", ""])
    features = style_embedding.features(styles.random_styles(np.random.default_rng(1), 5))
    style = StyleEmbedding(encoder.config.hidden_size)
    network = train.Captioned(States(), encoder, style, tokens[0], ids, features)
    with torch.no_grad():
        states = network(torch.zeros(5, 1), torch.zeros(5), torch.arange(5))
        known = encoder(ids.long())[0]
    differs = (states[0] != states[1]).any(-1).tolist()
    position = ids[0].tolist().index(tokens[0])
    assert differs == [k >= position for k in range(len(ids[0]))]
    torch.testing.assert_close(states[2:], known[2:])


def test_names_get_the_embeddings_of_what_they_mean(
    tower: tuple[Any, Any], mini: params.Params
) -> None:
    encoder, tokenizer = tower
    count = mini.shapes.num_styles
    tokens = train._style_tokens(tokenizer, count)
    style = StyleEmbedding(encoder.config.hidden_size)
    table = encoder.get_input_embeddings().weight
    before = table.detach().clone()
    train._embed_names(encoder, style, tokens)
    meanings = vocabulary.style_meanings(count)
    assert torch.equal(table[tokens], style(style_embedding.features(meanings)))
    others = [row for row in range(len(table)) if row not in tokens]
    assert torch.equal(table[others], before[others])
