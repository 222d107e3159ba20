"""Every training gives the same bytes for any number of CPU threads."""

from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from running import artifacts_in, assert_same_bytes, run_stage, run_stages

from hw2.config import params
from hw2.stages import (
    clip_train,
    digits_fetch,
    digits_pack,
    faces_train,
    judge_train,
    stable_diffusion_train,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, mini: params.Params) -> SimpleNamespace:
    """The digits and the CLIP that trainings start from."""
    artifacts = artifacts_in(tmp_path_factory.mktemp("inputs"))
    run_stages((digits_fetch, digits_pack, clip_train), mini, artifacts)
    return artifacts


@pytest.mark.parametrize(
    ("stage", "read", "written"),
    [
        (judge_train, "digits_arrays", ("judge_model", "judge_details")),
        (clip_train, None, ("clip_model", "clip_history")),
        (faces_train, None, ("faces_model", "faces_history")),
        (stable_diffusion_train, "clip_model", ("stable_diffusion_model",)),
    ],
    ids=lambda value: value.__name__.rpartition(".")[2] if isinstance(value, ModuleType) else "",
)
def test_found_21_two_threads_give_the_same_bytes_as_one(
    mini: params.Params,
    inputs: SimpleNamespace,
    tmp_path: Path,
    stage: ModuleType,
    read: str | None,
    written: tuple[str, ...],
) -> None:
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            given = {read: getattr(inputs, read)} if read else {}
            artifacts = artifacts_in(tmp_path / str(threads), **given)
            torch.set_num_threads(threads)
            run_stage(stage, mini, artifacts)
            results.append(artifacts)
    finally:
        torch.set_num_threads(before)
    assert_same_bytes(*results, *written)
