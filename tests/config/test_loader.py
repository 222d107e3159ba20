"""YAML that the library fails on in ways of its own is refused in one line."""

from pathlib import Path

import pytest

from hw2.config import loader
from hw2.runtime.errors import UserError

VALUES = ["2026-13-45", '!!int "x"', "9" * 5000, "!!float x", "!!bool x", "[" * 1000]
NAMES = ["date", "int", "digits", "float", "bool", "nesting"]


@pytest.mark.parametrize("value", VALUES, ids=NAMES)
def test_found_22_a_value_that_cannot_be_read_is_one_line(tmp_path: Path, value: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"seed: {value}\n")
    with pytest.raises(UserError) as caught:
        loader.read_yaml(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: not valid YAML, ")
    assert "\n" not in message
    assert len(message) < len(str(path)) + 200


@pytest.mark.parametrize("value", VALUES, ids=NAMES)
def test_found_22_such_a_value_of_the_command_line_is_text(value: str) -> None:
    assert loader.read_value(value) == value
