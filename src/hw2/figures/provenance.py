"""The report's last section: what the results were made from, and how to make them again."""

from hw2.figures import formatting, gantt
from hw2.figures.gantt import Bar
from hw2.figures.sections import Figure, Section, Stat, Table
from hw2.runtime.provenance import Provenance

SHOWN = 12  # digits of a hash, and files that are named
NOTHING = "none"


def section(facts: Provenance) -> Section:
    """The tables of the commit, the parameters, the data, the versions and the stage times."""
    tables = [_run(facts), _parameters(facts), _data(facts), _versions(facts)]
    return Section(
        anchor="provenance",
        title="Provenance",
        lead=(
            "What this report was made from. A checkout of the commit with the same parameters, "
            "data and versions makes the same figures on the same machine; on another processor, "
            "last digits of numbers may differ. `hw2 compare` says whether headline numbers do."
        ),
        stats=tuple(_stats(facts)),
        tables=tuple(tables + ([_seconds(facts)] if facts.seconds else [])),
        figures=_gantt(facts),
    )


def _gantt(facts: Provenance) -> tuple[Figure, ...]:
    """Where the time went; no figure unless the recorded run has starts."""
    bars = [
        Bar(stage, start, facts.seconds[stage])
        for stage, start in sorted(facts.starts.items(), key=lambda item: item[1])
        if stage in facts.seconds
    ]
    if not bars:
        return ()
    end = max(bar.start + bar.seconds for bar in bars)
    busy = sum(bar.seconds for bar in bars) / end
    longest = max(bars, key=lambda bar: bar.seconds)
    return (
        Figure(
            name="gantt.png",
            record="report_figs",
            plot=gantt.plot(bars),
            title="Where the time went",
            caption=(
                f"Each bar is a stage of the recorded run, which took {end / 60:.0f} min with "
                f"{busy:.1f} stages at the same time on average. The longest is {longest.stage}, "
                f"{longest.seconds / 60:.1f} min. Colors are capabilities."
            ),
            alt=f"A bar for each of {len(bars)} stages, from its start to its end in minutes.",
        ),
    )


def _stats(facts: Provenance) -> list[Stat]:
    total = sum(facts.seconds.values())
    stats = [
        Stat("Commit", facts.commit[:SHOWN] if facts.commit else "unknown", _modified(facts)),
        Stat("Profile", facts.profile,
             f"parameters that differ from the default: {len(facts.parameters)}"),
    ]  # fmt: skip
    if total:
        stats.append(Stat("Stages", f"{total / 60:.0f} min", "sum over stages, recorded run"))
    return stats


def _modified(facts: Provenance) -> str:
    if facts.modified is None:
        return "no Git repository"
    if not facts.modified:
        return "the last that changed a source; no source file differs from it"
    names = ", ".join(facts.modified[:SHOWN])
    more = len(facts.modified) - SHOWN
    return f"changed since: {names}" + (f" and {more} more" if more > 0 else "")


def _run(facts: Provenance) -> Table:
    return Table(
        title="Make it again",
        head=("What", "Command"),
        rows=(
            ("This page and all figures", "`snakemake --cores all results/report_figs`"),
            ("The same with DVC", "`dvc repro`"),
            ("These parameters", f"`hw2 profile {facts.profile}`"
             + (", then the values of the next table" if facts.parameters else "")),
            ("Numbers against the committed run", "`hw2 compare`"),
        ),
        note="The line under each figure computes its record again and draws the report.",
    )  # fmt: skip


def _parameters(facts: Provenance) -> Table:
    rows = tuple((item.key, item.value, item.default) for item in facts.parameters)
    return Table(
        title="Parameters that differ from the default",
        head=("Parameter", "Value", "Default"),
        rows=rows or ((NOTHING, formatting.DASH, formatting.DASH),),
        note="The default is the profile `demo`; `params.yaml` explains every parameter.",
    )


def _data(facts: Provenance) -> Table:
    rows = tuple(
        (item.path, item.md5.removesuffix(".dir")[:SHOWN], f"{item.size / 1e6:.2f} MB")
        for item in facts.data
    )
    return Table(
        title="Data and given models",
        head=("Path", "MD5 (DVC)", "Size"),
        rows=rows or ((NOTHING, formatting.DASH, formatting.DASH),),
        note=(
            "The first digits of the hashes in `dvc.lock`; that of a folder is the hash of its "
            "listing. A model of data/pretrained stands for itself by the manifest of its hashes."
        ),
    )


def _versions(facts: Provenance) -> Table:
    return Table(
        title="Machine and versions",
        head=("What", "Value"),
        rows=(
            *(("Machine", name) for name in facts.machine),
            *facts.versions.items(),
        ),
    )


def _seconds(facts: Provenance) -> Table:
    rows = sorted(facts.seconds.items(), key=lambda item: -item[1])
    return Table(
        title="Seconds by stage",
        head=("Stage", "Seconds"),
        rows=tuple((stage, f"{seconds:.1f}") for stage, seconds in rows),
        note=(
            "Of the run that `hw2 plan --record` recorded in `workflow/timings.json`, which may be "
            "that of another machine; `logs/` has the times of this one."
        ),
    )
