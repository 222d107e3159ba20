"""The record of a network's layers is what the network does when it runs."""

import torch

from hw2.models import architecture
from hw2.models.context_unet import ContextUnet
from hw2.models.feature_extractor import domain_head
from hw2.models.unet import UNet

IMAGE, INDEX = torch.zeros(1, 3, 28, 28), torch.zeros(1, dtype=torch.int64)


def test_a_u_net_is_recorded_in_order_with_its_skips() -> None:
    network = UNet(num_labels=3, base_channels=8, channel_mult=(1, 2))
    layers = {layer["name"]: layer for layer in architecture.layers(network, IMAGE, INDEX, INDEX)}
    path = [name for name, layer in layers.items() if len(layer["input"]) == 3]
    assert path == [
        *("enter", "down 1", "down 2", "down 3", "middle", "up 1", "up 2", "up 3"),
        *("norm", "leave"),
    ]
    assert layers["down 2"]["output"] == [16, 7, 7]
    assert layers["leave"]["output"] == [12, 14, 14]  # before the patches are unfolded
    skips = {name: layer["skips"] for name, layer in layers.items() if layer["skips"]}
    assert skips == {"up 1": ["down 3"], "up 3": ["down 1"]}
    recorded = sum(layer["parameters"] for layer in layers.values())
    assert recorded + network.maps.numel() == sum(w.numel() for w in network.parameters())


def test_a_skip_around_layers_that_do_not_follow_each_other_is_found() -> None:
    network = ContextUnet(num_labels=3, n_feat=8)
    layers = {layer["name"]: layer for layer in architecture.layers(network, IMAGE, INDEX, INDEX)}
    skips = {name: layer["skips"] for name, layer in layers.items() if layer["skips"]}
    assert skips == {"up1": ["down2"], "up2": ["down1"], "leave": ["enter"]}


def test_layers_of_a_sequence_are_named_by_class_and_place() -> None:
    layers = architecture.layers(domain_head(6, 4), torch.zeros(1, 6))
    assert [layer["name"] for layer in layers] == ["linear 1", "relu 2", "linear 3"]
    assert [layer["output"] for layer in layers] == [[4], [4], [1]]
    assert [layer["parameters"] for layer in layers] == [28, 0, 5]
