"""Only new embeddings are trained; initializers are checked; split batches give the same result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from in_processes import Raised, in_processes
from safetensors.torch import load_file
from torch import Tensor

from hw2.config import params
from hw2.personalization import custom_diffusion, textual_inversion, tokens
from hw2.personalization import train as personalization_train
from hw2.personalization.train import Snapshots
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import load, sample
from hw2.training import processes
from hw2.training.resume import Resume

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


def batch_function(words: str, count: int = 4) -> Callable[[int], tuple[Tensor, list[str]]]:
    def make_batch(step: int) -> tuple[Tensor, list[str]]:
        images = torch.linspace(-1, 1, count * 3 * 64 * 64).view(count, 3, 64, 64)
        return images.roll(step, 0), [f"a photo of a {words}"] * count

    return make_batch


def train(
    pipe: Any,
    added: tokens.AddedToken,
    settings: params.PersonalizationTrain,
    folder: Path,
    **options: Any,
) -> Tensor:
    rows, _, _ = personalization_train.train_embeddings(
        pipe, (added,), batch_function(added.words), settings, steps=3, lr=0.01, seed=1,
        resume=Resume(folder, {}), desc="test", **options,
    )  # fmt: skip
    return rows


@pytest.mark.parametrize("vectors", [1, 3])
def test_row_73_no_other_embedding_changes(
    stable_diffusion: params.StableDiffusion,
    mini: params.Params,
    v1: Path,
    tmp_path: Path,
    vectors: int,
) -> None:
    pipe = load.load(stable_diffusion, v1, CPU)
    added = tokens.add(pipe, "<new1>", tokens.initial_embedding(pipe, "circle", vectors))
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


def test_microbatches_and_checkpointing_give_the_same_embeddings(
    stable_diffusion: params.StableDiffusion,
    mini: params.Params,
    v1: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With SGD, because AdamW's first steps amplify the rounding of tiny gradients."""
    monkeypatch.setattr(torch.optim, "AdamW", lambda groups, **_: torch.optim.SGD(groups))
    start, results = None, []
    for index, update in enumerate(({}, {"microbatches": 4}, {"gradient_checkpointing": True})):
        pipe = load.load(stable_diffusion, v1, CPU)
        start = tokens.initial_embedding(pipe, "circle", 1)
        added = tokens.add(pipe, "<new1>", start)
        settings = mini.personalization.train.model_copy(update=update)
        results.append(train(pipe, added, settings, tmp_path / str(index)) - start)
    assert results[0].abs().max() > 0
    for other in results[1:]:  # convolutions of other sizes may round differently
        assert (other - results[0]).norm() < 0.05 * results[0].norm()


def test_the_learning_rate_falls_after_decay_start(
    stable_diffusion: params.StableDiffusion, mini: params.Params, v1: Path, tmp_path: Path
) -> None:
    moved = {}
    for decay_start in (0.0, 1.0):
        pipe = load.load(stable_diffusion, v1, CPU)
        added = tokens.add(pipe, "<new1>", tokens.initial_embedding(pipe, "circle", 1))
        settings = mini.personalization.train.model_copy(update={"decay_start": decay_start})
        _, _, snapshots = personalization_train.train_embeddings(
            pipe, (added,), batch_function(added.words), settings, steps=3, lr=0.01, seed=1,
            resume=Resume(tmp_path / str(decay_start), {}), desc="test",
            snapshot=lambda step, snapshots: None, validate_every=1,
        )  # fmt: skip
        steps = np.diff(torch.stack(snapshots.rows).flatten(1).numpy(), axis=0)
        moved[decay_start] = np.linalg.norm(steps, axis=1)
    assert moved[0.0][0] == moved[1.0][0]  # the peak
    assert moved[0.0][2] < 0.5 * moved[1.0][2]  # a third of the rate


