"""Models from their files, preprocessing, features and the cache."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import load_file, save_file

from hw2.clip import feature_cache, features, images, model, weights
from hw2.clip.classify import classify
from hw2.clip.feature_cache import Cache
from hw2.clip.features import Encoder
from hw2.clip.preprocess import Preprocess
from hw2.config import params
from hw2.runtime.errors import UserError

CPU = torch.device("cpu")
OPENAI = {
    "size": 224, "mode": "RGB", "mean": open_clip.OPENAI_DATASET_MEAN,
    "std": open_clip.OPENAI_DATASET_STD, "interpolation": "bicubic", "resize_mode": "shortest",
    "fill_color": 0,
}  # fmt: skip
Form = Callable[..., Path]


def spec(where: Path, **values: str) -> params.ClipModel:
    return params.ClipModel(
        **{"name": "one", "weights": str(where), "architecture": None, "pin": None} | values
    )


def load(where: Path, **values: str) -> model.Clip:
    return model.load(weights.locate(spec(where, **values), Path()), CPU)


@pytest.mark.parametrize(
    ("changes", "sizes"),
    [
        ({}, ((32, 32),)),
        ({}, ((32, 32), (300, 240), (224, 500), (32, 32), (31, 47))),
        ({"resize_mode": "squash"}, ((50, 80), (32, 32))),
        ({"resize_mode": "squash", "size": 32}, ((32, 32),)),
        ({"resize_mode": "longest"}, ((50, 80), (32, 32))),
        ({"interpolation": "bilinear"}, ((300, 240), (32, 32))),
    ],
)
def test_preprocessing_is_open_clip_s(
    changes: dict[str, object], sizes: tuple[tuple[int, int], ...]
) -> None:
    config = OPENAI | changes
    stream = np.random.Generator(np.random.PCG64(4))
    pixels = [stream.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    ours = Preprocess(config)(pixels)
    transform = image_transform_v2(PreprocessCfg(**config), is_train=False)
    theirs = torch.stack([transform(Image.fromarray(image)) for image in pixels])
    assert ours.shape == theirs.shape
    levels = (ours - theirs).abs() * torch.tensor(OPENAI["std"]).view(3, 1, 1) * 255
    assert levels.max() < 2.01
    assert (levels > 0.01).float().mean() < 0.02


def test_the_folder_is_open_clip_s(tiny_folder: Path) -> None:
    ours = load(tiny_folder)
    theirs = open_clip.create_model(f"local-dir:{tiny_folder}").eval()
    bpe = str(tiny_folder / "bpe_vocabulary.txt.gz")
    tokenize = open_clip.get_tokenizer(f"local-dir:{tiny_folder}", bpe_path=bpe)
    texts = ["a photo of a red circle", "a striped blue star"]
    assert torch.equal(ours.tokenize(texts), tokenize(texts))
    ours_text, theirs_text = ours.tokenize(texts), tokenize(texts)
    x = torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(ours.network.encode_image(x), theirs.encode_image(x), atol=1e-6)
        assert torch.allclose(
            ours.network.encode_text(ours_text), theirs.encode_text(theirs_text), atol=1e-6
        )
    assert ours.preprocess.config["std"] == [0.35, 0.35, 0.35]
    assert ours.scale == pytest.approx(theirs.logit_scale.exp().item())


def test_open_clip_s_logging_is_quiet_only_while_loading(
    tiny_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(tiny_folder)
    assert not [record for record in caplog.records if record.name == "root"]


def test_a_weight_file_of_pickle_s_kind(tiny_folder: Path) -> None:
    path = tiny_folder / "open_clip_model.safetensors"
    before = load(tiny_folder)
    torch.save(load_file(path), tiny_folder / "open_clip_pytorch_model.bin")
    path.unlink()
    after = load(tiny_folder)
    for name, value in before.network.state_dict().items():
        assert torch.equal(value, after.network.state_dict()[name])


def test_what_does_not_fit_is_one_line(tiny_folder: Path) -> None:
    path = tiny_folder / "open_clip_model.safetensors"
    for values, said in (
        ({"architecture": "RN50"}, "cannot be loaded"),
        ({"architecture": "no-such"}, "cannot be loaded"),
    ):
        with pytest.raises(UserError, match=said) as caught:
            load(path, **values)
        assert "\n" not in str(caught.value)
    kept = load_file(path)
    save_file({k: v for k, v in kept.items() if k != "text_projection"}, path)
    with pytest.raises(UserError, match="text_projection"):
        load(tiny_folder)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot be loaded"):
        load(tiny_folder)
    (tiny_folder / "open_clip_config.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be loaded"):
        load(tiny_folder)


def test_features_are_open_clip_s_and_kept(
    tiny_folder: Path, course_form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = load(tiny_folder)
    kept = tmp_path / "cache"
    encoder = Encoder(clip, Cache(kept, features.__name__), "fp32", batch=4)
    with images.opened(course_form(3)) as found:
        seen = encoder.images(found)
        with torch.no_grad():
            x = clip.preprocess(found.read(range(9)))
            expected = clip.network.encode_image(x, normalize=True).numpy()
        assert np.allclose(seen, expected, atol=1e-5)
        classes = encoder.classes(found.classes, ("a {}", "a photo of a {}"))
        one = np.array([encoder.classes(found.classes, (t,)) for t in ("a {}", "a photo of a {}")])
        mean = one.mean(0)
        assert np.allclose(classes, mean / np.linalg.norm(mean, axis=0), atol=1e-5)
        monkeypatch.setattr(features, "image_encoder", None)  # nothing is computed again
        assert np.array_equal(encoder.images(found), seen)
        with pytest.raises(TypeError):
            Encoder(clip, Cache(kept, features.__name__), "bf16", batch=4).images(found)


def test_bf16_features_are_near_and_leave_the_weights(tiny_folder: Path, course_form: Form) -> None:
    clip = load(tiny_folder)
    before = {k: v.clone() for k, v in clip.network.state_dict().items()}
    with images.opened(course_form(3)) as found:
        pixels = found.read(range(9))
    full, low = (features.image_encoder(clip, kind)(pixels) for kind in ("fp32", "bf16"))
    assert full.dtype == low.dtype == torch.float32
    assert (full * low).sum(1).min() > 0.99
    for name, value in clip.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_precision_by_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert features.precision("fp32", CPU) == "fp32"
    assert features.precision("bf16", CPU) == "bf16"
    for native, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert features.precision("auto", CPU) == expected


def test_the_cache_knows_what_it_was_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def make() -> np.ndarray:
        made.append(1)
        return np.arange(3.0)

    store = Cache(tmp_path, features.__name__)
    for made_of in ({"a": 1}, {"a": 1}, {"a": 2}, {"b": 1}):
        assert np.array_equal(store.get(made_of, make), np.arange(3.0))
    assert len(made) == 3
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:40])  # damaged: made again
    store.get({"a": 1}, make)
    assert len(made) == 4
    monkeypatch.setattr(feature_cache.fingerprint, "fingerprint", lambda *_: "edited")
    Cache(tmp_path, features.__name__).get({"a": 1}, make)
    assert len(made) == 5


def test_classification_is_a_softmax_of_cosines() -> None:
    seen = np.eye(3, dtype=np.float32)
    classes = np.array([[1, 0, 0, 0.6], [0, 1, 0, 0.8], [0, 0, 1, 0]], np.float32)
    said = classify(seen, classes, np.array([0, 3, 1]), scale=10.0)
    assert said.top[:, 0].tolist() == [0, 1, 2]
    assert said.right.tolist() == [True, False, False]
    assert said.right5.tolist() == [True, True, True]
    assert said.confidence.sum(1) == pytest.approx(1)
    assert said.confidence[0, 0] == pytest.approx(1 / (1 + 2 * np.exp(-10) + np.exp(-4)))
    assert said.recalls().tolist() == [1, 0, 0]


def test_top_five_of_many() -> None:
    stream = np.random.Generator(np.random.PCG64(6))
    logits = stream.standard_normal((40, 12)).astype(np.float32)
    said = classify(logits, np.eye(12, dtype=np.float32), np.zeros(40, int), scale=1.0)
    assert said.top.shape == (40, 5)
    assert np.array_equal(said.top, np.argsort(-logits, 1)[:, :5])
    assert np.array_equal(said.right5, (np.argsort(-logits, 1)[:, :5] == 0).any(1))
    assert (np.diff(said.confidence, axis=1) <= 0).all()
    assert json.dumps(said.confidence[0].tolist())
