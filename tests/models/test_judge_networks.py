"""The digit readers: the course's LeNet has the layout of `Classifier.pth`."""

import pytest
import torch
from torch import nn

from hw2.models.judge import CourseClassifier, DigitNet

COURSE = {
    "conv1.weight": (6, 3, 5, 5), "conv1.bias": (6,),
    "conv2.weight": (16, 6, 5, 5), "conv2.bias": (16,),
    "fc1.weight": (128, 256), "fc1.bias": (128,),
    "fc2.weight": (64, 128), "fc2.bias": (64,),
    "fc3.weight": (10, 64), "fc3.bias": (10,),
}  # fmt: skip


def test_the_course_classifier_has_the_course_s_tensors() -> None:
    shapes = {name: tuple(value.shape) for name, value in CourseClassifier().state_dict().items()}
    assert shapes == COURSE


def test_the_course_classifier_computes_what_the_course_code_does() -> None:
    network = CourseClassifier().eval()
    pool = nn.MaxPool2d(2)
    layers = nn.Sequential(
        network.conv1, nn.ReLU(), pool, network.conv2, nn.ReLU(), pool, nn.Flatten(),
        network.fc1, nn.ReLU(), network.fc2, nn.ReLU(), network.fc3,
    )  # fmt: skip
    images = torch.rand(3, 3, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    torch.testing.assert_close(network(images), layers(images))


@pytest.mark.parametrize("kind", [DigitNet, CourseClassifier])
def test_evaluation_is_deterministic_and_returns_ten_logits(kind: type[nn.Module]) -> None:
    network = kind().eval()
    images = torch.rand(5, 3, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert network(images).shape == (5, 10)
    assert torch.equal(network(images), network(images))


@pytest.mark.parametrize("kind", [DigitNet, CourseClassifier])
def test_every_parameter_of_a_reader_learns(kind: type[nn.Module]) -> None:
    network = kind().eval()
    images = torch.rand(20, 3, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    network(images).logsumexp(1).sum().backward()
    dead = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []


def test_another_image_size_is_refused() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        CourseClassifier()(torch.zeros(1, 3, 32, 32))  # 16 * 5 * 5, not 16 * 4 * 4
