"""The classifier's input normalization and its file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hw2.config import params
from hw2.dann import classifier
from hw2.dann.classifier import Classifier, InputNormalization
from hw2.dann.pairs import Pair
from hw2.runtime.errors import UserError

CPU = torch.device("cpu")
PAIR = Pair("mnistm", "usps")


def noise(count: int = 5) -> torch.Tensor:
    return torch.rand(count, 3, 28, 28, generator=torch.Generator().manual_seed(2)) * 2 - 1


def test_instance_normalization_gives_mean_0_and_std_1() -> None:
    seen = InputNormalization("instance")(noise() * 0.2 + 0.5, 0)
    assert torch.allclose(seen.mean((1, 2, 3)), torch.zeros(5), atol=1e-5)
    assert torch.allclose(seen.std((1, 2, 3), correction=0), torch.ones(5), atol=1e-4)


def test_instance_normalization_removes_brightness_and_accepts_a_blank_image() -> None:
    normalization = InputNormalization("instance")
    assert torch.allclose(
        normalization(noise(), 0), normalization(0.4 * noise() - 0.3, 1), atol=1e-4
    )
    assert normalization(torch.zeros(1, 3, 28, 28), 0).isfinite().all()


def test_domain_normalization_uses_the_statistics_of_the_domain() -> None:
    random = np.random.default_rng(len("units"))
    dark = random.integers(0, 60, (50, 28, 28, 3), dtype=np.uint8)
    light = random.integers(120, 255, (50, 28, 28, 3), dtype=np.uint8)
    normalization = InputNormalization("domain")
    normalization.measure(dark, 0)
    normalization.measure(light, 1)
    for domain, images in enumerate((dark, light)):
        seen = normalization(
            torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1, domain
        )
        assert seen.mean((0, 2, 3)).abs().max() < 1e-4
        assert (seen.std((0, 2, 3)) - 1).abs().max() < 1e-3


@pytest.mark.parametrize(
    ("method", "extractor"), [("self_training", "shared"), ("dann_paper", "ganin")]
)
def test_a_loaded_classifier_equals_the_saved_one(
    mini: params.Dann, tmp_path: Path, method: str, extractor: str
) -> None:
    network = Classifier(mini.network, extractor).eval()
    path = tmp_path / "model.safetensors"
    classifier.save(path, network.state_dict(), mini.network, extractor, PAIR, method)
    trained = classifier.load(path, CPU)
    assert (trained.pair, trained.method) == (PAIR, method)
    images = np.random.default_rng(1).integers(0, 256, (7, 28, 28, 3), dtype=np.uint8)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        expected = network(x, 1).numpy()
    assert np.allclose(trained.outputs(images, "usps")[1], expected, atol=1e-5)
    assert (trained.predict(images, "usps") == expected.argmax(1)).all()
    assert trained.outputs(images, "mnistm")[0].shape == (7, network.extractor.features)
    with pytest.raises(ValueError, match="not in tuple"):
        trained.predict(images, "svhn")


def test_a_file_that_is_no_checkpoint_is_a_one_line_error(tmp_path: Path) -> None:
    absent, foreign = tmp_path / "absent", tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(1)}, foreign)
    for path in (absent, foreign):
        with pytest.raises(
            UserError, match=r"not a checkpoint of dann_train .* run `dvc"
        ) as caught:
            classifier.load(path, CPU)
        assert "\n" not in str(caught.value)
