"""Classifiers of synthetic images that are independent of CLIP and of Stable Diffusion."""

from torch import Tensor, nn

_CELLS = 4  # side of the grid of features that the last layer sees


def _features(width: int) -> nn.Sequential:
    """Images (N, 3, S, S) in [-1, 1] to features (N, 64 `width`)."""

    def block(inner: int, outer: int) -> nn.Sequential:
        conv = nn.Conv2d(inner, outer, 3, stride=2, padding=1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(outer), nn.ReLU())

    return nn.Sequential(
        block(3, width),
        block(width, 2 * width),
        block(2 * width, 4 * width),
        nn.AdaptiveAvgPool2d(_CELLS),
        nn.Flatten(),
        nn.Dropout(0.2),
    )


class ShapeJudge(nn.Module):
    """Classifies the color and the shape of the object in an image.

    Images (N, 3, S, S) in [-1, 1] give logits (N, colors) and (N, shapes).
    """

    def __init__(self, colors: int, shapes: int, width: int = 16) -> None:
        super().__init__()
        self.features = _features(width)
        self.color = nn.Linear(4 * _CELLS**2 * width, colors)
        self.shape = nn.Linear(4 * _CELLS**2 * width, shapes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.color(features), self.shape(features)


class ConceptJudge(nn.Module):
    """Decides for each concept whether an image shows it.

    Images (N, 3, S, S) in [-1, 1] give logits (N, concepts), positive where a concept is shown.
    """

    def __init__(self, concepts: int, width: int = 16) -> None:
        super().__init__()
        self.features = _features(width)
        self.concept = nn.Linear(4 * _CELLS**2 * width, concepts)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.concept(self.features(images))
        return logits
