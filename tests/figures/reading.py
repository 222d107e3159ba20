"""Reads records and draws the report as the stage does, from a table of paths."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from hw2.config.paths import Paths
from hw2.figures import report


def read(records: ModuleType, paths: Mapping[str, Path]) -> Any:
    """Call `records.read` with the paths that it names."""
    names = inspect.signature(records.read).parameters
    return records.read(**{name: paths[name] for name in names})


def draw_report(paths: Mapping[str, Path], dpi: int = 20) -> None:
    """Run the stage `report_figs` on these records."""
    table = {name: str(path) for name, path in paths.items()}
    report.run(SimpleNamespace(dpi=dpi), Paths(table, Path()))
