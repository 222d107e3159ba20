"""A profile overlays the values of `demo`; writing it keeps all other values."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from hw2.config import loader, params, params_file, profiles
from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in ("params.yaml", "profiles.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path / "params.yaml"


def test_each_profile_is_valid_and_demo_restores_the_file(copied: Path) -> None:
    assert profiles.names(ROOT / "profiles.yaml") == [
        *("demo", "course", "public", "course_cpu", "pretrain", "mini")
    ]
    shipped = copied.read_text()
    for name in ("demo", "mini", "course", "public", "course_cpu", "pretrain", "demo"):
        profiles.apply(name, copied)
        assert params.load(copied).profile == name
    assert copied.read_text() == shipped


def test_each_profile_differs_from_demo_in_all_of_its_values() -> None:
    table = YAML().load(ROOT / "profiles.yaml")  # which keeps what `<<` stands for
    default = table.pop(profiles.DEFAULT)
    for name, values in table.items():
        base = default | dict(pair for merged in values.merge for pair in merged.items())
        same = [key for key, value in values.items() if value == default[key] == base[key]]
        assert same == [], name
    assert default.keys() == {key for values in table.values() for key in values}


def test_keys_outside_the_profiles_keep_their_values(copied: Path) -> None:
    profiles.set_values(copied, {"data.seed": 12345})
    profiles.apply("mini", copied)
    assert params.load(copied).data.seed == 12345
    assert params.load(copied).ddpm.train.steps < 100


def test_comments_are_generated_when_values_change(copied: Path) -> None:
    profiles.apply("mini", copied)
    assert copied.read_text() == params_file.render(loader.read_yaml(copied))


def test_an_unknown_profile_names_the_nearest(copied: Path) -> None:
    with pytest.raises(UserError, match="no profile 'dmo'; did you mean 'demo'"):
        profiles.apply("dmo", copied)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("ddpm.train.stps", 3, "no key 'ddpm.train.stps'; did you mean 'steps'"),
        ("ddpm.train.steps", "3", "is text"),
        ("profile.x", 3, "no key"),
    ],
)
def test_an_invalid_value_leaves_the_file_unchanged(
    copied: Path, key: str, value: object, message: str
) -> None:
    before = copied.read_bytes()
    with pytest.raises(UserError, match=message):
        profiles.set_values(copied, {key: value})
    assert copied.read_bytes() == before
    assert sorted(p.name for p in copied.parent.iterdir()) == ["params.yaml", "profiles.yaml"]


def test_values_of_every_kind_can_be_set(copied: Path) -> None:
    values = {
        "ddpm.train.lr": 1e-5,
        "ddpm.network.channel_mult": [1, 3],
        "judge.course_classifier": None,
        "ddpm.train.compile": True,
        "ddpm.guidance.scale": 2.0,
    }
    profiles.set_values(copied, values)
    loaded = params.load(copied)
    assert loaded.ddpm.train.lr == 1e-5
    assert loaded.ddpm.network.channel_mult == (1, 3)
    assert loaded.judge.course_classifier is None
    assert loaded.ddpm.guidance.scale == 2.0


def test_a_key_that_demo_lacks_is_an_error(copied: Path) -> None:
    table = copied.with_name("profiles.yaml")
    table.write_text("demo: {figures.dpi: 1}\nother: {data.seed: 1}\n")
    with pytest.raises(UserError, match=r"other overrides data\.seed; give demo a value"):
        profiles.names(table)


@pytest.mark.parametrize("text", ["- 1", "course: {}", "demo: {}\nother: 3"])
def test_a_file_that_is_not_a_table_of_profiles_is_an_error(copied: Path, text: str) -> None:
    table = copied.with_name("profiles.yaml")
    table.write_text(text)
    with pytest.raises(UserError, match=r"profiles\.yaml: .*should"):
        profiles.names(table)


def test_found_01_a_profile_applies_to_what_dvc_writes(copied: Path) -> None:
    # `dvc exp run -S` writes params.yaml with this function: lists become blocks.
    from dvc.utils.hydra import apply_overrides

    apply_overrides(copied, ["ddpm.train.steps=4800"])
    assert params.load(copied).ddpm.train.steps == 4800
    profiles.apply("course", copied)
    assert params.load(copied).profile == "course"
    profiles.apply("demo", copied)
    assert (copied).read_text() == (ROOT / "params.yaml").read_text()
