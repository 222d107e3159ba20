"""The row of what the workflow tools cost for each stage."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ceilings import of_processes
from comparison import OURS, Comparison, Contender, Settings

from rows import tiny_dag

DVC, SNAKEMAKE = "DVC alone", "Snakemake alone"


@contextmanager
def overhead(settings: Settings) -> Iterator[Comparison]:
    """Stages that do nothing, through both tools."""
    count = settings.size(25, 2)
    with TemporaryDirectory() as name:
        folder = Path(name, "dag")
        tiny_dag.make(folder, count)

        def contender(run: Callable[[Path], None]) -> Contender:
            def from_nothing() -> None:
                tiny_dag.forget(folder)
                run(folder)

            return Contender(from_nothing, count, prepare=lambda: None)

        yield Comparison(
            title="The tools around a stage",
            unit="stage",
            contenders={
                OURS: contender(tiny_dag.ours),
                DVC: contender(tiny_dag.dvc),
                SNAKEMAKE: contender(tiny_dag.snakemake),
            },
            ceilings=of_processes(1),
            equal=f"{count} stages that do nothing, from nothing to done, one at a time. Ours is"
            " `snakemake` with our Snakefile, whose every job is `dvc repro` of one stage.",
            reasons={
                DVC: "`dvc repro` runs all stages in one process; our Snakefile starts DVC for each"
                " stage, so that Snakemake may run stages side by side or on a cluster while"
                " DVC's records stay right. `dvc repro` works on the same stages, at this cost.",
                SNAKEMAKE: "It compares file times and starts a shell for each stage. Ours also"
                " asks DVC, which compares contents, keeps them in its cache and restores them.",
            },
        )
