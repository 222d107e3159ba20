"""One job of a grid, for Snakemake: `python -m hw2.pipeline.grid_job GRID JOB PARENT`.

PARENT is the process id of Snakemake; see `hw2.pipeline.job`.
"""

import os
import sys
from pathlib import Path

from hw2.config import grids, profiles
from hw2.io import files
from hw2.pipeline import grid_jobs, job, working_copy
from hw2.runtime.errors import UserError


def main(grid: str, name: str, parent: int) -> int:
    """Run a job of a grid below a supervisor of signals; returns the exit code."""
    return job.supervised(lambda: run(grid, name), parent)


def run(grid: str, name: str) -> int:
    """Run the stages of a job in its working copy; returns the exit code."""
    try:
        task = next(task for task in grid_jobs.jobs(grid, grids.get(grid)) if task.name == name)
        commit, sources = grid_jobs.prepared(grid)
        record = Path.cwd() / task.record
        done = {"key": task.key(sources), "commit": commit, "values": task.values}
        working_copy.refresh(task.folder, commit)
        os.chdir(task.folder)
        profiles.set_values("params.yaml", task.values)
    except UserError as error:
        print(f"{grids.FILE}: {grid}: {name}: {error}", file=sys.stderr)
        return 2
    code = job.repro(*task.stages)
    if code == 0:
        files.write_json(record, done)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
