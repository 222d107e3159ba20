"""The public sets, from small files in their true formats: values, labels, splits, damage."""

import bz2
import gzip
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from photographs import COLORS, PHOTOS, write_photos
from PIL import Image
from scipy.io import savemat

from hw2.config import params
from hw2.digits import domains, public
from hw2.digits.arrays import Digits
from hw2.digits.labels import SPLITS
from hw2.digits.sources import bsds500, mnist, mnistm, svhn, usps
from hw2.digits.sources.source import PublicSource
from hw2.io import download
from hw2.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "real_data"
COUNTS = {"train": 40, "test": 12}


def generator(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(sum(name.encode())))


def chosen(*domains: str, **changes: object) -> params.Data:
    own = {"domains": domains, "source": "public", "seed": 5}
    own |= {f"{split}_images": None for split in SPLITS}
    return params.load(ROOT / "params.yaml").data.model_copy(update=own | changes)


def read_splits(raw: Path, *domains: str, **changes: object) -> dict[tuple[str, str], Digits]:
    data = chosen(*domains, **changes)
    return {(domain, split): digits for domain, split, digits in public.contents(data, raw)}


def refusal(raw: Path, domain: str) -> str:
    with pytest.raises(UserError) as caught:
        read_splits(raw, domain)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes(), mtime=0)


def write_mnist(raw: Path) -> dict[str, Digits]:
    """Tables of noise on black, white in the middle."""
    tables = {}
    for table, pair in mnist.FILES.items():
        random = generator(table)
        images = random.integers(0, 256, (COUNTS[table], 28, 28), np.uint8)
        images[:, :4] = 0
        images[:, 12:16, 12:16] = 255
        images[:, 20, 20:23] = [0, 1, 128]
        labels = np.arange(COUNTS[table], dtype=np.uint8) % 10
        for remote, array in zip(pair, (images, labels), strict=True):
            (raw / remote.name).write_bytes(idx(array))
        tables[table] = Digits(images[..., None], labels)
    return tables


def svhn_arrays(table: str) -> tuple[np.ndarray, np.ndarray]:
    """X uint8 (32, 32, 3, N) and y uint8 (N, 1), as in the files."""
    count = COUNTS[table]
    images = generator(table).integers(0, 256, (32, 32, 3, count), np.uint8)
    images[..., 0] = np.arange(0, 256, 8, dtype=np.uint8)[:, None, None]  # a ramp downwards
    return images, (np.arange(count, dtype=np.uint8)[:, None] % 10) + 1


def write_svhn(raw: Path, **changes: np.ndarray) -> None:
    for table, remote in svhn.FILES.items():
        images, labels = svhn_arrays(table)
        savemat(raw / remote.name, {"X": images, "y": labels} | changes, do_compression=True)


def write_usps(raw: Path, label: str = "", pixel: str = "") -> dict[str, tuple[np.ndarray, list]]:
    """LIBSVM's text: label 1 to 10, then `index:value` from 1; a zero is left out."""
    tables = {}
    for table, remote in usps.FILES.items():
        ink = generator(table).integers(-1000, 1001, (COUNTS[table], 256)) / 1000
        ink[0, :3] = [-1, 0, 1]
        labels = [k % 10 + 1 for k in range(COUNTS[table])]
        lines = []
        for row, number in zip(ink, labels, strict=True):
            pixels = [f"{k}:{value:.6f}" for k, value in enumerate(row, start=1) if value]
            lines.append(" ".join([str(number), *pixels]))
        if label or pixel:
            lines[3] = f"{label or 4} 1:{pixel or 0.5}"
        (raw / remote.name).write_bytes(bz2.compress("\n".join([*lines, ""]).encode()))
        tables[table] = (ink, labels)
    return tables


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for source in (mnist.SOURCE, svhn.SOURCE, usps.SOURCE):
        for table, count in COUNTS.items():
            monkeypatch.setitem(source.images, table, count)
    monkeypatch.setattr(bsds500, "PHOTOS", PHOTOS)
    return tmp_path


def source_of(domain: str) -> PublicSource:
    source = domains.DOMAINS[domain].public
    assert source is not None
    return source


