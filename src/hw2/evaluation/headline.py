"""The headline numbers of a run: the few of its measurements that two runs are compared by.

All measurements are in the records `results/details/*.json`. `HEADLINES` says which of them are
headline numbers; `collect` finds them in the records of a run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hw2.evaluation import outcomes
from hw2.evaluation.outcomes import Outcomes

ANY = "*"
ACCURACIES = ("accuracy", "acc1")
"""Keys of the shares that `outcomes` beside them are the items of."""


@dataclass(frozen=True)
class Headline:
    """A headline number, or one for each match of the wildcards in its path.

    Attributes:
        record: Name of the record, `ddpm` for `results/details/ddpm.json`.
        path: Keys of the number in the record, separated by dots; `*` stands for any key.
        name: Its name, where each `*` stands for a key that matched, in order.
        better: 1 if a higher value is better, -1 if a lower one is, 0 if neither is.
    """

    record: str
    path: str
    name: str
    better: int = 1


@dataclass(frozen=True)
class Number:
    """A headline number of one run.

    Attributes:
        name: Its dotted name.
        value: The value.
        low, high: Ends of its 95 % interval; None for a number without one.
        n: Number of observations behind it; None if the record does not say.
        better: As in `Headline`.
        outcomes: What was classified correctly; None for a number that is not such an accuracy, and
            for a record without outcomes.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    n: int | None
    better: int
    outcomes: Outcomes | None = None


HEADLINES = (
    Headline("judge", "*.accuracy", "judge.*.accuracy"),
    Headline("ddpm", "*.accuracy", "ddpm.*.accuracy"),
    Headline("ddpm", "*.precision", "ddpm.*.precision"),
    Headline("ddpm", "*.recall", "ddpm.*.recall"),
    Headline("ddpm", "*.frechet", "ddpm.*.frechet", better=-1),
    Headline("ddpm_ablation", "accuracy", "ddpm.without_dropout.accuracy"),
    Headline("dann", "*.*.accuracy", "dann.*.*.accuracy"),
    Headline("faces", "eta.1.distance", "faces.eta_1.distance", better=0),
    Headline("clip", "*.*.acc1", "clip.*.*.accuracy"),
    Headline("personalization", "stable_diffusion.sampled.alignment", "stable_diffusion.alignment"),
    Headline("personalization", "concepts.*.recognized.share", "textual_inversion.*.recognized"),
    Headline("personalization", "concepts.*.image_gain", "textual_inversion.*.image_gain"),
    Headline(
        "personalization", "multi_concept.*.custom_diffusion_joint.recognized.share",
        "multi_concept.*.recognized",
    ),
)  # fmt: skip
"""All headline numbers, in the order of tables."""


def collect(records: Mapping[str, Mapping[str, Any]]) -> list[Number]:
    """The headline numbers of a run, in the order of `HEADLINES`.

    A number that the run did not measure (a stage that its parameters switch off) is left out.

    Args:
        records: The measurements of the run by name of the record.
    """
    return [
        number
        for headline in HEADLINES
        for number in _matches(headline, records.get(headline.record, {}))
    ]


def _matches(headline: Headline, record: Mapping[str, Any]) -> Iterator[Number]:
    *parents, last = headline.path.split(".")
    for keys, inner in _inner(record, parents):
        value = inner.get(last)
        if isinstance(value, int | float):
            wildcards = iter(keys)
            name = ".".join(
                next(wildcards) if part == ANY else part for part in headline.name.split(".")
            )
            low, high, n = (inner.get(key) for key in (f"{last}_low", f"{last}_high", "n"))
            right = _outcomes(inner) if last in ACCURACIES else None
            yield Number(name, float(value), low, high, n, headline.better, right)


def _outcomes(record: Mapping[str, Any]) -> Outcomes | None:
    return outcomes.from_record(record["outcomes"]) if "outcomes" in record else None


def _inner(record: Any, parts: list[str]) -> Iterator[tuple[list[str], Mapping[str, Any]]]:
    """The mappings at `parts` of a record, each with the keys that its wildcards matched."""
    if not isinstance(record, Mapping):
        return
    if not parts:
        yield [], record
        return
    part, *rest = parts
    for key in record if part == ANY else [part]:
        for keys, inner in _inner(record.get(key), rest):
            yield ([key, *keys] if part == ANY else keys), inner


def find(record: Mapping[str, Any], path: str) -> Number | None:
    """The number at the dotted `path` of a record, or None; a key may have dots of its own."""
    if isinstance(record.get(path), int | float):
        low, high, n = (record.get(key) for key in (f"{path}_low", f"{path}_high", "n"))
        return Number(path, float(record[path]), low, high, n, 0)
    for key, inner in record.items():
        if path.startswith(f"{key}.") and isinstance(inner, Mapping):
            number = find(inner, path[len(key) + 1 :])
            if number is not None:
                return replace(number, name=path)
    return None


def to_record(numbers: Sequence[Number]) -> dict[str, Any]:
    """The numbers as a record for a JSON file; `from_record` is the inverse."""
    return {"numbers": [fields(number) for number in numbers]}


def fields(number: Number) -> dict[str, Any]:
    """The attributes of a number by name, without `outcomes` where it has none."""
    return {
        name: value
        for name, value in asdict(number).items()
        if name != "outcomes" or value is not None
    }


def from_record(record: Any) -> list[Number]:
    """The numbers of a record that `to_record` made.

    Raises:
        ValueError: if it is none.
    """
    try:
        return [_number(**fields) for fields in record["numbers"]]
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise ValueError("not a record of headline numbers") from error


def _number(outcomes: Any = None, **fields: Any) -> Number:
    return Number(**fields, outcomes=_outcomes({"outcomes": outcomes} if outcomes else {}))


def nested(numbers: Sequence[Number]) -> dict[str, Any]:
    """The values as a mapping of mappings, the form in which DVC lists metrics by dotted name."""
    tree: dict[str, Any] = {}
    for number in numbers:
        *parents, last = number.name.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = number.value
    return tree
