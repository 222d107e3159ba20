"""The text encoder has the tokens and the features of the CLIP that it is converted from."""

from pathlib import Path

import open_clip
import pytest
import torch

from hw2 import rng
from hw2.clip import open_clip_folder
from hw2.config import params
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import text_encoder

TEXTS = ["a photo of a red circle", "a striped blue star next to a zebra", ""]


@pytest.fixture
def network(mini: params.Params) -> open_clip.CLIP:
    """A small CLIP with random weights."""
    with rng.seeded_init(1, "text encoder test"):
        return open_clip.CLIP(
            **open_clip_folder.design(mini.clip.network, mini.shapes).model
        ).eval()


def test_tokens_and_features_agree_with_the_clip(
    network: open_clip.CLIP, mini: params.Params, tmp_path: Path
) -> None:
    design = open_clip_folder.design(mini.clip.network, mini.shapes)
    open_clip_folder.save(tmp_path, network, design)
    model, tokenizer = text_encoder.convert(tmp_path)
    ids = design.tokenize(TEXTS)
    for text, row in zip(TEXTS, ids, strict=True):
        used = row[: int(row.argmax()) + 1]  # up to the end marker, the largest id
        assert tokenizer(text).input_ids == used.tolist()
    padded = text_encoder.token_ids(tokenizer, TEXTS)
    assert padded.dtype == torch.int16
    with torch.no_grad():
        features = model(padded.long())[0]
    assert features.shape == (3, open_clip_folder.CONTEXT, mini.clip.network.text_width)
    with torch.no_grad():
        ends = features[torch.arange(3), ids.argmax(1)] @ network.text_projection
        assert torch.allclose(ends, network.encode_text(ids), atol=1e-5)
        embeddings = model.get_input_embeddings()(padded.long())
        assert torch.allclose(text_encoder.hidden_states(model, embeddings), features, atol=1e-6)


def test_a_folder_without_a_small_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no small CLIP .* run `dvc repro clip_train`") as error:
        text_encoder.convert(tmp_path)
    assert "\n" not in str(error.value)
