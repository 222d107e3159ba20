"""Models from their files, preprocessing, features and the cache."""

import json
import os
import subprocess
import sys
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

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
OPENAI = {
    "size": 224, "mode": "RGB", "mean": open_clip.OPENAI_DATASET_MEAN,
    "std": open_clip.OPENAI_DATASET_STD, "interpolation": "bicubic", "resize_mode": "shortest",
    "fill_color": 0,
}  # fmt: skip
WriteLayout = Callable[..., Path]


def spec(folder: Path, **values: str) -> params.ClipModel:
    return params.ClipModel(
        **{
            "name": "model",
            "weights": str(folder),
            "architecture": None,
            "revision": None,
            "sha256": None,
        }
        | values
    )


def load(folder: Path, **values: str) -> model.Clip:
    return model.load(weights.locate(spec(folder, **values), Path()), CPU)


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
def test_preprocessing_agrees_with_open_clip(
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


STOCK = """
import sys
import open_clip, torch
name = f"local-dir:{sys.argv[1]}"
network, tokenize = open_clip.create_model(name).eval(), open_clip.get_tokenizer(name)
x = torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32)
with torch.no_grad():
    texts = network.encode_text(tokenize(["a photo of a red circle", "a striped blue star"]))
    torch.save([network.encode_image(x), texts, network.logit_scale.exp()], sys.argv[2])
assert "hw2" not in sys.modules
"""


def test_found_11_open_clip_reads_the_folder_anywhere_and_without_this_package(
    tiny_folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", STOCK, str(tiny_folder), "stock.pt"]
    subprocess.run(command, cwd=elsewhere, env=environment, check=True)
    image, texts, scale = torch.load(elsewhere / "stock.pt")
    ours = load(tiny_folder)
    x = torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32)
    ids = ours.tokenize(["a photo of a red circle", "a striped blue star"])
    with torch.no_grad():
        assert torch.allclose(ours.network.encode_image(x), image, atol=1e-6)
        assert torch.allclose(ours.network.encode_text(ids), texts, atol=1e-6)
    assert ours.preprocess.config["std"] == [0.35, 0.35, 0.35]
    assert ours.scale == pytest.approx(scale.item())


def test_loading_logs_nothing_of_open_clip(
    tiny_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(tiny_folder)
    assert not [record for record in caplog.records if record.name == "root"]


def test_a_bin_weight_file_gives_the_same_model(tiny_folder: Path) -> None:
    path = tiny_folder / "open_clip_model.safetensors"
    before = load(tiny_folder)
    torch.save(load_file(path), tiny_folder / "open_clip_pytorch_model.bin")
    path.unlink()
    after = load(tiny_folder)
    for name, value in before.network.state_dict().items():
        assert torch.equal(value, after.network.state_dict()[name])


def test_weights_that_do_not_fit_are_refused_in_one_line(tiny_folder: Path) -> None:
    path = tiny_folder / "open_clip_model.safetensors"
    for values, message in (
        ({"architecture": "RN50"}, "cannot be loaded"),
        ({"architecture": "no-such"}, "cannot be loaded"),
    ):
        with pytest.raises(UserError, match=message) as error:
            load(path, **values)
        assert "\n" not in str(error.value)
    complete = load_file(path)
    save_file({k: v for k, v in complete.items() if k != "text_projection"}, path)
    with pytest.raises(UserError, match="text_projection"):
        load(tiny_folder)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot be loaded"):
        load(tiny_folder)
    (tiny_folder / "open_clip_config.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be loaded"):
        load(tiny_folder)


def test_features_agree_with_open_clip_and_are_cached(
    tiny_folder: Path, course_layout: WriteLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = load(tiny_folder)
    folder = tmp_path / "cache"
    encoder = Encoder(clip, Cache(folder, features.__name__), "fp32", batch=4)
    with images.opened(course_layout(3)) as labeled:
        image_features = encoder.images(labeled)
        with torch.no_grad():
            x = clip.preprocess(labeled.read(range(9)))
            expected = clip.network.encode_image(x, normalize=True).numpy()
        assert np.allclose(image_features, expected, atol=1e-5)
        classes = encoder.classes(labeled.classes, ("a {}", "a photo of a {}"))
        single = np.array(
            [encoder.classes(labeled.classes, (t,)) for t in ("a {}", "a photo of a {}")]
        )
        mean = single.mean(0)
        assert np.allclose(classes, mean / np.linalg.norm(mean, axis=0), atol=1e-5)
        monkeypatch.setattr(features, "image_encoder", None)  # nothing is computed again
        assert np.array_equal(encoder.images(labeled), image_features)
        with pytest.raises(TypeError):
            Encoder(clip, Cache(folder, features.__name__), "bf16", batch=4).images(labeled)


def test_bf16_features_are_close_and_leave_the_weights_unchanged(
    tiny_folder: Path, course_layout: WriteLayout
) -> None:
    clip = load(tiny_folder)
    before = {k: v.clone() for k, v in clip.network.state_dict().items()}
    with images.opened(course_layout(3)) as labeled:
        pixels = labeled.read(range(9))
    full, low = (features.image_encoder(clip, kind)(pixels) for kind in ("fp32", "bf16"))
    assert full.dtype == low.dtype == torch.float32
    assert (full * low).sum(1).min() > 0.99
    for name, value in clip.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_auto_precision_depends_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert features.precision("fp32", CPU) == "fp32"
    assert features.precision("bf16", CPU) == "bf16"
    for native, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda native=native: native)
        assert features.precision("auto", CPU) == expected


def test_cached_arrays_depend_on_inputs_and_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []

    def compute() -> np.ndarray:
        computed.append(1)
        return np.arange(3.0)

    cache = Cache(tmp_path, features.__name__)
    for inputs in ({"a": 1}, {"a": 1}, {"a": 2}, {"b": 1}):
        assert np.array_equal(cache.get(inputs, compute), np.arange(3.0))
    assert len(computed) == 3
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:40])  # damaged: computed again
    cache.get({"a": 1}, compute)
    assert len(computed) == 4
    monkeypatch.setattr(feature_cache.fingerprint, "fingerprint", lambda *_: "edited")
    Cache(tmp_path, features.__name__).get({"a": 1}, compute)
    assert len(computed) == 5


