"""Labelled images: the course's form, from folders and zips, and what is wrong with them."""

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

Form = Callable[..., Path]


def refused(path: Path, *said: str) -> None:
    with pytest.raises(UserError) as caught, images.opened(path) as found:
        found.read(range(len(found)))
    assert "\n" not in str(caught.value)
    for text in (str(path), *said):
        assert text in str(caught.value)


def test_names_labels_and_pixels(course_form: Form) -> None:
    folder = course_form(12)
    (folder / "val" / ".DS_Store").write_text("hidden")
    with images.opened(folder) as found:
        assert found.classes == ("red circle", "blue star", "green ring")
        assert found.files[:3] == ("0_450.png", "0_451.png", "0_452.png")
        assert np.array_equal(found.labels, np.repeat([0, 1, 2], 12))
        pixels = found.read([5, 0])
        with Image.open(folder / "val/0_455.png") as image:
            assert np.array_equal(pixels[0], np.asarray(image))
        assert found.groups == {}


def test_ids_need_not_be_without_gaps(course_form: Form) -> None:
    folder = course_form(2)
    names = {"0": "a", "2": "c", "10": "k"}
    (folder / "id2label.json").write_text(json.dumps(names))
    for k in range(2):
        (folder / f"val/1_{450 + k}.png").rename(folder / f"val/10_{k}.png")
    with images.opened(folder) as found:
        assert (found.ids, found.classes) == ((0, 2, 10), ("a", "c", "k"))
        assert found.files[-1] == "10_1.png"
        assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_zip_is_read_as_the_folder_is(course_form: Form, tmp_path: Path) -> None:
    folder = course_form()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, f"hw2_data/clip_zeroshot/{path.relative_to(folder)}")
    with images.opened(folder) as a, images.opened(tmp_path / "a.zip") as b:
        assert (a.files, a.digest, a.classes) == (b.files, b.digest, b.classes)
        assert all(
            np.array_equal(x, y) for x, y in zip(a.read([0, 3]), b.read([0, 3]), strict=True)
        )


def test_the_digest_is_of_the_contents(course_form: Form) -> None:
    folder = course_form()
    with images.opened(folder) as found:
        before = found.digest
    with images.opened(folder) as found:
        assert found.digest == before
    pixels = np.zeros((32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "val/0_450.png")
    with images.opened(folder) as found:
        assert found.digest != before


def test_grey_palette_and_jpeg_are_read_in_colour(course_form: Form) -> None:
    folder = course_form()
    with Image.open(folder / "val/0_450.png") as image:
        kept = image.copy()
    kept.convert("L").save(folder / "val/0_450.png")
    kept.convert("P").save(folder / "val/0_451.png")
    (folder / "val/1_450.png").unlink()
    kept.save(folder / "val/1_450.jpg")
    with images.opened(folder) as found:
        assert {image.shape for image in found.read(range(len(found)))} == {(32, 32, 3)}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-30],
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"no image at all",
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
    ],
)
def test_a_corrupt_image_is_named(course_form: Form, spoil: Callable[[bytes], bytes]) -> None:
    folder = course_form()
    path = folder / "val/1_451.png"
    path.write_bytes(spoil(path.read_bytes()))
    refused(folder, "1_451.png", "not readable; restore the files")


def test_of_many_corrupt_images_the_first_are_named(course_form: Form) -> None:
    folder = course_form()
    for path in (folder / "val").glob("*.png"):
        path.write_bytes(b"x")
    refused(folder, "0_450.png (not a PNG or JPEG), 0_451.png", "and 3 more")


@pytest.mark.parametrize(
    ("labels", "said"),
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
def test_wrong_labels_are_one_line(course_form: Form, labels: str | None, said: str) -> None:
    folder = course_form()
    if labels is None:
        (folder / "id2label.json").unlink()
    else:
        (folder / "id2label.json").write_text(labels)
    refused(folder, said)


def test_a_strange_name_is_told(course_form: Form) -> None:
    folder = course_form()
    (folder / "val/Thumbs.db").write_text("x")
    refused(folder, "Thumbs.db in val: not called {class}_{id}.png")


def test_wrong_groups_are_told(course_form: Form) -> None:
    folder = course_form()
    for text in ('{"a": ["9_1.png"]}', '{"a": []}', "[]"):
        (folder / "groups.json").write_text(text)
        refused(folder, "groups.json should be")


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    refused(tmp_path / "absent", "is not there; give a folder or zip with id2label.json")


def test_the_exam_is_in_the_course_s_form_and_can_be_copied(tmp_path: Path) -> None:
    drawn = scenes.test_set("test", 2, 32, 5)
    zero_shot_set.write(tmp_path / "a.zip", drawn)
    with images.opened(tmp_path / "a.zip") as found:
        assert found.classes[:2] == ("red circle", "red square")
        assert np.array_equal(np.stack(found.read(range(96))), drawn.images)
        assert np.array_equal(found.labels, drawn.classes)
        unseen = found.groups[zero_shot_set.UNSEEN]
        assert {found.classes[k] for k in found.labels[unseen]} == {
            " ".join(pair) for pair in vocabulary.HELD_OUT
        }
        assert np.array_equal(unseen, ~found.groups[zero_shot_set.SEEN])
        for place, texture in enumerate(vocabulary.TEXTURES):
            assert np.array_equal(found.groups[texture], drawn.textures == place)
        ticks: list[int] = []
        zero_shot_set.copy(tmp_path / "b.zip", found, ticks.append)
        assert sum(ticks) == 96
        with images.opened(tmp_path / "b.zip") as again:
            assert (again.files, again.digest) == (found.files, found.digest)
            assert again.groups.keys() == found.groups.keys()
            assert all(np.array_equal(again.groups[g], found.groups[g]) for g in found.groups)
    zero_shot_set.write(tmp_path / "c.zip", drawn)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "c.zip").read_bytes()
