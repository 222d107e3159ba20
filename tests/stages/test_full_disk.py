"""A disk that is full at any write of any stage: one line, nothing half-written, no work lost.

The quick stages run with every run of the tests; HW2_TEST_DEEP=1 adds all others, in minutes.
"""

import errno
import importlib
import itertools
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from ruamel.yaml import YAML
from running import ROOT, artifacts_in, assert_same_bytes, contents, run_stage

from hw2.config import params
from hw2.io import atomic
from hw2.pipeline import declared
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

DVC_YAML = ROOT / declared.DVC_FILE
NEEDS_A_REPOSITORY = {"code", "report_figs", "headline"}
# In the order of the DAG, which is that of dvc.yaml.
ALL = [s for s in YAML(typ="safe").load(DVC_YAML)["stages"] if s not in NEEDS_A_REPOSITORY]
QUICK = ["digits_pack", "ddpm_train"]
STAGES = ALL if os.environ.get("HW2_TEST_DEEP") == "1" else QUICK
CACHES = ("checkpoints", "clip_feature_cache", "dann_trainings")


def error_of(stage: str, mini: params.Params, artifacts: SimpleNamespace) -> str | None:
    """Run a stage; returns the error that a user would see, None after a success."""
    try:
        run_stage(importlib.import_module(f"hw2.stages.{stage}"), mini, artifacts)
    except UserError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, mini: params.Params) -> SimpleNamespace:
    """The outputs of all stages on a disk with room."""
    artifacts = artifacts_in(tmp_path_factory.mktemp("reference"))
    for stage in dict.fromkeys(["digits_fetch", *STAGES]):
        assert error_of(stage, mini, artifacts) is None
    return artifacts


class Disk:
    """Makes one flush of a file or a folder fail, as on a full disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self._flush = atomic._sync
        monkeypatch.setattr(atomic, "_sync", self.flush)

    def flush(self, item: Path) -> None:
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(item))
        self._flush(item)


@pytest.mark.parametrize("stage", STAGES)
def test_row_15_found_24_a_full_disk_at_any_write_costs_no_file(
    stage: str,
    mini: params.Params,
    reference: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outputs = declared.outputs(declared.entry(stage, DVC_YAML))
    own = artifacts_in(tmp_path)
    mine = {name: getattr(own, name) for name in (*outputs, *CACHES)}
    artifacts = SimpleNamespace(**(vars(reference) | mine))
    disk = Disk(monkeypatch)
    for write in itertools.count(1):
        disk.left = write
        error = error_of(stage, mini, artifacts)
        if error is not None:
            assert "No space left on device" in error
            assert "\n" not in error
        if disk.left > 0:
            break  # no write was left to fail
        for name in outputs:
            path = getattr(artifacts, name)
            assert not path.exists() or contents(path) == contents(getattr(reference, name))
        litter = [path for path in tmp_path.rglob(".tmp-*") if path.parent != tmp_path]
        assert not litter
    assert write > 1
    assert_same_bytes(artifacts, reference, *outputs)
