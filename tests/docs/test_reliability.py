"""docs/reliability.md has each of its 75 rows, and names tests that exist."""

import re
from pathlib import Path

REPO = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)


def test_every_row_names_tests_that_exist_or_says_why_there_is_none() -> None:
    text = (REPO / "docs/reliability.md").read_text(encoding="utf-8")
    rows = [match.groups() for match in ROW.finditer(text)]
    assert [int(number) for number, *_ in rows] == list(range(1, 76))
    sources = [path.read_text(encoding="utf-8") for path in (REPO / "tests").rglob("test_*.py")]
    existing = set(re.findall(r"^def (test_\w+)", "\n".join(sources), re.MULTILINE))
    for number, _, outcome, tests in rows:
        named = set(re.findall(r"`(test_\w+)`", tests))
        assert named <= existing, f"row {number}: {named - existing}"
        assert named or outcome.startswith("no test: "), f"row {number}"