@pytest.mark.parametrize("kind", ["bf16", "fp16"])
def test_training_through_a_network_of_half_precision(
    stable_diffusion: params.StableDiffusion,
    mini: params.Params,
    v1: Path,
    tmp_path: Path,
    kind: str,
) -> None:
    pipe = load.load(stable_diffusion.model_copy(update={"precision": kind}), v1, CPU)
    # A CPU keeps the weights in fp32 for bf16; fp16 has those of a GPU.
    assert pipe.unet.dtype == {"bf16": torch.float32, "fp16": torch.float16}[kind]
    added = tokens.add(pipe, "<new1>", tokens.initial_embedding(pipe, "circle", 1))
    start = pipe.text_encoder.get_input_embeddings().weight[list(added.ids)].clone()
    rows = train(pipe, added, mini.personalization.train, tmp_path)
    assert rows.dtype == torch.float32
    assert torch.isfinite(rows).all()
    assert not torch.equal(rows, start)
    sampling = mini.personalization.sampling
    images = sample.sample_prompt(
        pipe, "a photo of a <new1>", range(2), sampling, seed=1, stream="half"
    )
    exact = load.load(stable_diffusion, v1, CPU)
    tokens.add(exact, "<new1>", rows)
    expected = sample.sample_prompt(
        exact, "a photo of a <new1>", range(2), sampling, seed=1, stream="half"
    )
    assert images.std() > 1
    assert np.abs(images.astype(int) - expected.astype(int)).mean() < 5  # of 255


