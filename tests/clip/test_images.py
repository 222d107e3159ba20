"""Labeled images in the course's layout, from folders and zips, and the errors of invalid ones."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2.clip import images, zero_shot_set
from hw2.runtime.errors import UserError
from hw2.shapes import scenes, vocabulary

WriteLayout = Callable[..., Path]


def assert_refused(path: Path, *messages: str) -> None:
    with pytest.raises(UserError) as error, images.opened(path) as labeled:
        labeled.read(range(len(labeled)))
    assert "\n" not in str(error.value)
    for part in (str(path), *messages):
        assert part in str(error.value)


def test_files_have_names_labels_and_pixels(course_layout: WriteLayout) -> None:
    folder = course_layout(12)
    (folder / "val" / ".DS_Store").write_text("hidden")
    with images.opened(folder) as labeled:
        assert labeled.classes == ("red circle", "blue star", "green ring")
        assert labeled.files[:3] == ("0_450.png", "0_451.png", "0_452.png")
        assert np.array_equal(labeled.labels, np.repeat([0, 1, 2], 12))
        pixels = labeled.read([5, 0])
        with Image.open(folder / "val/0_455.png") as image:
            assert np.array_equal(pixels[0], np.asarray(image))
        assert (labeled.groups, labeled.attributes) == ({}, {})


def test_class_ids_may_have_gaps(course_layout: WriteLayout) -> None:
    folder = course_layout(2)
    names = {"0": "a", "2": "c", "10": "k"}
    (folder / "id2label.json").write_text(json.dumps(names))
    for k in range(2):
        (folder / f"val/1_{450 + k}.png").rename(folder / f"val/10_{k}.png")
    with images.opened(folder) as labeled:
        assert (labeled.ids, labeled.classes) == ((0, 2, 10), ("a", "c", "k"))
        assert labeled.files[-1] == "10_1.png"
        assert labeled.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_zip_is_read_like_the_folder(course_layout: WriteLayout, tmp_path: Path) -> None:
    folder = course_layout()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, f"hw2_data/clip_zeroshot/{path.relative_to(folder)}")
    with images.opened(folder) as a, images.opened(tmp_path / "a.zip") as b:
        assert (a.files, a.digest, a.classes) == (b.files, b.digest, b.classes)
        assert all(
            np.array_equal(x, y) for x, y in zip(a.read([0, 3]), b.read([0, 3]), strict=True)
        )


def test_the_digest_changes_with_the_contents(course_layout: WriteLayout) -> None:
    folder = course_layout()
    with images.opened(folder) as labeled:
        before = labeled.digest
    with images.opened(folder) as labeled:
        assert labeled.digest == before
    pixels = np.zeros((32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "val/0_450.png")
    with images.opened(folder) as labeled:
        assert labeled.digest != before


def test_gray_palette_and_jpeg_images_are_read_as_rgb(course_layout: WriteLayout) -> None:
    folder = course_layout()
    with Image.open(folder / "val/0_450.png") as image:
        original = image.copy()
    original.convert("L").save(folder / "val/0_450.png")
    original.convert("P").save(folder / "val/0_451.png")
    (folder / "val/1_450.png").unlink()
    original.save(folder / "val/1_450.jpg")
    with images.opened(folder) as labeled:
        assert {image.shape for image in labeled.read(range(len(labeled)))} == {(32, 32, 3)}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-30],
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"no image at all",
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
    ],
)
def test_the_error_names_a_corrupt_image(
    course_layout: WriteLayout, damage: Callable[[bytes], bytes]
) -> None:
    folder = course_layout()
    path = folder / "val/1_451.png"
    path.write_bytes(damage(path.read_bytes()))
    assert_refused(folder, "1_451.png", "not readable; restore the files")


def test_found_28_the_error_names_the_first_of_many_corrupt_images(
    course_layout: WriteLayout,
) -> None:
    folder = course_layout()
    for path in (folder / "val").glob("*.png"):
        path.write_bytes(b"x")
    assert_refused(folder, "0_450.png (not a PNG or JPEG), 0_451.png", "and 3 more")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "no id2label.json in it"),
        ("[1, 2]", "id2label.json should be"),
        ("{", "id2label.json: not JSON"),
        ('{"0": "a", "one": "b"}', "id2label.json should be"),
        ('{"0": ""}', "id2label.json should be"),
        ('{"0": "a", "1": "b"}', "2_450.png, 2_451.png in val: of a class"),
        ('{"0": "a_b", "1": "a b", "2": "c"}', "names two classes alike"),
    ],
)
def test_invalid_labels_are_refused_in_one_line(
    course_layout: WriteLayout, labels: str | None, message: str
) -> None:
    folder = course_layout()
    if labels is None:
        (folder / "id2label.json").unlink()
    else:
        (folder / "id2label.json").write_text(labels)
    assert_refused(folder, message)


def test_an_invalid_file_name_is_refused(course_layout: WriteLayout) -> None:
    folder = course_layout()
    (folder / "val/Thumbs.db").write_text("x")
    assert_refused(folder, "Thumbs.db in val: not called {class}_{id}.png")


def test_found_23_labels_that_cannot_be_used_are_refused_in_one_line(
    course_layout: WriteLayout,
) -> None:
    folder = course_layout()
    for text, message in (
        (r'{"0": "\ud800", "1": "b"}', "half of a surrogate pair"),
        ('{"0": "a", "0": "b"}', "the key '0' occurs twice"),
        (f'{{"{"1" * 5000}": "a"}}', "id2label.json should be"),
    ):
        (folder / "id2label.json").write_text(text)
        assert_refused(folder, message)


def test_found_23_invalid_groups_are_refused(course_layout: WriteLayout) -> None:
    folder = course_layout()
    for text in ('{"a": ["9_1.png"]}', '{"a": [["0_450.png"]]}', '{"a": []}', "[]"):
        (folder / "groups.json").write_text(text)
        assert_refused(folder, "groups.json should be")


def test_attributes_are_in_the_order_of_the_classes(course_layout: WriteLayout) -> None:
    folder = course_layout()
    pairs = {
        "2": {"shape": "ring", "color": "dark_green"},
        "0": {"color": "red", "shape": "circle"},
        "1": {"shape": " star", "color": "blue"},
    }
    (folder / "attributes.json").write_text(json.dumps(pairs))
    with images.opened(folder) as labeled:
        assert labeled.attributes == {
            "color": ("red", "blue", "dark green"),
            "shape": ("circle", "star", "ring"),
        }


RED_CIRCLE = {"color": "red", "shape": "circle"}
BLUE_STAR = {"color": "blue", "shape": "star"}
GREEN_RING = {"color": "green", "shape": "ring"}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "attributes.json should give each class two attributes"),
        ((RED_CIRCLE, BLUE_STAR, {"color": "green"}), "should give each class two attributes"),
        ((RED_CIRCLE, BLUE_STAR, GREEN_RING | {"size": "big"}), "should give each class two"),
        ((RED_CIRCLE, BLUE_STAR, GREEN_RING | {"shape": "_"}), "should give each class two"),
        ((RED_CIRCLE, BLUE_STAR, GREEN_RING | {"shape": 3}), "should give each class two"),
        ((RED_CIRCLE, BLUE_STAR), "attributes.json has other class ids than id2label.json"),
        ((RED_CIRCLE, BLUE_STAR, GREEN_RING, GREEN_RING), "has other class ids"),
        ((RED_CIRCLE, BLUE_STAR, {"color": "red", "form": "ring"}), "not the same attributes"),
        (({"a_b": "x", "a b": "y"},) * 3, "not the same attributes in every class"),
        ((RED_CIRCLE, BLUE_STAR, RED_CIRCLE), "two classes have the same values"),
    ],
)
def test_invalid_attributes_are_refused(
    course_layout: WriteLayout, pairs: tuple[object, ...] | list[object], message: str
) -> None:
    folder = course_layout()
    text = {str(k): pair for k, pair in enumerate(pairs)} if isinstance(pairs, tuple) else pairs
    (folder / "attributes.json").write_text(json.dumps(text))
    assert_refused(folder, message)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "absent", "is not there; give a folder or zip with id2label.json")


def test_the_synthetic_test_set_has_the_course_s_layout_and_can_be_copied(tmp_path: Path) -> None:
    test_set = scenes.test_set("test", 2, 32, 5)
    zero_shot_set.write(tmp_path / "a.zip", test_set)
    with images.opened(tmp_path / "a.zip") as labeled:
        assert labeled.classes[:2] == ("red circle", "red square")
        assert np.array_equal(np.stack(labeled.read(range(96))), test_set.images)
        assert np.array_equal(labeled.labels, test_set.classes)
        unseen = labeled.groups[zero_shot_set.UNSEEN]
        assert {labeled.classes[k] for k in labeled.labels[unseen]} == {
            " ".join(pair) for pair in vocabulary.HELD_OUT
        }
        assert np.array_equal(unseen, ~labeled.groups[zero_shot_set.SEEN])
        for index, texture in enumerate(vocabulary.TEST_TEXTURES):
            assert np.array_equal(labeled.groups[texture], test_set.textures == index)
        assert list(labeled.attributes) == ["shape", "color"]
        pairs = zip(labeled.attributes["color"], labeled.attributes["shape"], strict=True)
        assert tuple(" ".join(pair) for pair in pairs) == labeled.classes
        ticks: list[int] = []
        zero_shot_set.copy(tmp_path / "b.zip", labeled, ticks.append)
        assert sum(ticks) == 96
        with images.opened(tmp_path / "b.zip") as copied:
            assert (copied.files, copied.digest) == (labeled.files, labeled.digest)
            assert list(copied.attributes.items()) == list(labeled.attributes.items())
            assert copied.groups.keys() == labeled.groups.keys()
            assert all(np.array_equal(copied.groups[g], labeled.groups[g]) for g in labeled.groups)
    zero_shot_set.write(tmp_path / "c.zip", test_set)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "c.zip").read_bytes()
