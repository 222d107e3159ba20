"""dvc.yaml as Snakemake rules: DVC decides what is stale, Snakemake when and where it runs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir, "src")))
from hw2.config import paths
from hw2.pipeline import dag, schedule
from hw2.pipeline.report_page import FigureTexts
from hw2.runtime.errors import UserError
from snakemake.exceptions import WorkflowError

try:
    STAGES = dag.load(check=workflow.is_main_process)
    FIGURES = paths.load().report_figs
except UserError as error:
    raise WorkflowError(str(error))

# What `snakemake --report` shows: the figures, with the texts of the page beside them.
TEXTS = FigureTexts(FIGURES / "index.html")
config["figure_texts"] = TEXTS
IN_REPORT = {
    "patterns": ["{figure}.png"],
    "category": lambda wildcards: TEXTS.of(wildcards.figure).section,
    "labels": lambda wildcards: {"figure": TEXTS.of(wildcards.figure).title},
    "caption": "workflow/report/figure.rst",
}


# Stages that can use all cores share them with another one, unless they take turns on a GPU.
AT_ONCE = schedule.at_once(workflow.cores) if workflow.local_exec else 1
SHARED = {"gpu"} if AT_ONCE > 1 else set()


# Inert without --software-deployment-method apptainer.
container: "docker://python:3.11-slim"


rule all:
    default_target: True
    input:
        [out for stage in STAGES for out in stage.outs],


for stage in STAGES:

    rule:
        name:
            stage.name
        input:
            deps=[ancient(path) for path in stage.deps],
            after=stage.after,
            run_changed=stage.run_changed,
        output:
            stage.files,
            [
                (
                    report(directory(path), **IN_REPORT)
                    if Path(path) == FIGURES
                    else directory(path)
                )
                for path in stage.folders
            ],
            touch(stage.done),
        log:
            f"logs/{stage.name}.log",  # written by the script, which also talks to the terminal
        priority: stage.priority
        retries: stage.meta.get("retries")  # None: as the profile says
        localrule: stage.meta.get("local", False)
        threads: workflow.cores // AT_ONCE if stage.meta.get("all_cores") else 1
        resources:
            **{
                name: amount
                for name, amount in stage.meta.get("resources", {}).items()
                if name not in SHARED
            },
        params:
            stage=stage.name,
            python=sys.executable,
        message:
            stage.desc
        shell:
            "exec env PYTHONPATH=src HW2_THREADS={threads}"
            " {params.python:q} -m hw2.pipeline.job {params.stage:q} $PPID"
