"""The command for grids of experiments."""

import argparse

from hw2.cli.command_list import CommandList
from hw2.config import grids, paths


def add_commands(commands: CommandList) -> None:
    """Add the command of this group."""
    commands.group("grids of experiments")
    grid = commands.add(
        "grid",
        "list the grids of grids.yaml, queue the runs of one, or collect its table",
        _grid,
        "hw2 grid",
        "snakemake --snakefile workflow/grid.smk --config grid=guidance",
        "hw2 grid guidance --table",
        "hw2 grid guidance --queue",
        "hw2 grid guidance --table --experiments",
    )
    grid.add_argument("name", nargs="?", metavar="NAME", help="a grid (default: list them)")
    grid.add_argument(
        "--table", action="store_true",
        help="write the table of the runs that are complete; Snakemake does so at the end",
    )  # fmt: skip
    grid.add_argument(
        "--experiments", action="store_true", help="collect experiments of DVC instead"
    )  # fmt: skip
    grid.add_argument(
        "--queue", action="store_true",
        help="queue the runs as experiments of DVC, which `dvc queue start` runs",
    )  # fmt: skip


def _grid(options: argparse.Namespace) -> None:
    if options.name is None:
        for name, grid in grids.read().items():
            print(f"{name}: {grid.description}; {grid.count} runs")
        return
    from hw2.commands import grid as command
    from hw2.pipeline import grid_jobs

    grid = grids.get(options.name)
    everything = grid_jobs.jobs(options.name, grid)  # checks the stages and keys
    if options.queue:
        count = command.queue(options.name, grid)
        print(f"{count} experiments queued; `dvc queue start --jobs 2` runs two at a time")
        return
    if not options.table:
        for job in everything:
            state = "done" if job.record.exists() else "to do"
            print(f"{state:<6} {job.name}: {', '.join(job.stages)}")
        return
    if options.experiments:
        runs = command.from_experiments(
            options.name, grid, {path for job in everything for path in job.details}
        )
    else:
        runs = command.from_records(grid_jobs.complete(grid, everything))
    cells = command.table(options.name, grid, runs)
    csv, markdown = command.write(paths.load().grids, options.name, grid, cells)
    print(f"{csv} and {markdown}: {len(runs)} of {grid.count} runs")
