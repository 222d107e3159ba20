"""Noises of images, batches and scores of pairs of concepts."""

from types import SimpleNamespace

import numpy as np
import torch

from hw2.config import params
from hw2.config.schema.personalization import Kind
from hw2.personalization import batches, clip_scores, multi_concept
from hw2.personalization.multi_concept import Pair
from hw2.personalization.photos import Concept
from hw2.personalization.tokens import AddedToken
from hw2.stable_diffusion import sample


def concept(key: str, kind: Kind, value: int) -> Concept:
    spec = params.Concept(key=key, token=f"<{key}>", kind=kind, initializer=f"word{key}", vectors=1)
    return Concept(spec, (np.full((8, 8, 3), value, np.uint8),), (np.ones((8, 8), bool),))


def pair_of(second: Kind) -> Pair:
    return Pair(
        "a+b",
        (concept("a", "object", 0), concept("b", second, 255)),
        (AddedToken("<a>", (0,)), AddedToken("<b>", (1,))),
        ("a {1} and a {0}", "a {0} and a {1}"),
        (torch.zeros(1, 4), torch.ones(1, 4)),
    )


def test_noises_differ_by_seed_and_are_equal_among_methods() -> None:
    pipe = SimpleNamespace(
        unet=SimpleNamespace(config=SimpleNamespace(sample_size=4, in_channels=2))
    )
    pair = pair_of("object")
    untrained, trained = (
        multi_concept.sample_requests_of(pair, method, 2) for method in ("freecustom", "joint")
    )
    assert [r.prompt for r in untrained[::2]] == ["a wordb and a worda", "a worda and a wordb"]
    assert [r.prompt for r in trained[::2]] == ["a <b> and a <a>", "a <a> and a <b>"]
    noises = [
        sample.initial_latents(pipe, seed, requests)
        for seed, requests in ((1, untrained), (1, trained), (2, trained))
    ]
    assert torch.equal(noises[0], noises[1])
    assert len(noises[1].flatten(1).unique(dim=0)) == 4
    assert not any(torch.equal(a, b) for a in noises[1] for b in noises[2])


def test_a_style_is_in_no_composite() -> None:
    pair = pair_of("style")
    joint = batches.joint(
        pair.concepts, pair.added, size=8, batch_size=4, seed=1, wording="course", augment=False
    )
    images, texts = joint(0)
    assert images.flatten(1).unique(dim=1).flatten().tolist() == [-1, -1, 1, 1]
    assert ["<a>" in text for text in texts] == [True, True, False, False]
    assert all("in the style of <b>" in text for text in texts[2:])


def test_an_object_in_a_style_is_scored_in_the_whole_image() -> None:
    class MeanColor:
        def features(self, images: list[np.ndarray]) -> np.ndarray:
            return np.stack([image.mean((0, 1)) / 255 for image in images])

    image = np.zeros((8, 8, 3), np.uint8)
    image[:, :4, 0] = 255  # the left half is red
    red, blue = np.array([[1, 0, 0]]), np.array([[0, 0, 1]])
    scores = clip_scores.pair_image_scores(MeanColor(), [image], red, blue, has_style=True)
    assert np.allclose(scores, [[50, 0]])
