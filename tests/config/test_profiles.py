"""A profile is a column of profiles.yaml; writing it keeps comments and layout."""

import shutil
from pathlib import Path

import pytest

from hw2.config import params, profiles
from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in ("params.yaml", "profiles.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path / "params.yaml"


def test_each_profile_is_valid_and_all_lead_back(copied: Path) -> None:
    assert profiles.names(ROOT / "profiles.yaml") == ["embedded", "course", "course_cpu", "mini"]
    profiles.apply("embedded", copied)
    first = copied.read_text()
    for name in ("mini", "course", "embedded"):
        profiles.apply(name, copied)
        assert params.load(copied).profile == name
    assert copied.read_text() == first


def test_comments_survive_in_their_places(copied: Path) -> None:
    def comments() -> list[str]:
        return [line.partition("#")[2] for line in copied.read_text().splitlines()]

    before = comments()
    profiles.apply("mini", copied)
    assert comments() == before
    assert params.load(copied).ddpm.train.steps < 100


def test_an_unknown_profile_names_the_nearest(copied: Path) -> None:
    with pytest.raises(UserError, match="no profile 'embeded'; did you mean 'embedded'"):
        profiles.apply("embeded", copied)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("ddpm.train.stps", 3, "no key 'ddpm.train.stps'; did you mean 'steps'"),
        ("ddpm.train.steps", "3", "is text"),
        ("profile.x", 3, "no key"),
    ],
)
def test_a_refused_value_leaves_the_file(copied: Path, key: str, value: object, said: str) -> None:
    before = copied.read_bytes()
    with pytest.raises(UserError, match=said):
        profiles.set_values(copied, {key: value})
    assert copied.read_bytes() == before
    assert sorted(p.name for p in copied.parent.iterdir()) == ["params.yaml", "profiles.yaml"]


def test_values_of_every_kind_can_be_set(copied: Path) -> None:
    values = {
        "ddpm.train.lr": 1e-5,
        "ddpm.network.mult": [1, 3],
        "judge.course_classifier": None,
        "ddpm.train.compile": True,
        "guidance.weight": 2.0,
    }
    profiles.set_values(copied, values)
    found = params.load(copied)
    assert found.ddpm.train.lr == 1e-5
    assert found.ddpm.network.mult == (1, 3)
    assert found.judge.course_classifier is None
    assert found.guidance.weight == 2.0
    assert "course_classifier: null" in copied.read_text()


def test_a_row_without_a_profile_is_named(copied: Path) -> None:
    table = copied.with_name("profiles.yaml")
    table.write_text("figures.dpi: {a: 1, b: 2}\ndata.seed: {a: 1}\n")
    with pytest.raises(UserError, match=r"data\.seed should have a value for each of a, b"):
        profiles.names(table)
