"""What dvc.yaml declares for a stage, and views that refuse everything else."""

from pathlib import Path

import pytest

from hw2.config import params, paths
from hw2.pipeline import binding, declared
from hw2.pipeline.declared import Declaration
from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
DVC = """
stages:
  train:
    cmd: python train.py
    params: [ddpm.network, judge, {params.yaml: [data.seed]}, {other.yaml: [x]}]
    deps: ["${path.code}/train", "${path.digits_arrays}"]
    outs: ["${path.ddpm_model}": {cache: false}]
    metrics: ["${path.headline_metrics}": {cache: false}]
    plots: ["${path.ddpm_details}": {cache: false}]
    meta: {untracked: [raw]}
  plain: {cmd: x}
"""


@pytest.fixture
def values() -> params.Params:
    return params.load(ROOT / "params.yaml")


def test_a_declaration_has_the_parameters_and_paths_of_dvc_yaml(tmp_path: Path) -> None:
    path = tmp_path / "dvc.yaml"
    path.write_text(DVC)
    declaration = declared.read("train", path)
    assert declaration.params == ("ddpm.network", "judge", "data.seed")
    assert declaration.sections == ("ddpm", "judge", "data")
    assert declaration.paths == (
        *("code", "digits_arrays", "ddpm_model", "headline_metrics", "ddpm_details", "raw"),
    )
    assert declared.read("plain", path) == Declaration("plain", (), ())
    with pytest.raises(UserError, match="no stage 'trian'; did you mean 'train'"):
        declared.read("trian", path)


def test_undeclared_parameters_are_refused(values: params.Params) -> None:
    view = declared.restrict_params(values, Declaration("train", ("ddpm.network", "judge"), ()))
    assert view.judge.seed == values.judge.seed
    assert view.ddpm.network.kind == values.ddpm.network.kind
    assert view.runtime.device == values.runtime.device
    with pytest.raises(AttributeError, match=r"the undeclared parameter 'ddpm.train'; add it"):
        _ = view.ddpm.train
    with pytest.raises(AttributeError, match="undeclared parameter 'data'"):
        _ = view.data
    with pytest.raises(UserError, match=r"no parameter 'ddpm.netwrk'; did you mean 'network'"):
        declared.restrict_params(values, Declaration("train", ("ddpm.netwrk",), ()))


def test_a_view_dumps_its_declared_keys_only(values: params.Params) -> None:
    keys = ("ddpm.seed", "ddpm.train.lr")
    view = declared.restrict_params(values, Declaration("train", keys, ()))
    expected = {"seed": values.ddpm.seed, "train": {"lr": values.ddpm.train.lr}}
    assert view.ddpm.model_dump(mode="json") == expected
    assert view.ddpm.model_dump(exclude={"train"}) == {"seed": values.ddpm.seed}


def test_a_view_records_the_values_that_were_read(values: params.Params) -> None:
    view = declared.restrict_params(values, Declaration("train", ("ddpm.train", "judge"), ()))
    train = view.ddpm.train
    assert view.reads == set()
    assert train.lr == values.ddpm.train.lr
    copy = view.ddpm.model_copy(update={"train": train.model_copy(update={"lr": 0.5})})
    assert copy.train.lr == 0.5
    assert copy.train.steps == values.ddpm.train.steps
    assert view.reads == {"ddpm.train.lr", "ddpm.train.steps"}


def test_undeclared_paths_are_refused() -> None:
    everything = paths.load(ROOT)
    view = declared.restrict_paths(everything, Declaration("train", (), ("ddpm_model",)))
    assert view.ddpm_model == everything.ddpm_model
    assert list(view) == ["ddpm_model"]
    with pytest.raises(AttributeError, match="undeclared path 'judge_model'; add it"):
        _ = view.judge_model
    with pytest.raises(UserError, match="no path 'ddpm_modle'"):
        declared.restrict_paths(everything, Declaration("train", (), ("ddpm_modle",)))


def test_arguments_with_a_default_need_no_declaration() -> None:
    def stage(ddpm: object, *, ddpm_model: Path, root: Path = Path()) -> None: ...

    assert binding.argument_names(stage) == ("ddpm", "ddpm_model")
    binding.check(stage, Declaration("train", ("ddpm.seed",), ("ddpm_model",)))
    with pytest.raises(UserError, match="its function takes 'ddpm_model'"):
        binding.check(stage, Declaration("train", ("ddpm.seed",), ()))
