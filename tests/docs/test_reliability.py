"""docs/reliability.md has each of its rows, and names tests that have the number of the row."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PAGE = (REPO / "docs/reliability.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)
FOUND = "## Faults that were found by use"
NUMBERED = re.compile(r"test_(?:row_((?:\d\d_)+))?(?:found_((?:\d\d_)+))?")


def existing() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in (REPO / "tests").rglob("test_*.py")]
    return set(re.findall(r"^def (test_\w+)", "\n".join(sources), re.MULTILINE))


def numbers(name: str, kind: str) -> Iterator[int]:
    """The rows in the name of a test, such as 4 and 7 in `test_row_04_07_a_rerun_resumes`."""
    match = NUMBERED.match(name)
    found = match[1 if kind == "row" else 2] if match else None
    yield from map(int, (found or "").split("_")[:-1])


@pytest.mark.parametrize(("kind", "count"), [("row", 75), ("found", 32)])
def test_every_row_names_tests_with_its_number_or_says_why_there_is_none(
    kind: str, count: int
) -> None:
    designed, found = PAGE.split(FOUND)
    rows = [match.groups() for match in ROW.finditer(designed if kind == "row" else found)]
    assert [int(number) for number, *_ in rows] == list(range(1, count + 1))
    for number, _, outcome, tests in rows:
        named = re.findall(r"`(test_\w+)`", tests)
        assert outcome.startswith("no test: ") != any(
            int(number) in numbers(name, kind) for name in named
        ), f"{kind} {number}"


def test_the_tests_that_the_page_names_exist() -> None:
    assert set(re.findall(r"`(test_\w+)`", PAGE)) <= existing()


def test_a_test_with_a_number_is_named_in_its_row() -> None:
    designed, found = PAGE.split(FOUND)
    for kind, page in (("row", designed), ("found", found)):
        rows = {int(number): tests for number, _, _, tests in ROW.findall(page)}
        for name in existing():
            for number in numbers(name, kind):
                assert f"`{name}`" in rows[number], f"{kind} {number}"