def test_classification_is_a_softmax_of_cosines() -> None:
    image_features = np.eye(3, dtype=np.float32)
    classes = np.array([[1, 0, 0, 0.6], [0, 1, 0, 0.8], [0, 0, 1, 0]], np.float32)
    predictions = classify(image_features, classes, np.array([0, 3, 1]), scale=10.0)
    assert predictions.top[:, 0].tolist() == [0, 1, 2]
    assert predictions.correct.tolist() == [True, False, False]
    assert predictions.correct_top5.tolist() == [True, True, True]
    assert predictions.confidence.sum(1) == pytest.approx(1)
    assert predictions.confidence[0, 0] == pytest.approx(1 / (1 + 2 * np.exp(-10) + np.exp(-4)))
    assert predictions.recalls().tolist() == [1, 0, 0]


def test_the_top_five_of_many_classes() -> None:
    stream = np.random.Generator(np.random.PCG64(6))
    logits = stream.standard_normal((40, 12)).astype(np.float32)
    predictions = classify(logits, np.eye(12, dtype=np.float32), np.zeros(40, int), scale=1.0)
    assert predictions.top.shape == (40, 5)
    assert np.array_equal(predictions.top, np.argsort(-logits, 1)[:, :5])
    assert np.array_equal(predictions.correct_top5, (np.argsort(-logits, 1)[:, :5] == 0).any(1))
    assert (np.diff(predictions.confidence, axis=1) <= 0).all()
    assert json.dumps(predictions.confidence[0].tolist())