def files_of(domain: str) -> tuple[download.Remote, ...]:
    return source_of(domain).files


WRITE: dict[str, Callable[[Path], object]] = {
    "mnist": write_mnist,
    "svhn": write_svhn,
    "usps": write_usps,
    "mnistm": lambda raw: (write_mnist(raw), write_photos(raw)),
}


@pytest.mark.parametrize("domain", WRITE)
def test_every_split_has_the_form_of_the_course_s_images(raw: Path, domain: str) -> None:
    WRITE[domain](raw)
    splits = read_splits(raw, domain)
    channels = 3 if domain in ("svhn", "mnistm") else 1
    assert list(splits) == [(domain, split) for split in SPLITS]
    for (_, split), count in zip(splits, (36, 4, 12), strict=True):
        digits = splits[domain, split]
        assert digits.images.shape == (count, 28, 28, channels)
        assert (digits.images.dtype, digits.digits.dtype) == (np.uint8, np.int64)
        assert digits.digits.shape == (count,)
        assert set(digits.digits.tolist()) <= set(range(10))


@pytest.mark.parametrize("domain", WRITE)
def test_the_bytes_depend_on_the_seed_only(raw: Path, domain: str) -> None:
    WRITE[domain](raw)
    first, again, other = (read_splits(raw, domain, seed=seed) for seed in (5, 5, 6))
    for key, digits in first.items():
        assert digits.images.tobytes() == again[key].images.tobytes()
        assert digits.digits.tobytes() == again[key].digits.tobytes()
    assert first[domain, "train"].images.tobytes() != other[domain, "train"].images.tobytes()


def rows(digits: Digits) -> set[tuple[bytes, int]]:
    return {
        (image.tobytes(), int(digit))
        for image, digit in zip(digits.images, digits.digits, strict=True)
    }


def test_mnist_keeps_its_images_and_its_test_table_is_the_test_split(raw: Path) -> None:
    tables = write_mnist(raw)
    splits = {split: rows(digits) for (_, split), digits in read_splits(raw, "mnist").items()}
    assert splits["test"] == rows(tables["test"])
    assert splits["train"] | splits["val"] == rows(tables["train"])
    assert not splits["train"] & splits["val"]


def test_row_44_svhn_keeps_its_images_and_label_10_becomes_0(raw: Path) -> None:
    write_svhn(raw)
    test_split = read_splits(raw, "svhn")["svhn", "test"]
    images, labels = svhn_arrays("test")
    assert test_split.digits.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert labels[9, 0] == 10
    ramp = test_split.images[0]
    assert (ramp == ramp[:, :1, :1]).all()  # not transposed
    centers = (np.arange(28) + 0.5) * 32 / 28 - 0.5
    assert np.abs(ramp[2:-2, 0, 0] - 8.0 * centers[2:-2]).max() <= 1
    for k in range(1, 12):
        expected = Image.fromarray(images[..., k]).resize((28, 28), Image.Resampling.BILINEAR)
        assert np.array_equal(test_split.images[k], np.asarray(expected))


def test_row_45_usps_labels_from_1_and_values_from_minus_1_are_converted(raw: Path) -> None:
    tables = write_usps(raw)
    ink, labels = tables["test"]
    read = usps.read(raw, "test")
    assert read.images.shape == (12, 16, 16, 1)
    assert read.images[0].reshape(-1)[:3].tolist() == [0, 128, 255]
    gray = read.images.reshape(12, 256).astype(float)
    assert np.abs(gray - (ink + 1) * 127.5).max() <= 0.5 + 1e-4
    assert read.digits.tolist() == [label - 1 for label in labels]
    test_split = read_splits(raw, "usps")["usps", "test"]
    expected = Image.fromarray(read.images[5, ..., 0]).resize((28, 28), Image.Resampling.BILINEAR)
    assert np.array_equal(test_split.images[5, ..., 0], np.asarray(expected))


