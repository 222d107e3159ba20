"""params.yaml and its JSON schema are generated from the schema and match it."""

import difflib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from hw2.config import loader, params, params_file, profiles
from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with copies of the two generated files."""
    (tmp_path / "docs").mkdir()
    for name in ("params.yaml", params_file.SCHEMA):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_files_match_the_schema() -> None:
    """If this fails after a change of the schema, run `hw2 params --write`."""
    params_file.check(ROOT)


def test_values_survive_and_lines_are_short(root: Path) -> None:
    before = loader.read_yaml(root / "params.yaml")
    params_file.write(root)
    assert loader.read_yaml(root / "params.yaml") == before
    lines = (root / "params.yaml").read_text().splitlines()
    assert max(len(line) for line in lines) <= params_file.WIDTH


@pytest.mark.parametrize("name", ["params.yaml", params_file.SCHEMA])
def test_an_edited_file_is_out_of_date_until_it_is_written(root: Path, name: str) -> None:
    path = root / name
    path.write_text(path.read_text() + "\n")
    with pytest.raises(UserError, match=r"out of date .*; run hw2 params --write"):
        params_file.check(root)
    params_file.write(root)
    params_file.check(root)


def test_each_leaf_has_its_description_above_or_beside_it() -> None:
    text = params_file.render(loader.read_yaml(ROOT / "params.yaml"))
    text = " ".join(text.replace("#", " ").split())
    for field in params.Ddpm.model_fields["train"].annotation.model_fields.values():  # type: ignore[union-attr]
        assert field.description in text


def test_the_json_schema_describes_keys_for_editors() -> None:
    schema = json.loads(params_file.json_schema())
    assert schema["additionalProperties"] is False
    threads = schema["$defs"]["Runtime"]["properties"]["threads"]
    assert threads["minimum"] == 0
    assert "CPU threads" in threads["description"]


@pytest.mark.parametrize("value", [{"mine": ["a {}"]}, {"mine": ["a {}"], "yours": ["{} b"]}, {}])
def test_a_mapping_of_any_length_survives_rewriting(root: Path, value: dict[str, Any]) -> None:
    profiles.set_values(root / "params.yaml", {"clip.zero_shot.custom_prompts": value})
    sets = {name: tuple(templates) for name, templates in value.items()}
    assert params.load(root / "params.yaml").clip.zero_shot.custom_prompts == sets


# Each value that is set, and the lines that differ then, without comments.
OVERRIDES = {
    "judge.steps=700": ["-  steps: 600", "+  steps: 700"],
    "data.course='my data'": ["-  course: hw2_data", "+  course: my data"],
    "judge.course_classifier=a.pth": ["-  course_classifier:", "+  course_classifier: a.pth"],
    "ddpm.domains=[svhn]": ["-  - mnistm"],
}


@pytest.mark.parametrize(("override", "changes"), OVERRIDES.items(), ids=OVERRIDES)
def test_found_01_dvc_changes_only_the_line_of_the_value_that_it_sets(
    root: Path, override: str, changes: list[str]
) -> None:
    """`dvc exp run -S` calls this function, which also writes all other values anew."""
    path = root / "params.yaml"
    before = path.read_text().splitlines()
    apply_overrides(path, [override])
    diff = list(difflib.unified_diff(before, path.read_text().splitlines(), n=0, lineterm=""))
    changed = [line for line in diff[2:] if not line.startswith("@@")]
    assert [line.partition(" #")[0].rstrip() for line in changed] == changes
    params.load(path)
