"""Both denoising networks: shapes, gradients, conditions, and quiet evaluation."""

import pytest
import torch
from torch import Tensor, nn

from hw2.models.context_unet import ContextUnet
from hw2.models.unet import UNet, time_features

LABELS, T = 20, 100


def unet(mult: tuple[int, ...] = (1, 2), blocks: int = 1, patch: int = 2) -> UNet:
    return UNet(
        num_labels=LABELS,
        base_channels=8,
        channel_mult=mult,
        num_res_blocks=blocks,
        patch_size=patch,
        timesteps=T,
    )


def context_unet() -> ContextUnet:
    return ContextUnet(num_labels=LABELS, n_feat=8, timesteps=T)


def made(kind: str) -> nn.Module:
    """A network in which nothing is zero, as after some training."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(len(kind))
        network = {"unet": unet, "context_unet": context_unet}[kind]()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


def inputs(count: int = LABELS + 1) -> tuple[Tensor, Tensor, Tensor]:
    """xt, t and labels; with the default count every label and the null label come once."""
    xt = torch.randn(count, 3, 28, 28, generator=torch.Generator().manual_seed(count))
    return xt, torch.arange(count) * 3 % T, torch.arange(count) % (LABELS + 1)


kinds = pytest.mark.parametrize("kind", ["unet", "context_unet"])


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize(
    ("mult", "patch"),
    [((1,), 1), ((1, 2, 2), 1), ((1,), 2), ((1, 2), 2), ((2, 1), 2), ((1,), 4)],
)
def test_the_output_of_unet_has_the_shape_of_its_input(
    mult: tuple[int, ...], patch: int, blocks: int
) -> None:
    xt, t, labels = inputs(2)
    assert unet(mult, blocks, patch)(xt, t, labels).shape == xt.shape


@pytest.mark.parametrize(("mult", "patch"), [((1,), 3), ((1, 2), 4), ((1, 2, 2), 2)])
def test_sizes_that_do_not_divide_are_refused(mult: tuple[int, ...], patch: int) -> None:
    with pytest.raises(ValueError, match=f"28 pixels do not divide into patches of {patch}"):
        unet(mult, patch=patch)


@kinds
def test_images_of_another_size_are_refused(kind: str) -> None:
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        made(kind)(torch.zeros(1, 3, 32, 32), torch.tensor([1]), torch.tensor([1]))


@kinds
def test_a_label_beyond_the_null_label_is_refused(kind: str) -> None:
    xt, t, _ = inputs(1)
    with pytest.raises((IndexError, RuntimeError)):
        made(kind)(xt, t, torch.tensor([LABELS + 1]))


def test_context_unet_has_the_size_of_the_course_network() -> None:
    count = sum(p.numel() for p in ContextUnet(num_labels=10, n_feat=128).parameters())
    assert round(count / 1e6, 2) == 6.59


@kinds
def test_evaluation_is_deterministic(kind: str) -> None:
    network = made(kind)
    assert torch.equal(network(*inputs()), network(*inputs()))


@kinds
def test_an_image_does_not_depend_on_its_batch(kind: str) -> None:
    network = made(kind)
    alone = torch.cat([network(*(x[k : k + 1] for x in inputs())) for k in range(3)])
    torch.testing.assert_close(network(*inputs())[:3], alone, rtol=1e-5, atol=1e-5)  # float32 sums


@kinds
def test_every_parameter_learns(kind: str) -> None:
    network = made(kind)  # in evaluation: BatchNorm's own mean would hide the biases before it
    network(*inputs()).square().mean().backward()
    dead = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []


def test_every_label_learns_its_own_maps_and_embedding() -> None:
    network = made("unet")
    network(*inputs()).square().mean().backward()
    for name in ("label.weight", "maps"):
        gradient = network.get_parameter(name).grad
        assert gradient is not None
        assert gradient.flatten(1).any(1).all()


def test_only_the_outermost_layer_starts_at_zero() -> None:
    xt, t, labels = inputs(2)
    network = unet()
    assert not network(xt, t, labels).any()  # the first prediction is zero ...
    network(xt, t, labels).sub(1).square().mean().backward()
    gradient = network.leave.weight.grad
    assert gradient is not None
    assert gradient.any()  # ... but not for long


def test_inner_weights_are_convolutions_once_each() -> None:
    inner = unet(blocks=2).inner_weights()
    assert {weight.dim() for weight in inner} == {4}
    assert len({id(weight) for weight in inner}) == len(inner) == 2 * (2 * 2 * 2 + 1)
    assert context_unet().inner_weights() == []


@kinds
def test_label_and_time_change_the_output(kind: str) -> None:
    network = made(kind)
    xt, t, labels = inputs(4)
    base = network(xt, t, labels)
    for other in (network(xt, t + 20, labels), network(xt, t, labels + 1)):
        moved = (other - base).flatten(1).abs().amax(1)
        assert moved.min() > 1e-5  # for each image, and ten times what rounding would do


def test_the_null_label_is_a_zero_code() -> None:
    network = made("context_unet")
    codes: list[Tensor] = []
    network.get_submodule("context1").register_forward_pre_hook(
        lambda module, inputs: codes.append(inputs[0])
    )
    network(*inputs())
    assert torch.equal(codes[0][:LABELS], torch.eye(LABELS))
    assert not codes[0][LABELS].any()


def test_channels_last_changes_the_layout_only() -> None:
    network = made("unet")
    xt, t, labels = inputs(2)
    before = network(xt, t, labels)
    after = network.to(memory_format=torch.channels_last)(
        xt.to(memory_format=torch.channels_last), t, labels
    )
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-5)  # float32 sums, reordered


def test_different_times_have_different_features() -> None:
    features = time_features(torch.arange(T), T)
    assert features.shape == (T, 64)
    assert features.abs().max() <= 1
    gaps = torch.cdist(features, features) + 10 * torch.eye(T)
    # Neighbors turn by 1 / T at the lowest frequency and by far more at the others.
    assert gaps.min() > 0.1
