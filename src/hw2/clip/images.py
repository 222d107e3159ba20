"""Labeled images in the course's layout: `id2label.json` and `val/{class}_{id}.png`.

Any folder or zip of that layout can be read, also if it contains it as `clip_zeroshot`. A file
`groups.json` next to `id2label.json` may define groups of images, whose accuracy is reported
separately. A file `attributes.json` there may state the two attributes that make up each class,
such as its shape and its color, whose confusions are reported instead of those of classes.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hw2.io.file_tree import Tree, Unreadable, check_names, is_hidden, join, open_tree
from hw2.io.files import parse_json
from hw2.io.images import UnreadableImage, decode
from hw2.runtime.errors import UserError

LABELS, FOLDER, GROUPS = "id2label.json", "val", "groups.json"
ATTRIBUTES = "attributes.json"
_ROOTS = ("", "clip_zeroshot", "hw2_data/clip_zeroshot")  # folders that may hold the layout
_NAME = re.compile(r"(\d{1,9})_(.+)\.(png|jpg|jpeg)", re.IGNORECASE)
_ID = re.compile(r"\d{1,9}")
_FORMATS = ("PNG", "JPEG")
_MAX_BYTES = 1 << 27
_MAX_LISTED = 3  # invalid files that a message lists
_REMEDY = f"give a folder or zip with {LABELS} and {FOLDER}/{{class}}_{{id}}.png"


@dataclass(frozen=True)
class LabeledImages:
    """N images and their classes; pixels are read on demand.

    Attributes:
        files: N file names, sorted by class and then by id.
        labels: int (N,), indices into `classes`.
        ids: The class ids of the file names, ascending.
        classes: Class names as they appear in prompts, with spaces instead of underscores.
        groups: Group names to bool (N,).
        attributes: Names of two attributes to the value of each class, as many as `classes`; no two
            classes have the same pair of values. Empty if the classes have no attributes.
        digest: Hash of the names and contents of all images.
    """

    files: tuple[str, ...]
    labels: np.ndarray
    ids: tuple[int, ...]
    classes: tuple[str, ...]
    groups: dict[str, np.ndarray]
    attributes: dict[str, tuple[str, ...]]
    digest: str
    _tree: Tree
    _folder: str
    _origin: Path

    def __len__(self) -> int:
        return len(self.files)

    def content(self, row: int) -> bytes:
        """The bytes of an image file."""
        return self._tree.read(join(self._folder, self.files[row]), _MAX_BYTES)

    def read(self, rows: Sequence[int]) -> list[np.ndarray]:
        """The pixels of some images: uint8 (H, W, 3) each, H and W may differ.

        Raises:
            UserError: naming those that cannot be read.
        """
        result, unreadable = [], []
        for row in rows:
            try:
                result.append(decode(self.content(row), formats=_FORMATS))
            except (Unreadable, UnreadableImage) as error:
                unreadable.append(f"{self.files[row]} ({error})")
        if unreadable:
            raise UserError(
                f"{self._origin}: {_listing(unreadable)}: not readable; restore the files"
            )
        return result


def exist(path: Path) -> bool:
    """Whether a folder or zip has the layout's table of classes; no image is opened.

    Raises:
        UserError: if it is neither a folder nor a zip.
    """
    with open_tree(path, _REMEDY) as tree:
        return _root(tree) is not None


@contextmanager
def opened(path: Path) -> Iterator[LabeledImages]:
    """Open a folder or zip of labeled images.

    Raises:
        UserError: if it does not have the course's layout, naming the file and the remedy.
    """
    with open_tree(path, _REMEDY) as tree:
        root = _root(tree)
        if root is None:
            raise UserError(f"{path}: no {LABELS} in it; {_REMEDY}")
        names = _classes(tree, root, path)
        folder = join(root, FOLDER)
        files = sorted(_listed(tree, folder, names, path), key=_sort_key)
        ids = sorted(names)
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file}\0".encode())
            digest.update(hashlib.sha256(_read(tree, folder, file, path)).digest())
        yield LabeledImages(
            files=tuple(files),
            labels=np.array([ids.index(int(file.partition("_")[0])) for file in files]),
            ids=tuple(ids),
            classes=tuple(names[k] for k in ids),
            groups=_groups(tree, root, files, path),
            attributes=_attributes(tree, root, ids, path),
            digest=digest.hexdigest(),
            _tree=tree,
            _folder=folder,
            _origin=path,
        )


def _root(tree: Tree) -> str | None:
    """The folder of the tree that has the layout; None if there is none."""
    return next((folder for folder in _ROOTS if LABELS in tree.files(folder)), None)


def _classes(tree: Tree, root: str, path: Path) -> dict[int, str]:
    """Class ids to class names."""
    result = _json(tree, join(root, LABELS), path)
    valid = isinstance(result, dict) and all(
        _ID.fullmatch(key) and isinstance(name, str) and name.strip()
        for key, name in result.items()
    )
    if not valid or not result:
        raise UserError(f'{path}: {LABELS} should be {{"0": "name of class 0", ...}}; correct it')
    names = {int(key): _words(name) for key, name in result.items()}
    if len(set(names.values())) < len(result):
        raise UserError(f"{path}: {LABELS} names two classes alike; no prompt tells them apart")
    return names


def _listed(tree: Tree, folder: str, names: Mapping[int, str], path: Path) -> list[str]:
    """The names of all images, except hidden files."""
    files = [name for name in tree.files(folder) if not is_hidden(name)]
    check_names(path / folder, files)
    matches = {file: _NAME.fullmatch(file) for file in files}
    misnamed = sorted(file for file, match in matches.items() if match is None)
    if misnamed:
        raise UserError(
            f"{path}: {_listing(misnamed)} in {FOLDER}: not called {{class}}_{{id}}.png;"
            " rename it, or take it out"
        )
    unknown = sorted(file for file, m in matches.items() if m and int(m[1]) not in names)
    if unknown:
        raise UserError(
            f"{path}: {_listing(unknown)} in {FOLDER}: of a class that {LABELS} does not name;"
            " add its name, or take it out"
        )
    if len(files) < 2:
        raise UserError(f"{path}: {len(files)} images in {FOLDER}; {_REMEDY}")
    return files


def _groups(tree: Tree, root: str, files: Sequence[str], path: Path) -> dict[str, np.ndarray]:
    if GROUPS not in tree.files(root):
        return {}
    result = _json(tree, join(root, GROUPS), path)
    names = set(files)
    if not isinstance(result, dict) or not all(
        _is_group(group, names) for group in result.values()
    ):
        raise UserError(
            f'{path}: {GROUPS} should be {{"group": ["file in {FOLDER}", ...]}}; correct it'
        )
    return {
        name: np.array([file in members for file in files])
        for name, members in ((name, set(group)) for name, group in result.items())
    }


def _is_group(group: Any, names: set[str]) -> bool:
    return (
        isinstance(group, list)
        and bool(group)
        and all(isinstance(file, str) and file in names for file in group)
    )


def _attributes(
    tree: Tree, root: str, ids: Sequence[int], path: Path
) -> dict[str, tuple[str, ...]]:
    """Attribute names to the value of each class, in the order of `ids`."""
    if ATTRIBUTES not in tree.files(root):
        return {}
    result = _json(tree, join(root, ATTRIBUTES), path)
    if not isinstance(result, dict) or not all(
        _ID.fullmatch(key) and _is_pair(pair) for key, pair in result.items()
    ):
        raise UserError(
            f'{path}: {ATTRIBUTES} should give each class two attributes, {{"0": {{"shape":'
            ' "circle", "color": "red"}, ...}; correct it'
        )
    pairs = {
        int(key): {_words(name): _words(value) for name, value in pair.items()}
        for key, pair in result.items()
    }
    if sorted(pairs) != list(ids):
        raise UserError(f"{path}: {ATTRIBUTES} has other class ids than {LABELS}; correct it")
    names = tuple(pairs[ids[0]])
    if any(len(pair) < 2 or set(pair) != set(names) for pair in pairs.values()):
        raise UserError(f"{path}: {ATTRIBUTES}: not the same attributes in every class; correct it")
    if len({tuple(pair[name] for name in names) for pair in pairs.values()}) < len(ids):
        raise UserError(f"{path}: {ATTRIBUTES}: two classes have the same values; correct it")
    return {name: tuple(pairs[k][name] for k in ids) for name in names}


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) == 2
        and all(isinstance(text, str) and _words(text) for text in (*value, *value.values()))
    )


def _words(name: str) -> str:
    """A name as it is shown, with spaces instead of underscores."""
    return " ".join(name.replace("_", " ").split())


def _json(tree: Tree, name: str, path: Path) -> Any:
    try:
        return parse_json(tree.read(name, _MAX_BYTES))
    except (Unreadable, ValueError) as error:
        raise UserError(f"{path}: {name}: not JSON ({error}); correct it") from error


def _read(tree: Tree, folder: str, file: str, path: Path) -> bytes:
    try:
        return tree.read(join(folder, file), _MAX_BYTES)
    except Unreadable as error:
        raise UserError(f"{path}: {file} {error}; restore it") from error


def _sort_key(file: str) -> tuple[int, int, str]:
    """Sort key: class, then id if it is a number, then the rest of the name."""
    start, _, rest = file.partition("_")
    number = rest.rpartition(".")[0]
    return int(start), int(number) if number.isdecimal() and len(number) < 256 else 0, rest


def _listing(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return f"{', '.join(names[:_MAX_LISTED])}{more}"