def test_mnistm_is_the_difference_of_a_digit_and_a_patch(raw: Path) -> None:
    """Photographs of one color: black shows the color, and then every pixel is known."""
    WRITE["mnistm"](raw)
    splits = read_splits(raw, "mnist", "mnistm")
    used: dict[str, set[tuple[int, ...]]] = {}
    for split in SPLITS:
        plain, blended = splits["mnist", split], splits["mnistm", split]
        assert np.array_equal(plain.digits, blended.digits)
        colors = blended.images[:, :1, :1].astype(int)
        ink = 255 * (plain.images > 0)
        assert np.array_equal(np.abs(ink - colors), blended.images)
        used[split] = {tuple(color) for color in colors.reshape(-1, 3).tolist()}
        for color in used[split]:
            assert np.abs(np.array(COLORS) - color).max(1).min() <= 3  # JPEG's rounding
    assert (len(used["train"]), len(used["val"]), len(used["test"])) == (8, 1, 1)
    assert len(set.union(*used.values())) == PHOTOS  # no photograph is in two splits


def test_an_image_of_mnistm_does_not_depend_on_the_number_of_images(raw: Path) -> None:
    WRITE["mnistm"](raw)
    every = rows(read_splits(raw, "mnistm")["mnistm", "train"])
    some = rows(read_splits(raw, "mnistm", train_images=9)["mnistm", "train"])
    assert len(some) == 9
    assert some < every


def test_patches_are_taken_from_every_position_of_a_photograph() -> None:
    """A photograph whose pixels hold their own row and column."""
    down, across = np.mgrid[:40, :60]
    photo = np.stack([down, across, 0 * down], axis=-1).astype(np.uint8)
    black = np.zeros((900, 28, 28, 1), np.uint8)
    out = mnistm.blend(black, [photo], 3, "train", np.arange(900)).astype(int)
    top, left = out[:, 0, 0, 0], out[:, 0, 0, 1]
    assert (out[..., 0] == (top[:, None] + np.arange(28))[..., None]).all()
    assert (out[..., 1] == (left[:, None] + np.arange(28))[:, None]).all()
    assert (set(top.tolist()), set(left.tolist())) == (set(range(13)), set(range(33)))


def empty(_: bytes) -> bytes:
    return b""


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def page(_: bytes) -> bytes:
    return b"<!DOCTYPE html><html></html>"


@pytest.mark.parametrize("damage", [empty, half, page])
@pytest.mark.parametrize(
    ("domain", "remote"),
    [
        ("mnist", mnist.FILES["train"][0]),
        ("mnist", mnist.FILES["test"][1]),
        ("svhn", svhn.FILES["test"]),
        ("usps", usps.FILES["train"]),
        ("mnistm", bsds500.ARCHIVE),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_damaged_file_is_named(
    raw: Path, domain: str, remote: download.Remote, damage: Callable[[bytes], bytes]
) -> None:
    WRITE[domain](raw)
    path = raw / remote.name
    path.write_bytes(damage(path.read_bytes()))
    message = refusal(raw, domain)
    assert message.startswith(f"{path}: ")
    assert "delete it, then it is downloaded again" in message


@pytest.mark.parametrize("domain", WRITE)
def test_a_missing_file_is_named(raw: Path, domain: str) -> None:
    WRITE[domain](raw)
    path = raw / files_of(domain)[-1].name
    path.unlink()
    assert str(path) in refusal(raw, domain)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(b"\0\0\x08"), "it begins with 000008"),
        (idx(np.zeros((40, 28), np.uint8)), "it begins with 00000802"),
        (idx(np.zeros((40, 28, 27), np.uint8)), "it holds (40, 28, 27)"),
        (gzip.compress(gzip.decompress(idx(np.zeros((40, 28, 28), np.uint8)))[:-1]), "bytes, not"),
    ],
    ids=["short", "dimensions", "size", "cut"],
)
def test_an_idx_file_of_another_form_is_refused(raw: Path, data: bytes, reason: str) -> None:
    write_mnist(raw)
    path = raw / mnist.FILES["train"][0].name
    path.write_bytes(data)
    message = refusal(raw, "mnist")
    assert message.startswith(f"{path}: damaged (")
    assert reason in message


def test_a_label_of_mnist_above_nine_is_refused(raw: Path) -> None:
    write_mnist(raw)
    (raw / mnist.FILES["test"][1].name).write_bytes(idx(np.arange(12, dtype=np.uint8)))
    assert "label 10 of row 10 is not 0 to 9" in refusal(raw, "mnist")


