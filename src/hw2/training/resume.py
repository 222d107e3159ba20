"""Resume files: kill a training at any instant, and it goes on from its last save.

checkpoints/<stage>/<key>/step-<n>.pt     tensors and plain values
checkpoints/<stage>/<key>/step-<n>.json   its size and sha256, written after it

The key is a hash of what the training is (parameters, fingerprint of the input), so a training
with other parameters starts afresh. A file without a manifest is an unfinished save. There is no
pointer to the newest file that could be wrong: the folder is scanned.

Of several processes the first one reads and writes them. A training may go on with another number
of processes.
"""

import hashlib
import io
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import torch

from hw2.io import files
from hw2.io.atomic import atomic_path, remove_litter
from hw2.runtime import ranks, removal
from hw2.runtime.errors import UserError
from hw2.training import processes

FORMAT = 1
log = logging.getLogger(__name__)


class Resume:
    """The resume files of one training; as a context manager it removes them on success.

    Args:
        folder: Where this training's files go; the caller is its only writer (`Session`).
        identity: JSON-like values that make another training when they change: parameters and
            the input's fingerprint, but not the device or how often to save.
        keep: How many of the newest files stay; two, so that one may be damaged.
    """

    def __init__(self, folder: str | Path, identity: Mapping[str, Any], keep: int = 2) -> None:
        self.folder = Path(folder) / _key(identity)
        self.keep = keep
        self._identity = identity
        if ranks.is_first():
            self._remove_unfinished()

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Write `state` after `step` steps; then, and only then, remove what is too old.

        `state` holds tensors of any device, numbers, text, None, and lists and dicts of these.

        Raises:
            TypeError: naming the key of a value that a strict reader would refuse.
            UserError: if the disk refuses; the files of earlier steps are still there.
        """
        if not ranks.is_first():
            return
        buffer = io.BytesIO()  # in memory first: torch.save hides a full disk behind its own error
        torch.save(_plain(state, "state"), buffer)
        data = buffer.getbuffer()
        path = self._path(step)
        manifest = {"format": FORMAT, "step": step, "bytes": len(data), "sha256": _sha256(data)}
        try:
            if not (self.folder / "identity.json").exists():
                files.write_json(self.folder / "identity.json", self._identity)
            with atomic_path(path) as temporary:
                temporary.write_bytes(data)
            files.write_json(path.with_suffix(".json"), manifest)
        except UserError as error:
            reason = str(
                error.__cause__.strerror if isinstance(error.__cause__, OSError) else error
            )
            raise UserError(
                f"could not write {path}: {reason}. Training state on disk is unchanged;"
                " make room and run the same command to continue"
            ) from error
        self._prune(step)

    def load_latest(self) -> tuple[int, dict[str, Any]] | None:
        """The newest undamaged (steps done, state), its tensors on the CPU; None to start anew."""
        return processes.from_first(self._latest)

    def _latest(self) -> tuple[int, dict[str, Any]] | None:
        damaged = ""
        for step in self._steps():
            try:
                state = self._load(step)
            except ValueError as error:
                damaged = f"step {step} damaged ({error})"
                log.warning("%s: %s, trying the one before", self.folder, damaged)
                continue
            if damaged:
                log.warning("%s: %s, using step %d", self.folder, damaged, step)
            else:
                log.info("resuming from step %d (%s)", step, self.folder)
            return step, state
        others = [p for p in self.folder.parent.glob("*/") if p != self.folder and p.is_dir()]
        if others and not damaged:
            log.info(
                "starting anew; %s also holds %d training(s) with other parameters",
                self.folder.parent,
                len(others),
            )
        return None

    def finish(self) -> None:
        """Remove the resume files, once the outputs of the training are written.

        In a stage they stay until its runner has kept the outputs, which a kill may cost otherwise.
        """
        if ranks.is_first():
            removal.remove(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step}.pt"

    def _steps(self) -> list[int]:
        """Steps with a manifest, newest first."""
        names = (re.fullmatch(r"step-(\d+)\.json", p.name) for p in self.folder.glob("step-*.json"))
        return sorted((int(name[1]) for name in names if name), reverse=True)

    def _load(self, step: int) -> dict[str, Any]:
        """The state, if its bytes are those that were written; ValueError says what is wrong."""
        try:
            manifest = files.read_json(self._path(step).with_suffix(".json"))
            data = self._path(step).read_bytes()
        except (UserError, OSError):
            raise ValueError("unreadable") from None
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise ValueError("manifest")
        if _sha256(data) != manifest.get("sha256"):
            raise ValueError("sha256")
        try:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except Exception as error:  # right bytes, but another version of PyTorch
            raise ValueError(f"PyTorch cannot read it: {type(error).__name__}") from None
        assert isinstance(state, dict)
        return state

    def _prune(self, newest: int) -> None:
        """Keep `newest` and the `keep - 1` before it; later steps are of an abandoned run."""
        for position, step in enumerate([s for s in self._steps() if s <= newest]):
            if position >= self.keep:
                self._remove(step)
        for step in self._steps():
            if step > newest:
                self._remove(step)

    def _remove(self, step: int) -> None:
        self._path(step).with_suffix(".json").unlink(missing_ok=True)  # first: marks the other
        self._path(step).unlink(missing_ok=True)

    def _remove_unfinished(self) -> None:
        """Temporary files of killed writers, and saves without a manifest."""
        remove_litter(self.folder)
        for path in self.folder.glob("step-*.pt"):
            if not path.with_suffix(".json").exists():
                path.unlink()


def _key(identity: Mapping[str, Any]) -> str:
    text = json.dumps(identity, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _plain(value: Any, key: str) -> Any:
    """Copy of `value` that `torch.load(weights_only=True)` accepts everywhere."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    if isinstance(value, Mapping):
        return {name: _plain(item, f"{key}.{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_plain(item, f"{key}.{i}") for i, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{key}: a {type(value).__name__} cannot go into a resume file")
