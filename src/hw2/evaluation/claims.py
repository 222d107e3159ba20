"""Claims about the homework's methods, and whether the measurements of a run support them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from hw2.config import loader
from hw2.evaluation.difference_interval import difference_interval
from hw2.evaluation.headline import Number, find

Text = Annotated[str, Field(min_length=1)]


class Claim(loader.Section):
    """A sentence as a comparison: `value` is higher or lower than `than`.

    `value` and `than` are dotted keys of the record; `than` may be a number instead, or a key of
    another record, `than_record`.
    """

    claim: Text
    source: Text
    record: Text
    value: Text
    relation: Literal["higher", "lower"]
    than: Text | Annotated[float, Strict(False)]
    than_record: Text | None = None


class Claims(loader.Section):
    """The content of a file of claims."""

    claims: Annotated[tuple[Claim, ...], Strict(False)]


class Verdict(StrEnum):
    """What the measurements of a run say about a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNCLEAR = "cannot tell at this n"
    NO_INTERVAL = "no interval"


@dataclass(frozen=True)
class Finding:
    """A claim, the two measurements that it compares, and the verdict."""

    claim: Claim
    value: Number
    than: Number
    verdict: Verdict


def read(path: Path) -> tuple[Claim, ...]:
    """Read a file of claims.

    Raises:
        UserError: if it is not a list of valid claims.
    """
    return loader.parse(Claims, {"claims": loader.read_yaml(path)}, str(path)).claims


def judge(claims: Sequence[Claim], records: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """The findings on all claims whose measurements the records have, in the order of the claims.

    A claim holds if the 95 % interval of the difference excludes 0 in its direction.
    """
    return [finding for claim in claims if (finding := _finding(claim, records)) is not None]


def _finding(claim: Claim, records: Mapping[str, Mapping[str, Any]]) -> Finding | None:
    value = find(records.get(claim.record, {}), claim.value)
    if isinstance(claim.than, str):
        than = find(records.get(claim.than_record or claim.record, {}), claim.than)
    else:
        than = Number("", claim.than, claim.than, claim.than, None, 0)
    if value is None or than is None:
        return None
    return Finding(claim, value, than, _verdict(claim, value, than))


def _verdict(claim: Claim, value: Number, than: Number) -> Verdict:
    interval = difference_interval(than, value)
    if interval is None:
        return Verdict.NO_INTERVAL
    sign = 1 if claim.relation == "higher" else -1
    low, high = sorted(sign * end for end in interval)
    return Verdict.HOLDS if low > 0 else Verdict.FAILS if high < 0 else Verdict.UNCLEAR
