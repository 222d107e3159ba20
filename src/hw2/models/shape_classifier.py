"""A classifier of the embedded world's shapes and colours that knows nothing of CLIP."""

from torch import Tensor, nn


class ShapeJudge(nn.Module):
    """Pictures (N, 3, S, S) in [-1, 1] of one thing to logits of its colour and of its shape."""

    def __init__(self, colours: int, shapes: int, width: int = 16) -> None:
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
        self.colour = nn.Linear(64 * width, colours)
        self.shape = nn.Linear(64 * width, shapes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        found = self.features(images)
        return self.colour(found), self.shape(found)
