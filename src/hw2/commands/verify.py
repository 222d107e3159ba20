"""`hw2 verify`: hash every artefact again and compare it with what was recorded.

DVC trusts size and date of a file that it has hashed before, so a byte that a disk or a program
changed without them is "up to date" for it, and `dvc checkout` restores a damaged cache object.
Here all bytes are read: outputs against dvc.lock, the pretrained models against their manifests,
and the objects of DVC's cache against their names.
"""

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from hw2.config import loader, paths
from hw2.io import content_md5, manifest
from hw2.runtime.errors import UserError
from hw2.runtime.progress import Progress, progress

LOCK = "dvc.lock"
_PIPELINE = "dvc.yaml"
_REBUILD = "run `hw2 plan`, which rebuilds it, and verify again"


Kind = Literal["changed", "missing", "unexpected"]


@dataclass(frozen=True)
class Artefact:
    """An output of a stage as dvc.lock records it; `md5` of a folder ends with `.dir`."""

    path: str
    md5: str
    stage: str


@dataclass(frozen=True)
class Difference:
    """A file that is not what was recorded.

    Attributes:
        path: The file, or a folder whose files cannot be told.
        kind: `changed`, `missing`, or `unexpected`, a file that was not recorded.
        stage: The stage that makes it; None for models in Git, and cache objects of no output.
        expected: The recorded hash; None if the file is unexpected.
        found: The present hash; None if the file is missing.
        remedy: What to do, as the end of a sentence.
    """

    path: str
    kind: Kind
    stage: str | None
    expected: str | None
    found: str | None
    remedy: str

    def line(self) -> str:
        """The difference as one line of text."""
        hashes = f" (recorded {self.expected}, is {self.found})" if self.kind == "changed" else ""
        return f"{self.kind}: {self.path}{hashes}; {self.remedy}"


Cache = Callable[[], Path]
"""Returns the folder of the objects of DVC's cache, `.dvc/cache/files/md5` unless configured."""


def run(cache: Cache, check_cache: bool = False) -> tuple[int, list[Difference]]:
    """Verify the working folder, a checkout.

    Args:
        cache: Finds the objects of DVC's cache.
        check_cache: Whether to hash these objects, too.

    Returns:
        How many artefacts, models and objects were read, and the differences.

    Raises:
        UserError: if dvc.lock or a file cannot be read.
    """
    outputs, models = artefacts(), _models()
    objects = sorted(cache().glob("[0-9a-f][0-9a-f]/*")) if check_cache else []
    count = len(outputs) + len(models) + len(objects)
    with progress(count, "verify", unit="item") as shown:
        found = [
            *_counted(shown, outputs, lambda item: _of_output(item, cache)),
            *_counted(shown, models, _of_model),
            *_counted(shown, objects, _of_object(outputs, cache)),
        ]
    return count, found


def artefacts() -> list[Artefact]:
    """The outputs that dvc.lock records for the stages of dvc.yaml.

    Raises:
        UserError: if dvc.lock is missing, damaged, or of a version of DVC before 3.
    """
    recorded, stages = _lock(), loader.read_yaml(_PIPELINE)["stages"]
    try:
        entries = {name: recorded["stages"].get(name, {}).get("outs", []) for name in stages}
        outputs = [(name, out["path"], out) for name, outs in entries.items() for out in outs]
    except (TypeError, KeyError, AttributeError):
        raise UserError(f"{LOCK}: is not complete; {_REBUILD}") from None
    for name, path, out in outputs:
        if out.get("hash") != "md5" or "md5" not in out:
            raise UserError(f"{LOCK}: stage {name} has no MD5 of {path}; run `dvc commit`")
    return [Artefact(path, out["md5"], name) for name, path, out in outputs]


def _lock() -> Any:
    if not Path(LOCK).is_file():
        raise UserError(f"{LOCK}: missing, so nothing is recorded; run `make report` first")
    try:
        return loader.read_yaml(LOCK)
    except UserError as error:
        raise UserError(f"{error}; {_REBUILD}") from None


def as_json(count: int, differences: Sequence[Difference]) -> str:
    """The result as JSON: `verified`, the number of items, and the list `differences`."""
    content = {"verified": count, "differences": [asdict(item) for item in differences]}
    return json.dumps(content, indent=2)


