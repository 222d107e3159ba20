"""A grid of experiments, each job in a working copy of its own (docs/cluster.md).

snakemake --snakefile workflow/grid.smk --config grid=guidance
"""

import sys
from pathlib import Path

ROOT = Path(workflow.basedir).parent
sys.path.insert(0, str(ROOT / "src"))
from hw2.config import grids, paths
from hw2.pipeline import grid_jobs
from hw2.runtime.errors import UserError
from snakemake.exceptions import WorkflowError

NAME = config.get("grid", "")


try:
    JOBS = grid_jobs.jobs(NAME, grids.get(NAME))
    if workflow.is_main_process:
        grid_jobs.prepare(NAME, JOBS)
except UserError as error:
    raise WorkflowError(f"--config grid={NAME}: {error}")

TABLES = paths.load().grids
RECORDS = {job.name: str(job.record) for job in JOBS}


# Inert without --software-deployment-method apptainer.
container: "docker://python:3.11-slim"


# All records, because `hw2 grid NAME --table` may have made the table of some of them.
rule all:
    default_target: True
    input:
        list(RECORDS.values()),
        [f"{TABLES}/{NAME}.csv", f"{TABLES}/{NAME}.md"],


rule table:
    input:
        list(RECORDS.values()),
    output:
        [f"{TABLES}/{NAME}.csv", f"{TABLES}/{NAME}.md"],
    log:
        f"logs/grids/{NAME}/table.log",
    localrule: True
    params:
        grid=NAME,
        python=sys.executable,
    message:
        "Collect the table of the grid"
    shell:
        "exec env PYTHONPATH=src {params.python:q} -m hw2.cli grid {params.grid:q} --table > {log:q} 2>&1"


for job in JOBS:

    rule:
        name:
            job.name
        input:
            [RECORDS[name] for name in job.after],
        output:
            str(job.record),
        log:
            f"logs/grids/{NAME}/{job.name}.log",
        threads: int(config.get("threads", 1))
        resources:
            **job.resources,
        params:
            grid=NAME,
            job=job.name,
            python=sys.executable,
        message:
            f"{NAME}: {job.name}: {', '.join(job.stages)}"
        shell:
            "exec env PYTHONPATH=src HW2_THREADS={threads}"
            " {params.python:q} -m hw2.pipeline.grid_job {params.grid:q} {params.job:q} $PPID"
            " > {log:q} 2>&1"
