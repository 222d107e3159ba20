"""Which stage reads the outputs of which, as dvc.yaml says, for diagrams.

The stage of fingerprints is left out: every other stage depends on it, so its arrows would hide the
others, which is what `dvc dag` and `snakemake --rulegraph` show.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw2.config import loader

FINGERPRINTS = "code"  # the stage that writes fingerprints
Graph = Mapping[str, Sequence[str]]
"""The name of each stage, and the sorted names of those whose outputs it reads."""


def read(path: str | Path) -> Graph:
    """The graph of the stages in the dvc.yaml at `path`, in its order.

    Raises:
        UserError: if the file is missing or is not YAML.
    """
    return of_entries((loader.read_yaml(path) or {}).get("stages") or {})


def of_entries(stages: Mapping[str, Mapping[str, Any]]) -> Graph:
    """The graph of these entries of a dvc.yaml, in their order."""
    maker = {
        _path(item): name
        for name, stage in stages.items()
        for kind in ("outs", "metrics", "plots")
        for item in stage.get(kind) or []
    }
    graph = {}
    for name, stage in stages.items():
        if name != FINGERPRINTS:
            before = {maker.get(_path(item)) for item in stage.get("deps") or []}
            graph[name] = sorted(b for b in before if b and b != FINGERPRINTS)
    return graph


def _path(item: Any) -> str:
    """The path of an entry, which is text, or a mapping from it to options."""
    return item if isinstance(item, str) else str(next(iter(item)))


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart, which GitHub and GitLab draw in a Markdown file."""
    lines = [f"    {before} --> {name}" for name in graph for before in graph[name]]
    return "\n".join(["flowchart LR", *(f"    {name}" for name in graph), *lines])


def dot(graph: Graph) -> str:
    """The graph in the language of Graphviz."""
    lines = [f"    {before} -> {name};" for name in graph for before in graph[name]]
    head = ["digraph stages {", "    rankdir=LR;", "    node [shape=box];"]
    return "\n".join([*head, *(f"    {name};" for name in graph), *lines, "}"])
