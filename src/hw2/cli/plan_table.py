"""The plan of a run as a table, and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from hw2.commands.doctor_finding import Finding
from hw2.pipeline.plan import Plan

Findings = Sequence[tuple[str, Finding]]
"""What the checks of all that due stages need have found, by the name of the check."""


def text(plan: Plan, findings: Findings = ()) -> str:
    """A row for each stage that is due, with its time, a line with their sum, and what is wrong."""
    if not plan.stages:
        return "all results are up to date"
    rows = [("stage", "time", "what it does")]
    rows += [(stage.name, duration(stage.seconds), stage.description) for stage in plan.stages]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [
        f"{name:<{widths[0]}}  {time:>{widths[1]}}  {what}".rstrip() for name, time, what in rows
    ]
    problems = [f.by_problem(name) for name, f in findings if f.status != "ok"]
    return "\n".join([*lines, _sum(plan), *problems])


def as_json(plan: Plan, findings: Findings = ()) -> str:
    """An object with the profile, the seconds of all stages, the stages in order and the checks.

    Seconds that were not measured are null.
    """
    return json.dumps(
        {
            "profile": plan.profile,
            "seconds": _rounded(plan.seconds),
            "stages": [
                {
                    "name": stage.name,
                    "description": stage.description,
                    "seconds": _rounded(stage.seconds),
                }
                for stage in plan.stages
            ],
            "checks": [{"name": name, **asdict(finding)} for name, finding in findings],
        },
        indent=2,
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def duration(seconds: float | None) -> str:
    """Seconds in the precision of an estimate, such as "40 s", "3 min" or "1 h 20 min"."""
    if seconds is None:
        return "not measured"
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _sum(plan: Plan) -> str:
    count = len(plan.stages)
    stages = f"{count} stage{'s' * (count > 1)} to run"
    if plan.seconds is None:
        missing = sum(stage.seconds is None for stage in plan.stages)
        of = "" if missing == count else f" for {missing} of them"
        return f"{stages}; there are no times of profile {plan.profile}{of} yet"
    if plan.seconds < 60:
        return f"{stages}: under a minute on this machine"
    return f"{stages}: about {duration(plan.seconds)} on this machine"