def test_custom_diffusion_trains_keys_and_values_and_stores_their_deltas(
    stable_diffusion: params.StableDiffusion, mini: params.Params, v1: Path, tmp_path: Path
) -> None:
    pipe = load.load(stable_diffusion, v1, CPU)
    added = tokens.add(pipe, "<new1>", tokens.initial_embedding(pipe, "circle", 1))
    weights = custom_diffusion.key_value_matrices(pipe.unet)
    assert len(weights) == 2 * 16  # v1 has 16 cross-attentions
    base = custom_diffusion.snapshot(weights)
    before = {k: v.clone() for k, v in pipe.unet.state_dict().items()}
    train(pipe, added, mini.personalization.train, tmp_path, matrices=weights, matrices_lr=1e-3)
    tuned = custom_diffusion.snapshot(weights)
    changed = {k for k, v in pipe.unet.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == set(weights)
    custom_diffusion.save(tmp_path / "kv.safetensors", custom_diffusion.weight_deltas(base, tuned))
    size = (tmp_path / "kv.safetensors").stat().st_size
    parameters = sum(w.numel() for w in weights.values())
    assert 4 * parameters < size < 4 * parameters + 10_000
    deltas = load_file(tmp_path / "kv.safetensors")
    assert deltas.keys() == weights.keys()
    assert all(torch.allclose(base[k] + deltas[k], tuned[k], atol=1e-7) for k in tuned)


def test_diffusers_reads_embeddings_of_several_vectors(
    stable_diffusion: params.StableDiffusion, v1: Path, tmp_path: Path
) -> None:
    rows = torch.linspace(-1, 1, 3 * 32).view(3, 32)
    tokens.save(tmp_path / "token.safetensors", "<new1>", rows)
    pipe = load.load(stable_diffusion, v1, CPU)
    pipe.load_textual_inversion(tmp_path / "token.safetensors")
    ids = pipe.tokenizer.convert_tokens_to_ids(tokens.names("<new1>", 3))
    assert torch.equal(pipe.text_encoder.get_input_embeddings().weight[ids], rows)
    ours = load.load(stable_diffusion, v1, CPU)
    added = tokens.add(ours, *tokens.read(tmp_path / "token.safetensors"))
    assert list(added.ids) == ids
    prompt = "a photo of a <new1>"
    assert ours.maybe_convert_prompt(prompt, ours.tokenizer) == f"a photo of a {added.words}"


def test_row_72_initializers_are_checked(
    stable_diffusion: params.StableDiffusion, v1: Path
) -> None:
    pipe = load.load(stable_diffusion, v1, CPU)
    table = pipe.text_encoder.get_input_embeddings().weight
    ids = pipe.tokenizer("circle", add_special_tokens=False).input_ids
    assert torch.equal(tokens.initial_embedding(pipe, "circle", 1), table[ids])
    assert tokens.initial_embedding(pipe, "red circle", 2).shape == (2, 32)
    several = tokens.initial_embedding(pipe, "circle", 3)
    assert len(several.unique(dim=0)) == 3
    with pytest.raises(UserError, match=r"'red circle' has 2 tokens .* for 1 vector"):
        tokens.initial_embedding(pipe, "red circle", 1)
    tokens.add(pipe, "<new1>", several)
    assert len(pipe.tokenizer.tokenize("a <new1> <new1>_1 <new1>_2")) == 4
    with pytest.raises(UserError, match="<new1> is in the vocabulary already"):
        tokens.add(pipe, "<new1>", several)


@pytest.mark.parametrize(
    ("image", "text", "chosen"),
    [
        ([50.0, 82.2, 84.0], [68.0, 70.0, 67.0], 2),  # both keep the prompt, so the image decides
        ([50.0, 70.0, 60.0], [60.0, 50.0, 59.0], 2),  # the first keeps too little of the text
        ([50.0, 49.0, 48.0], [60.0, 80.0, 90.0], 0),  # nothing is above the initializer
        ([20.0, 50.0, 55.0], [-10.0, -8.0, -9.5], 1),  # 0.9 of a negative score is a higher one
        ([20.0, 50.0, 55.0], [-10.0, -12.0, -11.0], 0),  # none keeps the prompt
    ],
)
def test_the_snapshot_with_the_best_image_score_that_keeps_the_prompt_is_chosen(
    image: list[float], text: list[float], chosen: int
) -> None:
    assert textual_inversion.choose(image, text) == chosen


Fitted = tuple[Tensor, list[dict[str, float]], dict[str, Any]]


@pytest.mark.parametrize("augment", [False, True])
def test_two_processes_give_the_curve_of_one(
    stable_diffusion: params.StableDiffusion,
    mini: params.Params,
    v1: Path,
    tmp_path: Path,
    augment: bool,
) -> None:
    changes = {"augment": augment, "microbatches": 2}
    settings = mini.personalization.train.model_copy(update=changes)

    def fit(folder: Path, writer: int) -> Fitted:
        pipe = load.load(stable_diffusion, v1, torch.device("cpu"))
        added = tokens.add(pipe, "<new1>", tokens.initial_embedding(pipe, "circle", 1))

        def snapshot(step: int, snapshots: Snapshots) -> None:
            snapshots.image.append(float(writer))

        rows, history, snapshots = personalization_train.train_embeddings(
            pipe, (added,), batch_function(added.words), settings, steps=3, lr=0.01, seed=1,
            resume=Resume(folder, {}), snapshot=snapshot, validate_every=2, desc="test",
        )  # fmt: skip
        return rows, history, snapshots.state_dict()

    def member(rank: int) -> Fitted:
        fitted = fit(tmp_path / str(rank), rank)
        if rank == 1:  # what the stage would choose from
            assert fitted[2]["image"] == [0.0, 0.0, 0.0]
        processes.end_all_but_first()
        return fitted

    first, second = in_processes(2, member, tmp_path)
    rows, history, snapshots = fit(tmp_path / "alone", 0)
    # Images that are augmented are encoded together, and AdamW makes rounding visible.
    for several, one in zip(first[1], history, strict=True):
        close = 1e-3 if augment and one["step"] > 1 else 1e-5
        assert several["loss"] == pytest.approx(one["loss"], rel=close)
    assert augment or torch.equal(first[0], rows)
    assert first[2]["steps"] == snapshots["steps"] == [0, 2, 3]
    assert second == Raised(SystemExit, "0")
