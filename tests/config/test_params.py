"""params.yaml is read strictly: every problem is one line with key, value and remedy."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML

from hw2.config import loader, params, paths
from hw2.digits import labels
from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree() -> Any:
    return copy.deepcopy(loader.read_yaml(ROOT / "params.yaml"))


def problems(tree: Any) -> list[str]:
    with pytest.raises(UserError) as caught:
        params.parse(tree)
    return str(caught.value).splitlines()


def leaves(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    values: dict[str, Any] = {}
    for name, value in tree.items():
        values |= leaves(value, f"{prefix}.{name}".lstrip("."))
    return values


def put(tree: Any, key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for part in parents:
        tree = tree[part]
    tree[last] = value


def test_the_repositorys_file_is_valid_and_frozen() -> None:
    loaded = params.load(ROOT / "params.yaml")
    assert isinstance(loaded.ddpm.train.lr, float)
    with pytest.raises(ValidationError, match="frozen"):
        loaded.data.seed = 3


@pytest.mark.parametrize(
    "key",
    [
        *("data.course", "judge.course_classifier", "faces.ddim.noises", "faces.ddim.ground_truth"),
        *("clip.zero_shot.images", "stable_diffusion.weights", "stable_diffusion.config"),
        "personalization.clip.weights",
    ],
)
def test_a_tilde_is_the_home_folder(
    tree: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tree, key, "~/given")
    value: Any = params.parse(tree)
    for part in key.split("."):
        value = getattr(value, part)
    assert value == str(tmp_path / "given")


def test_every_key_is_required_and_described() -> None:
    def check(model: type[BaseModel]) -> None:
        for name, field in model.model_fields.items():
            assert field.is_required(), name
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                check(field.annotation)
            else:
                assert field.description, f"{model.__name__}.{name}"

    check(params.Params)


def test_dvc_reads_the_same_values() -> None:
    from dvc.utils.serialize import load_yaml  # type: ignore[import-untyped]

    assert params.parse(load_yaml(ROOT / "params.yaml")) == params.load(ROOT / "params.yaml")


def test_domains_are_those_with_labels() -> None:
    assert labels.NUM_LABELS == 20
    assert labels.label_of("svhn", 3) == 13
    with pytest.raises(ValueError, match="usps"):
        labels.label_of("usps", 3)
    with pytest.raises(ValueError, match="digit 10"):
        labels.label_of("svhn", 10)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("ddpm.train.lr", "1e-4", "ddpm.train.lr: '1e-4' is text; write the number without"),
        ("ddpm.train.lr", 0, "ddpm.train.lr: 0 is not allowed; should be greater than 0"),
        ("ddpm.train.lr", math.nan, "ddpm.train.lr: nan is not allowed; should be a finite"),
        ("ddpm.train.steps", 10.0, "ddpm.train.steps: 10.0 is not allowed; should be a valid int"),
        ("ddpm.train.steps", True, "ddpm.train.steps: True is not allowed"),
        ("ddpm.train.compile", "no", "ddpm.train.compile: 'no' is not allowed; should be a valid"),
        ("data.domains", ["mnistm", "svnh"], "'svnh' is not allowed; did you mean 'svhn'?"),
        ("ddpm.train.lrr", 1, "ddpm.train.lrr: unknown key (did you mean 'lr'?)"),
        ("dppm", {}, "dppm: unknown key (did you mean 'ddpm'?)"),
        (
            "ddpm.network.patch_size",
            3,
            "ddpm.network.patch_size: 3 is not allowed; should be 1, 2 or 4",
        ),
        ("ddpm.network.channel_mult", [1, "2"], "ddpm.network.channel_mult.1: '2' is text"),
        (
            "ddpm.network.channel_mult",
            [],
            "ddpm.network.channel_mult: [] is not allowed; list should have",
        ),
        (
            "ddpm.domains",
            ["usps"],
            "ddpm.domains.0: 'usps' is not allowed; known: mnistm, svhn",
        ),
        ("ddpm.domains", ["svhn", "svhn"], "is not allowed; a value is repeated"),
        ("data.train_images", None, "data.train_images: null is for real data; write how many"),
        ("data.domains", ["mnistm", "svhn"], "dann.pairs: mnistm->usps needs usps in data.domains"),
        ("ddpm.domains", ["svhn", "mnist"], "ddpm.domains.1: 'mnist' is not allowed"),
        ("data.source", "drive", "data.source: 'drive' is not allowed; should be 'synthetic', "),
        ("ddpm.guidance.scale", "2.0", "ddpm.guidance.scale: '2.0' is text"),
        ("ddpm.guidance.scale", "best", "scale: 'best' is not allowed; should be a valid"),
        ("runtime.device", "gpu", "runtime.device: 'gpu' is not allowed (auto, cpu, cuda, or"),
        ("figures", 3, "figures: should be a group of keys"),
        ("ddpm.sampling.steps", 9999, "steps: 9999 is more than ddpm.diffusion.timesteps"),
        ("ddpm.sweep.steps", [5, 9999], "ddpm.sweep.steps.1: 9999 is more than"),
        (
            "ddpm.train.warmup_steps",
            10**6,
            "ddpm.train.warmup_steps: 1000000 is not below steps",
        ),
        ("dann.pairs", ["mnistm"], "dann.pairs.0: 'mnistm' is not allowed"),
        ("dann.pairs", ["usps->usps"], "usps->usps needs two different domains"),
        ("dann.seeds", [1, 1], "is not allowed; a value is repeated"),
        ("dann.methods", ["self_training"], "source_only is missing; gains are relative to it"),
        ("dann.methods", ["source_only", "dan"], "'dan' is not allowed; did you mean 'dann'?"),
        ("dann.train.batch_size", 20, "20 is not allowed; should be a multiple of 8"),
        (
            "personalization.multi_concept.pairs",
            [{"keys": ["0", "9"], "prompts": ["a {0} and a {1}"]}],
            "pairs.0: 9 is not among personalization.concepts",
        ),
        (
            "personalization.multi_concept.pairs",
            [{"keys": ["0", "0"], "prompts": ["a {0} and a {1}"]}],
            "pairs.0: 0 is repeated; name two concepts",
        ),
        (
            "personalization.multi_concept.pairs",
            [
                {"keys": ["0", "2"], "prompts": ["a {0} and a {1}"]},
                {"keys": ["2", "0"], "prompts": ["a {0} and a {1}"]},
            ],
            "pairs.1: 2 and 0 are a pair already",
        ),
        (
            "personalization.multi_concept.pairs",
            [{"keys": ["1", "0"], "prompts": ["a {0} and a {1}"]}],
            "pairs.0: 1 is a style; name the object first",
        ),
        (
            "personalization.multi_concept.pairs",
            [{"keys": ["0", "2"], "prompts": ["a {0} and a {0}"]}],
            "should have {0} and {1} once each",
        ),
        (
            "personalization.multi_concept.pairs",
            [{"keys": ["0", "2"], "prompts": ["a {0} and a {1} {}"]}],
            "should have {0} and {1} once each",
        ),
        ("ddpm.train.p_uncond", 0, "ddpm.train.p_uncond: 0 leaves nothing to guide with"),
    ],
)
def test_row_71_a_wrong_value_is_a_one_line_error(
    tree: Any, key: str, value: Any, message: str
) -> None:
    put(tree, key, value)
    (line,) = problems(tree)
    assert line.startswith("params.yaml: ")
    assert message in line


def test_all_problems_are_reported_together(tree: Any) -> None:
    del tree["data"]["seed"]
    tree["judge"]["lr"] = "fast"
    tree["figures"]["dip"] = 3
    heading, *lines = problems(tree)
    assert heading == "params.yaml: 3 problems"
    assert [line.split(":")[0].strip() for line in lines] == [
        "data.seed",
        "judge.lr",
        "figures.dip",
    ]
    assert "missing (add it" in lines[0]


def test_every_key_rejects_a_list_of_text(tree: Any) -> None:
    for key in leaves(tree):
        broken = copy.deepcopy(tree)
        put(broken, key, ["; touch PWN $(touch PWN)"])
        assert all(key in line for line in problems(broken)), key


def test_row_70_shell_characters_are_text(tree: Any) -> None:
    tree["judge"]["course_classifier"] = "a cat; touch PWN $(x) ' \" ü.pth"
    text = "a cat; touch PWN $(x) ' \" ü.pth"
    assert params.parse(tree).judge.course_classifier == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "not valid YAML"),
        ("a: 1\na: 2\n", "line 2: not valid YAML, found duplicate key"),
        ("a: !!python/object/apply:os.system ['touch PWN']", "not valid YAML"),
        ("", "should be a group of keys"),
        ("- 1", "should be a group of keys"),
    ],
)
def test_a_file_without_parameters_is_a_one_line_error(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        params.load(path)
    assert "\n" not in str(caught.value)
    assert not (Path.cwd() / "PWN").exists()
    with pytest.raises(UserError, match=r"gone\.yaml: cannot be read"):
        params.load(tmp_path / "gone.yaml")


def test_paths_are_attributes_and_unknown_names_are_errors() -> None:
    loaded = paths.load(ROOT)
    assert loaded.digits_arrays == ROOT / "data/arrays"
    assert "ddpm_samples" in list(loaded)
    with pytest.raises(UserError, match="no path 'ddpm_modle'; did you mean 'ddpm_model'"):
        _ = loaded.ddpm_modle
    assert not hasattr(loaded, "ddpm_modle")


@pytest.mark.parametrize("value", ["/etc", "../x", 3, ""])
def test_paths_outside_the_repository_are_errors(tmp_path: Path, value: Any) -> None:
    with (tmp_path / "paths.yaml").open("w") as file:
        YAML().dump({"path": {"a": value}}, file)
    with pytest.raises(UserError, match=r"path\.a: .* is not a relative path"):
        paths.load(tmp_path)
