"""The synthetic digits: drawn from a seed, equal shares of digits, no split like another."""

import subprocess
import sys
import zlib
from itertools import combinations

import numpy as np
import pytest

from hw2.digits import synthetic
from hw2.digits.domains import DOMAINS
from hw2.digits.labels import SPLITS

CHANNELS = {"mnistm": 3, "svhn": 3, "usps": 1}
PAINTED = tuple(key for key, domain in DOMAINS.items() if domain.painter)

domains = pytest.mark.parametrize("domain", PAINTED)


@domains
@pytest.mark.parametrize("split", SPLITS)
def test_shapes_types_and_equal_shares(domain: str, split: str) -> None:
    images, digits = synthetic.draw(domain, split, 40, 7)
    assert images.shape == (40, 28, 28, CHANNELS[domain])
    assert (images.dtype, digits.dtype) == (np.uint8, np.int64)
    assert np.bincount(digits, minlength=10).tolist() == [4] * 10
    assert not np.array_equal(digits, np.sort(digits))  # in random order


@domains
def test_a_count_that_does_not_divide_differs_by_one(domain: str) -> None:
    counts = np.bincount(synthetic.draw(domain, "val", 23, 7)[1], minlength=10)
    assert counts.sum() == 23
    assert counts.max() - counts.min() == 1


@domains
def test_the_seed_determines_images_and_labels(domain: str) -> None:
    first, again, other = (synthetic.draw(domain, "train", 20, seed) for seed in (7, 7, 8))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


@domains
def test_the_first_images_do_not_depend_on_the_count(domain: str) -> None:
    few, many = (synthetic.draw(domain, "val", count, 7) for count in (30, 130))
    np.testing.assert_array_equal(few[0], many[0][:30])
    np.testing.assert_array_equal(few[1], many[1][:30])


@pytest.mark.slow
def test_another_process_draws_the_same() -> None:
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "import zlib; from hw2.digits import synthetic\n"
        f"print(*(zlib.crc32(synthetic.draw(d, 'train', 3, 7)[0]) for d in {PAINTED}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [zlib.crc32(synthetic.draw(domain, "train", 3, 7)[0]) for domain in PAINTED]
    assert [int(number) for number in done.stdout.split()] == here


@domains
def test_splits_share_no_image_and_no_order(domain: str) -> None:
    parts = [synthetic.draw(domain, split, 30, 7) for split in SPLITS]
    for first, second in combinations(parts, 2):
        assert not {i.tobytes() for i in first[0]} & {i.tobytes() for i in second[0]}
        assert not np.array_equal(first[1], second[1])


@domains
def test_images_have_contrast_and_are_all_different(domain: str) -> None:
    images, _ = synthetic.draw(domain, "train", 100, 7)
    assert images.reshape(100, -1).std(1).min() > 5  # gray levels; a blank image has none
    assert len({image.tobytes() for image in images}) == 100


@domains
def test_images_can_be_classified_by_the_nearest_mean(domain: str) -> None:
    """Nearest mean of the train split, on edges: far above chance in the test split.

    MNIST-M and SVHN come in any color, so what is compared is how much each pixel differs from
    the image's mean.
    """

    def features(images: np.ndarray) -> np.ndarray:
        gray = images.mean(-1).reshape(len(images), -1)
        gray = np.abs(gray - np.median(gray, 1, keepdims=True))
        gray = gray - gray.mean(1, keepdims=True)
        return gray / np.linalg.norm(gray, axis=1, keepdims=True)

    train, digits = synthetic.draw(domain, "train", 400, 7)
    means = np.stack([features(train)[digits == digit].mean(0) for digit in range(10)])
    report, wanted = synthetic.draw(domain, "test", 200, 7)
    right = ((features(report) @ means.T).argmax(1) == wanted).mean()
    assert right > 0.2  # chance is 0.1, and 0.2 is 4.7 standard errors above it


def test_usps_is_light_on_black() -> None:
    images, _ = synthetic.draw("usps", "train", 50, 7)
    assert np.quantile(images, 0.3) < 10 < 128 < images.max(axis=(1, 2, 3)).min()
