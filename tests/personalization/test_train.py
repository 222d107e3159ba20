"""Only the new rows train; initializers are checked; resumed and split trainings are the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from hw2.config import params
from hw2.personalization import custom_diffusion, tokens
from hw2.personalization import train as learn
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import load, sample
from hw2.training.resume import Resume

CPU = torch.device("cpu")


def batch_function(words: str, count: int = 4) -> Callable[[int], tuple[Tensor, list[str]]]:
    def taught(step: int) -> tuple[Tensor, list[str]]:
        images = torch.linspace(-1, 1, count * 3 * 64 * 64).view(count, 3, 64, 64)
        return images.roll(step, 0), [f"a photo of a {words}"] * count

    return taught


def train(
    pipe: Any, added: tokens.Added, settings: params.PersonalizationTrain, folder: Path, **more: Any
) -> Tensor:
    rows, _, _ = learn.fit(
        pipe, (added,), batch_function(added.words), settings, steps=3, lr=0.01, seed=1,
        resume=Resume(folder, {}), desc="test", **more,
    )  # fmt: skip
    return rows


@pytest.mark.parametrize("vectors", [1, 3])
def test_every_other_row_keeps_its_bits(
    stable: params.StableDiffusion, mini: params.Params, v1: Path, tmp_path: Path, vectors: int
) -> None:
    pipe = load.load(stable, v1, CPU)
    added = tokens.add(pipe, "<new1>", tokens.initial(pipe, "circle", vectors))
    before = {k: v.clone() for k, v in pipe.text_encoder.state_dict().items()}
    unet = {k: v.clone() for k, v in pipe.unet.state_dict().items()}
    rows = train(pipe, added, mini.personalization.train, tmp_path)
    name = "embeddings.token_embedding.weight"
    after = pipe.text_encoder.state_dict()
    changed = (after[name] != before[name]).any(1).nonzero().flatten().tolist()
    assert changed == list(added.ids)
    assert torch.equal(after[name][list(added.ids)], rows)
    assert all(torch.equal(after[k], v) for k, v in before.items() if k != name)
    assert all(torch.equal(pipe.unet.state_dict()[k], v) for k, v in unet.items())


def test_parts_and_checkpointing_change_no_numbers(
    stable: params.StableDiffusion, mini: params.Params, v1: Path, tmp_path: Path
) -> None:
    found = []
    for place, update in enumerate(({}, {"microbatches": 4}, {"gradient_checkpointing": True})):
        pipe = load.load(stable, v1, CPU)
        added = tokens.add(pipe, "<new1>", tokens.initial(pipe, "circle", 1))
        settings = mini.personalization.train.model_copy(update=update)
        found.append(train(pipe, added, settings, tmp_path / str(place)))
    assert torch.allclose(found[0], found[1], atol=1e-3)
    assert torch.allclose(found[0], found[2], atol=1e-3)


@pytest.mark.parametrize("kind", ["bf16", "fp16"])
def test_half_precision_of_the_frozen_parts(
    stable: params.StableDiffusion, mini: params.Params, v1: Path, tmp_path: Path, kind: str
) -> None:
    pipe = load.load(stable.model_copy(update={"precision": kind}), v1, CPU)
    assert pipe.unet.dtype == {"bf16": torch.bfloat16, "fp16": torch.float16}[kind]
    added = tokens.add(pipe, "<new1>", tokens.initial(pipe, "circle", 1))
    start = pipe.text_encoder.get_input_embeddings().weight[list(added.ids)].clone()
    rows = train(pipe, added, mini.personalization.train, tmp_path)
    assert rows.dtype == torch.float32
    assert torch.isfinite(rows).all()
    assert not torch.equal(rows, start)
    how = mini.personalization.sampling
    images = sample.draw(pipe, "a photo of a <new1>", range(2), how, seed=1, stream="half")
    exact = load.load(stable, v1, CPU)
    tokens.add(exact, "<new1>", rows)
    same = sample.draw(exact, "a photo of a <new1>", range(2), how, seed=1, stream="half")
    assert images.std() > 1
    assert np.abs(images.astype(int) - same.astype(int)).mean() < 5  # of 255


def test_custom_diffusion_changes_keys_and_values_and_stores_deltas_alone(
    stable: params.StableDiffusion, mini: params.Params, v1: Path, tmp_path: Path
) -> None:
    pipe = load.load(stable, v1, CPU)
    added = tokens.add(pipe, "<new1>", tokens.initial(pipe, "circle", 1))
    weights = custom_diffusion.matrices(pipe.unet)
    assert len(weights) == 2 * 16  # v1 has 16 cross-attentions
    base = custom_diffusion.snapshot(weights)
    before = {k: v.clone() for k, v in pipe.unet.state_dict().items()}
    train(pipe, added, mini.personalization.train, tmp_path, matrices=weights, matrices_lr=1e-3)
    tuned = custom_diffusion.snapshot(weights)
    moved = {k for k, v in pipe.unet.state_dict().items() if not torch.equal(v, before[k])}
    assert moved == set(weights)
    custom_diffusion.save(tmp_path / "kv.safetensors", custom_diffusion.changed(base, tuned))
    size = (tmp_path / "kv.safetensors").stat().st_size
    numbers = sum(w.numel() for w in weights.values())
    assert 4 * numbers < size < 4 * numbers + 10_000
    deltas = load_file(tmp_path / "kv.safetensors")
    assert deltas.keys() == weights.keys()
    assert all(torch.allclose(base[k] + deltas[k], tuned[k], atol=1e-7) for k in tuned)


def test_several_vectors_are_what_diffusers_reads(
    stable: params.StableDiffusion, v1: Path, tmp_path: Path
) -> None:
    rows = torch.linspace(-1, 1, 3 * 32).view(3, 32)
    tokens.save(tmp_path / "one.safetensors", "<new1>", rows)
    pipe = load.load(stable, v1, CPU)
    pipe.load_textual_inversion(tmp_path / "one.safetensors")
    ids = pipe.tokenizer.convert_tokens_to_ids(tokens.names("<new1>", 3))
    assert torch.equal(pipe.text_encoder.get_input_embeddings().weight[ids], rows)
    ours = load.load(stable, v1, CPU)
    added = tokens.add(ours, *tokens.read(tmp_path / "one.safetensors"))
    assert list(added.ids) == ids
    said = "a photo of a <new1>"
    assert ours.maybe_convert_prompt(said, ours.tokenizer) == f"a photo of a {added.words}"


def test_initializers_are_checked(stable: params.StableDiffusion, v1: Path) -> None:
    pipe = load.load(stable, v1, CPU)
    table = pipe.text_encoder.get_input_embeddings().weight
    place = pipe.tokenizer("circle", add_special_tokens=False).input_ids
    assert torch.equal(tokens.initial(pipe, "circle", 1), table[place])
    assert tokens.initial(pipe, "red circle", 2).shape == (2, 32)
    apart = tokens.initial(pipe, "circle", 3)
    assert len(apart.unique(dim=0)) == 3
    with pytest.raises(UserError, match=r"'red circle' has 2 tokens .* for 1 vector"):
        tokens.initial(pipe, "red circle", 1)
    tokens.add(pipe, "<new1>", apart)
    assert len(pipe.tokenizer.tokenize("a <new1> <new1>_1 <new1>_2")) == 4
    with pytest.raises(UserError, match="<new1> is in the vocabulary already"):
        tokens.add(pipe, "<new1>", apart)
