"""Measure this package against what its users would take instead, in at most an hour on two cores.

    pip install -e '.[benchmarks]'             # the peers; a missing one is reported as missing
    python benchmarks/run.py                   # all rows; interrupted, it goes on where it stopped
    python benchmarks/run.py --only ddpm-step --only tsne      # measure these anew
    python benchmarks/run.py --quick --out FOLDER --only tsne  # small sizes, to test the suite

Writes `results.json`, `results.md` and `results.png` into --out after each row. Contenders of a row
do the same work with the same number of threads, in rounds that alternate between them. A row that
results.json holds already, measured with the same settings on the same machine, is kept, unless
--only names it or --fresh is given. A row that would begin after --minutes is left out.
"""

import argparse
import os
import sys
import time
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import comparison
import report
import torch
from comparison import ROOT, Comparison, Settings

from hw2 import rng
from hw2.io import files
from hw2.runtime import device
from hw2.runtime.errors import Interrupted

ROWS = {
    "ddpm-step": "rows.ddpm.step",
    "ddpm-same-network": "rows.ddpm.same_network",
    "ddpm-equal-steps": "rows.ddpm.equal_steps",
    "ddpm-own-steps": "rows.ddpm.own_steps",
    "dann-input": "rows.dann.input_pipeline",
    "dann-epoch": "rows.dann.epoch",
    "clip-images": "rows.clip.images",
    "clip-sweep": "rows.clip.sweep",
    "inversion-step": "rows.personalization.step",
    "inversion-images": "rows.personalization.images",
    "faces": "rows.faces.ddim",
    "reading": "rows.reading.packed",
    "tsne": "rows.tsne.embedding",
    "start-up": "rows.processes.start_up",
    "workflow": "rows.workflow.overhead",
    "growth-images": "rows.growth.images",
    "growth-steps": "rows.growth.steps",
    "growth-classes": "rows.growth.classes",
    "growth-stages": "rows.growth.stages",
}
"""The rows in the order of their value, and the function of each."""


def main() -> int:
    """Measure the rows and write the results; returns the exit code."""
    arguments = _arguments()
    threads = device.use_threads(arguments.threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of the processes that rows start
    settings = Settings(
        arguments.quick, threads, 1 if arguments.quick else arguments.rounds,
        arguments.row_seconds, arguments.course,
    )  # fmt: skip
    path = arguments.out / "results.json"
    record = _resumed(path, settings, fresh=arguments.fresh)
    end = time.monotonic() + 60 * arguments.minutes
    for name in arguments.only or ROWS:
        if name in record["rows"] and not arguments.only:
            continue
        if time.monotonic() > end:
            print(f"{name}: left out, because {arguments.minutes:g} minutes are over", flush=True)
            continue
        try:
            row = _row(name, settings)
        except (Interrupted, KeyboardInterrupt):
            print(f"{name}: interrupted; the same command goes on with it", file=sys.stderr)
            return 130
        record["rows"][name] = row
        record["rows"] = {name: record["rows"][name] for name in ROWS if name in record["rows"]}
        record["not_measured"] = [name for name in ROWS if name not in record["rows"]]
        arguments.out.mkdir(parents=True, exist_ok=True)
        files.write_json(path, record)
        report.write(record, arguments.out)
        print(f"{name}: {report.line(row)}", flush=True)
    failed = [name for name, row in record["rows"].items() if "error" in row]
    return int(bool(failed))


def _row(name: str, settings: Settings) -> dict[str, Any]:
    """The record of a row; that of one that fails is its error."""
    module, _, function = ROWS[name].rpartition(".")
    torch.manual_seed(rng.derive(0, "benchmark", name))  # peers draw from the global stream
    load = os.getloadavg()[0]
    try:
        made = getattr(import_module(module), function)(settings)
        with made if hasattr(made, "__enter__") else nullcontext(made) as row:
            record = (
                comparison.measured(row, settings) if isinstance(row, Comparison) else dict(row)
            )
    except Interrupted:
        raise
    except Exception as error:  # peers raise many exception types
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return {"title": name, "error": message[:300]}
    return {**record, "load_before": round(load, 1)}


def _resumed(path: Path, settings: Settings, *, fresh: bool) -> dict[str, Any]:
    """The results to go on with: those of the file if they were measured in the same way."""
    head = {
        "machine": report.machine(),
        "quick": settings.quick,
        "threads": settings.threads,
        "torch": torch.__version__,
    }
    if path.is_file() and not fresh:
        record: dict[str, Any] = files.read_json(path)
        differing = [key for key, value in head.items() if record.get(key) != value]
        if not differing:
            passed = {name: row for name, row in record["rows"].items() if "error" not in row}
            return {**record, "rows": passed}
        print(f"{path}: other {', '.join(differing)}; all rows are measured anew", file=sys.stderr)
    return {**head, "rows": {}, "not_measured": []}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=ROWS, metavar="ROW", help=str([*ROWS]))
    parser.add_argument("--quick", action="store_true", help="small sizes, a single round")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--threads", type=int, default=1, help="of each contender; 0: all cores")
    parser.add_argument("--rounds", type=int, default=5, help="of a row, at most")
    parser.add_argument(
        "--row-seconds", type=float, default=120, help="after these, a row begins no third round"
    )
    parser.add_argument("--minutes", type=float, default=58)
    parser.add_argument("--course", type=Path, help="the course's hw2_data, to read its digits")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