@pytest.mark.parametrize("label", [11, 255])
def test_a_label_of_svhn_above_ten_is_refused(raw: Path, label: int) -> None:
    labels = np.full((40, 1), 10, np.uint8)
    labels[7] = label
    write_svhn(raw, y=labels)
    assert f"label {label} of row 7 is not 0 to 10" in refusal(raw, "svhn")


@pytest.mark.parametrize(
    "changes",
    [
        {"X": np.zeros((32, 32, 3, 40))},
        {"X": np.zeros((28, 28, 3, 40), np.uint8)},
        {"X": np.zeros(0, np.uint8)},
        {"y": np.zeros(0, np.uint8)},
    ],
    ids=["float", "size", "no images", "no labels"],
)
def test_other_arrays_than_svhn_s_are_refused(raw: Path, changes: dict[str, np.ndarray]) -> None:
    write_svhn(raw, **changes)
    assert str(raw) in refusal(raw, "svhn")


@pytest.mark.parametrize("label", ["0", "11", "2.5", "-1"])
def test_a_label_of_usps_out_of_range_is_refused(raw: Path, label: str) -> None:
    write_usps(raw, label=label)
    assert f"label {label} of row 3 is not 1 to 10" in refusal(raw, "usps")


@pytest.mark.parametrize("pixel", ["1.5", "-1.01", "nan", "255"])
def test_ink_of_usps_out_of_range_is_refused(raw: Path, pixel: str) -> None:
    write_usps(raw, pixel=pixel)
    assert "not -1 to 1" in refusal(raw, "usps")


@pytest.mark.parametrize("domain", ["mnist", "svhn", "usps"])
def test_another_number_of_images_than_published_is_refused(
    raw: Path, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRITE[domain](raw)
    monkeypatch.setitem(source_of(domain).images, "test", 13)
    assert f"the test table of {domain} has 12 images and 12 labels, not 13" in refusal(raw, domain)


def test_fetch_gets_each_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(download, "get", lambda remote, folder: names.append(remote.name))
    public.fetch(["mnist", "mnistm", "usps"], tmp_path)
    assert len(names) == len(set(names)) == 7
    names.clear()
    public.fetch(["svhn"], tmp_path)
    assert names == ["train_32x32.mat", "test_32x32.mat"]


def test_every_public_file_has_a_checksum_a_license_and_https_mirrors() -> None:
    every = {remote for domain in WRITE for remote in files_of(domain)}
    assert len(every) == len({remote.name for remote in every}) == 9
    for remote in every:
        assert len(bytes.fromhex(remote.sha256)) == hashlib.sha256().digest_size
        assert all(url.startswith("https://") and url.endswith(remote.name) for url in remote.urls)
        assert remote.licence
        assert remote.about


@pytest.mark.skipif(
    not (REAL / "mnist").is_dir() or not (REAL / "bsds500").is_dir(),
    reason=f"needs the real MNIST and BSDS500 in {REAL}",
)
def test_real_mnistm_has_the_statistics_of_the_published(tmp_path: Path) -> None:
    """Compared with 10,000 published MNIST-M images, and their upper rows, where no digit is."""
    for file in (REAL / "mnist").iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / bsds500.ARCHIVE.name).symlink_to(REAL / "bsds500" / "train.tar")
    splits = read_splits(tmp_path, "mnist", "mnistm", train_images=3000, val_images=500)
    assert [len(digits.digits) for digits in splits.values()] == [3000, 500, 10_000] * 2
    assert np.bincount(splits["mnist", "test"].digits).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)  # as MNIST's page has them
    ]
    pixels = splits["mnistm", "train"].images / 255
    assert np.abs(pixels[:, :2].mean((0, 1, 2)) - [0.443, 0.449, 0.374]).max() < 0.02
    assert np.abs(pixels.mean((0, 1, 2)) - [0.464, 0.467, 0.420]).max() < 0.02
    assert np.abs(pixels.std((0, 1, 2)) - [0.251, 0.235, 0.261]).max() < 0.02
