"""The table of digit domains: consistent entries, and which source has which domain."""

import subprocess
import sys

import numpy as np
import pytest

from hw2.config import choices
from hw2.digits import domains, labels, synthetic
from hw2.digits.domains import DOMAINS
from hw2.runtime.errors import UserError


def test_names_colors_and_markers_tell_the_domains_apart() -> None:
    for attribute in ("key", "name", "color", "marker"):
        assert len({getattr(domain, attribute) for domain in DOMAINS.values()}) == len(DOMAINS)
    assert all(key == domain.key for key, domain in DOMAINS.items())


def test_params_accept_the_domains_of_the_tables() -> None:
    assert set(choices.DIGIT_DOMAINS) == set(DOMAINS)
    assert tuple(choices.GENERATED_DOMAINS) == labels.LABELED_DOMAINS


def test_label_blocks_are_those_of_the_ddpm() -> None:
    blocks = {key: domain.label_block for key, domain in DOMAINS.items()}
    generated = {key: block for key, block in blocks.items() if block is not None}
    assert generated == {"mnistm": 0, "svhn": 1}
    assert all(labels.label_of(key, 0) == 10 * block for key, block in generated.items())


def test_the_table_is_read_without_torch() -> None:
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "import hw2.digits.domains; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("key", [key for key, domain in DOMAINS.items() if domain.painter])
def test_a_painter_draws_the_channels_and_polarity_of_its_domain(key: str) -> None:
    images, _ = synthetic.draw(key, "train", 60, 7)
    assert images.shape[-1] == (1 if DOMAINS[key].grayscale else 3)
    pixels = images.reshape(len(images), -1).astype(int)
    background = np.median(pixels, axis=1)  # most pixels are paper
    light = pixels.max(1) - background > background - pixels.min(1)
    if DOMAINS[key].polarity == "light on dark":
        assert light.all()
    else:
        assert DOMAINS[key].polarity == "both"
        assert 0.1 < light.mean() < 0.9


@pytest.mark.parametrize(
    ("keys", "source", "message"),
    [
        (["usps", "mnist"], "synthetic", "data.domains: mnist has no synthetic images; leave it"),
    ],
)
def test_a_domain_that_the_source_lacks_is_refused(
    keys: list[str], source: str, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        domains.require(keys, source)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("source", ["course", "public"])
def test_every_domain_has_a_real_source(source: str) -> None:
    domains.require(DOMAINS, source)
