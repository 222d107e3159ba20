"""Reads records and draws the report as the stage does, from a table of paths."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from hw2.config.paths import Paths
from hw2.figures import report
from hw2.runtime.provenance import Changed, Data, Provenance


def read(records: ModuleType, paths: Mapping[str, Path]) -> Any:
    """Call `records.read` with the paths that it names."""
    names = inspect.signature(records.read).parameters
    return records.read(**{name: paths[name] for name in names})


def provenance(paths: Mapping[str, Path]) -> Provenance:
    """Made-up facts about a run of which `paths` are the artefacts."""
    return Provenance(
        commit="0123456789abcdef0123",
        modified=(),
        profile="demo",
        parameters=(Changed("ddpm.train.steps", "10", "20"),),
        data=(Data("data/digits.zip", "89abcdef0123", 1_500_000),),
        versions={"Python": "3.11"},
        machine=("a processor, 2 core(s)",),
        seconds={"ddpm_train": 61.5, "ddpm_sample": 2.25},
        starts={},
        producers={name: f"maker_of_{name}" for name in paths},
    )


def draw_report(paths: Mapping[str, Path], dpi: int = 20) -> None:
    """Run the stage `report_figs` on these records."""
    table = {name: str(path) for name, path in paths.items()}
    report.run(SimpleNamespace(dpi=dpi), Paths(table, Path()), provenance(paths))
