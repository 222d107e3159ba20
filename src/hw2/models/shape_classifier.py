"""A classifier of the shapes and colors of the synthetic images, independent of CLIP."""

from torch import Tensor, nn


class ShapeJudge(nn.Module):
    """Classifies the color and the shape of the object in an image.

    Images (N, 3, S, S) in [-1, 1] give logits (N, colors) and (N, shapes).
    """

    def __init__(self, colors: int, shapes: int, width: int = 16) -> None:
        super().__init__()

        def block(inner: int, outer: int) -> nn.Sequential:
            conv = nn.Conv2d(inner, outer, 3, stride=2, padding=1, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(outer), nn.ReLU())

        self.features = nn.Sequential(
            block(3, width),
            block(width, 2 * width),
            block(2 * width, 4 * width),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Dropout(0.2),
        )
        self.color = nn.Linear(64 * width, colors)
        self.shape = nn.Linear(64 * width, shapes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.color(features), self.shape(features)
