"""docs/claims.yaml is valid, and the committed run can judge all of it."""

import json
from pathlib import Path

from hw2.evaluation import claims

REPO = Path(__file__).parents[2]


def test_the_committed_run_has_a_verdict_for_each_claim() -> None:
    stated = claims.read(REPO / "docs/claims.yaml")
    assert len({claim.claim for claim in stated}) == len(stated) >= 16
    details = {
        path.stem: json.loads(path.read_text())
        for path in (REPO / "results/details").glob("*.json")
    }
    assert [finding.claim for finding in claims.judge(stated, details)] == list(stated)
