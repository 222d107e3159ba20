"""Digit classifiers: the judge that the pipeline trains, and the course's own classifier."""

from torch import Tensor, nn
from torch.nn import functional as F


class DigitNet(nn.Module):
    """A small CNN for digits: images (N, 3, 28, 28) in [-1, 1] to logits (N, 10)."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()

        def block(inner: int, outer: int, stride: int) -> nn.Sequential:
            conv = nn.Conv2d(inner, outer, 3, stride, padding=1, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(outer), nn.ReLU())

        self.features = nn.Sequential(
            block(3, width, 1),
            block(width, 2 * width, 2),
            block(2 * width, 2 * width, 1),
            block(2 * width, 4 * width, 2),
            block(4 * width, 4 * width, 1),
            nn.Flatten(),
        )
        self.head = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(4 * width * 49, 128), nn.ReLU(), nn.Linear(128, 10)
        )

    def embed(self, images: Tensor) -> Tensor:
        """The input of the last layer: (N, 128), not negative."""
        return self.head[:-1](self.features(images))

    def forward(self, images: Tensor) -> Tensor:
        return self.head[-1](self.embed(images))


class CourseClassifier(nn.Module):
    """The course's LeNet for MNIST-M, whose weights are `Classifier.pth`.

    It takes and returns what `DigitNet` does. Images are normalized with mean = std = 0.5, that is
    to [-1, 1], as in the course's `digit_classifier.py`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 4 * 4, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)

    def embed(self, images: Tensor) -> Tensor:
        """The input of the last layer: (N, 64), not negative."""
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return F.relu(self.fc2(x))

    def forward(self, images: Tensor) -> Tensor:
        return self.fc3(self.embed(images))