def _counted(
    shown: Progress, items: Iterable[Any], check: Callable[[Any], Iterable[Difference]]
) -> Iterator[Difference]:
    for item in items:
        yield from check(item)
        shown.update()


def _of_output(output: Artefact, cache: Cache) -> Iterator[Difference]:
    path, ignored = Path(output.path), content_md5.ignored_names()
    listing = content_md5.folder_listing(path, ignored) if path.is_dir() else {}
    found = content_md5.of_listing(listing) if path.is_dir() else content_md5.of(path)
    if found == output.md5:
        return
    recorded = None
    if listing and output.md5.endswith(content_md5.DIR_SUFFIX):
        recorded = _listing(cache(), output.md5)
    if recorded is not None:
        yield from _of_folder(output, listing, recorded)
    else:
        kind = _kind(output.md5, found)
        yield Difference(output.path, kind, output.stage, output.md5, found, _remedy(output, kind))


def _of_folder(
    output: Artefact, present: dict[str, str], recorded: dict[str, str]
) -> Iterator[Difference]:
    """The files of a folder that differ from the recorded ones."""
    for name in sorted(recorded.keys() | present.keys()):
        expected, found = recorded.get(name), present.get(name)
        if expected != found:
            path, kind = f"{output.path}/{name}", _kind(expected, found)
            yield Difference(path, kind, output.stage, expected, found, _remedy(output, "changed"))


def _remedy(output: Artefact, kind: str) -> str:
    show = ["git", "show", f"HEAD:./{output.path}"]
    committed = subprocess.run(show, capture_output=True, check=False).stdout
    if content_md5.of_bytes(committed) == output.md5:
        return f"run `git checkout {output.path}`"
    delete = "" if kind == "missing" else f"delete {output.path} and "
    return f"{delete}run `dvc repro {output.stage}`"


def _kind(expected: str | None, found: str | None) -> Kind:
    if found is None:
        return "missing"
    return "unexpected" if expected is None else "changed"


def _listing(cache: Path, md5: str) -> dict[str, str] | None:
    """The recorded MD5 of each file of a folder, if the cache has a whole list of them."""
    try:
        entries = json.loads(_object(cache, md5).read_bytes())
        listing = {entry["relpath"]: entry["md5"] for entry in entries}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return listing if content_md5.of_listing(listing) == md5 else None


def _object(cache: Path, md5: str) -> Path:
    return cache / md5[:2] / md5[2:]


def _models() -> list[Path]:
    """The folders of the pretrained models."""
    all_paths = paths.load()
    names = (name for name in all_paths if name.startswith("pretrained_"))
    return [getattr(all_paths, name).parent for name in names]


def _of_model(folder: Path) -> Iterator[Difference]:
    remedy = f"run `git checkout {folder}`"
    path = folder / manifest.NAME
    if not path.is_file():
        yield Difference(str(path), "missing", None, None, None, remedy)
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for line in lines:
        expected, _, name = line.partition("  ")
        file = folder / name
        found = _sha256(file) if file.is_file() else None
        if found != expected:
            yield Difference(str(file), _kind(expected, found), None, expected, found, remedy)


def _of_object(outputs: Sequence[Artefact], cache: Cache) -> Callable[[Path], list[Difference]]:
    """A check of one object of the cache against its name, which is its MD5."""
    stages: dict[str, str] = {}
    for output in outputs:
        stages[output.md5] = output.stage
        if output.md5.endswith(content_md5.DIR_SUFFIX):
            listed = _listing(cache(), output.md5) or {}
            stages |= dict.fromkeys(listed.values(), output.stage)

    def check(path: Path) -> list[Difference]:
        expected = path.parent.name + path.name
        found = content_md5.of_file(path)
        if found == expected.removesuffix(content_md5.DIR_SUFFIX):
            return []
        stage = stages.get(expected)
        again = f" and run `dvc repro {stage}`, or `dvc pull`" if stage else "; no output uses it"
        return [Difference(str(path), "changed", stage, expected, found, f"delete it{again}")]

    return check


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
