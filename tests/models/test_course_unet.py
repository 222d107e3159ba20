"""The course's UNet: exactly its keys and shapes, and its computation, written down a second time.

The tables here are the description of the course's file, not taken from our class.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from hw2.models.course_unet import CourseUNet

# number: (channels in, out, attention); what is not a block halves or doubles, or is the first one
DOWN = {
    **dict.fromkeys((2, 3, 5, 6), (128, 128, False)),
    **{8: (128, 256, False), 9: (256, 256, False), 11: (256, 256, False), 12: (256, 256, False)},
    **{14: (256, 512, True), 15: (512, 512, True), 17: (512, 512, False), 18: (512, 512, False)},
}
HALVES = {4: 128, 7: 128, 10: 256, 13: 256, 16: 512}
UP = {
    **dict.fromkeys((1, 2, 3), (1024, 512, False)),
    **{5: (1024, 512, True), 6: (1024, 512, True), 7: (768, 512, True)},
    **{9: (768, 256, False), 10: (512, 256, False), 11: (512, 256, False)},
    **{13: (512, 256, False), 14: (512, 256, False), 15: (384, 256, False)},
    **{17: (384, 128, False), 18: (256, 128, False), 19: (256, 128, False)},
    **dict.fromkeys((21, 22, 23), (256, 128, False)),
}
DOUBLES = {4: 512, 8: 512, 12: 256, 16: 256, 20: 128}
MIDDLE = {1: (512, 512, True), 2: (512, 512, False)}


def both(name: str, *weight: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", weight
    yield f"{name}.bias", weight[:1]


def block(name: str, width: int, wide: int, attention: bool) -> Iterator[tuple[str, tuple]]:
    inner = f"{name}.resblocks"
    yield from both(f"{inner}.norm1", width)
    yield from both(f"{inner}.conv1", wide, width, 3, 3)
    yield from both(f"{inner}.time.1", wide, 512)
    yield from both(f"{inner}.norm2", wide)
    yield from both(f"{inner}.conv2", wide, wide, 3, 3)
    if width != wide:
        yield from both(f"{inner}.skip", wide, width, 1, 1)
    if attention:
        yield from both(f"{name}.attention.norm", wide)
        yield from both(f"{name}.attention.qkv", 3 * wide, wide, 1, 1)
        yield from both(f"{name}.attention.out", wide, wide, 1, 1)


def table() -> dict[str, tuple[int, ...]]:
    """All keys and shapes of the course's file."""
    shapes: dict[str, tuple[int, ...]] = {"time.0.inv_freq": (64,)}
    shapes |= both("time.1", 512, 128)
    shapes |= both("time.3", 512, 512)
    shapes |= both("down1", 128, 3, 3, 3)
    for way, blocks in (("down", DOWN), ("mid", MIDDLE), ("up", UP)):
        for number, shape in blocks.items():
            shapes |= block(f"{way}{number}", *shape)
    for number, width in HALVES.items():
        shapes |= both(f"down{number}.0", width, width, 3, 3)
    for number, width in DOUBLES.items():
        shapes |= both(f"up{number}.1", width, width, 3, 3)
    shapes |= both("out.0", 128)
    shapes |= both("out.2", 3, 128, 3, 3)
    return shapes


def test_the_network_has_the_keys_shapes_and_parameter_count_of_the_course() -> None:
    with torch.device("meta"):
        network = CourseUNet()
    expected = table()
    assert len(expected) == 427
    assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == expected
    assert sum(p.numel() for p in network.parameters()) == 113_673_219


def test_the_frequencies_fall_from_one_towards_a_ten_thousandth() -> None:
    frequencies = CourseUNet().state_dict()["time.0.inv_freq"]
    expected = torch.tensor([math.exp(-math.log(1e4) * i / 128) for i in range(0, 128, 2)])
    torch.testing.assert_close(frequencies, expected)


class Written:
    """The network a second time, as functions of a state dict."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.w = weights

    def conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = self.w[f"{name}.weight"]
        return F.conv2d(x, weight, self.w[f"{name}.bias"], stride, weight.shape[-1] // 2)

    def linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def norm(self, name: str, x: Tensor) -> Tensor:
        return F.group_norm(x, 32, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def block(self, name: str, x: Tensor, time: Tensor) -> Tensor:
        inner = f"{name}.resblocks"
        h = self.conv(f"{inner}.conv1", F.silu(self.norm(f"{inner}.norm1", x)))
        h = h + self.linear(f"{inner}.time.1", F.silu(time))[:, :, None, None]
        h = self.conv(f"{inner}.conv2", F.silu(self.norm(f"{inner}.norm2", h)))
        x = h + (self.conv(f"{inner}.skip", x) if f"{inner}.skip.weight" in self.w else x)
        return self.attend(f"{name}.attention", x) if f"{name}.attention.qkv.bias" in self.w else x

    def attend(self, name: str, x: Tensor) -> Tensor:
        n, c, height, width = x.shape
        q, k, v = self.conv(f"{name}.qkv", self.norm(f"{name}.norm", x)).view(n, 3, c, -1).unbind(1)
        weights = (torch.einsum("nci,ncj->nij", q, k) / math.sqrt(c)).softmax(2)
        mixed = torch.einsum("nij,ncj->nci", weights, v).view(n, c, height, width)
        return x + self.conv(f"{name}.out", mixed)

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        angles = t[:, None].float() * self.w["time.0.inv_freq"]
        time = self.linear("time.1", torch.cat([angles.sin(), angles.cos()], 1))
        time = self.linear("time.3", F.silu(time))
        x = self.conv("down1", x)
        kept = [x]
        for number in range(2, 19):
            if number in HALVES:
                x = self.conv(f"down{number}.0", x, stride=2)
            else:
                x = self.block(f"down{number}", x, time)
            kept.append(x)
        for number in MIDDLE:
            x = self.block(f"mid{number}", x, time)
        for number in range(1, 24):
            if number in DOUBLES:
                larger = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
                x = self.conv(f"up{number}.1", larger)
            else:
                x = self.block(f"up{number}", torch.cat([x, kept.pop()], 1), time)
        return self.conv("out.2", F.silu(self.norm("out.0", x)))


@torch.no_grad()
def test_the_network_computes_what_the_description_says() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(len("weights"))
        network = CourseUNet().eval()
    stream = torch.Generator().manual_seed(1)
    images = torch.randn((2, 3, 32, 32), generator=stream)
    t = torch.tensor([1, 981])
    expected = Written(network.state_dict())(images, t)
    torch.testing.assert_close(network(images, t), expected, rtol=1e-3, atol=1e-4)
