"""Check and measure this package on a GPU, in at most nine minutes on an H100.

    python benchmarks/gpu.py [--device cuda] [--out benchmarks] [--minutes 9]
    python benchmarks/gpu.py --device cpu --tiny --out FOLDER      # the script itself, in seconds

Writes `gpu.json` and `gpu.md` into `--out`, with the name of the device:

checks      small trainings, samplers and networks on the device against the CPU in fp32, within
            tolerances, in fp32 (TF32 on a GPU), bf16 and fp16
ceilings    the rates of a large matrix product and of a large convolution
workloads   the course's models at full size with random weights: images per second, peak memory,
            and the share of the ceilings: the time that their operations would take at the
            ceilings, relative to the time measured

Each step may fail alone: its error becomes its result, and the exit code is 1. A step that would
start after `--minutes` is left out. Without a GPU nothing is written, and the exit code is 2.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from gpu_checks import CHECKS, check, precisions
from gpu_workloads import WORKLOADS, Bench, parameters
from measure import Ceilings, ceilings

from hw2.io import files
from hw2.io.atomic import atomic_path
from hw2.runtime import device as devices
from hw2.runtime.errors import UserError

COLUMNS = ("images_per_second", "seconds", "peak_gib", "share_of_ceiling")


def main() -> int:
    """Run all steps and write what they found; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--tiny", action="store_true", help="small sizes, to test the script")
    options = parser.parse_args()
    try:
        device = devices.choose(options.device)
    except UserError as error:
        print(f"gpu.py: {error}", file=sys.stderr)
        return 2
    devices.use_tensor_cores(device)
    results = dict(_results(device, options.tiny, time.monotonic() + 60 * options.minutes))
    record = {"device": _name(device), "torch": torch.__version__, "tiny": options.tiny, **results}
    files.write_json(options.out / "gpu.json", record)
    with atomic_path(options.out / "gpu.md") as temporary:
        temporary.write_text(markdown(record), encoding="utf-8")
    failed = [row for part in results.values() for row in part.values() if not _passed(row)]
    print(f"{record['device']}: {len(failed)} step(s) failed; see {options.out / 'gpu.md'}")
    return int(bool(failed))


def _results(
    device: torch.device, tiny: bool, deadline: float
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The results of each part, by name of the step."""
    mini = parameters("mini")

    def all_of(steps: dict[str, Callable[[], dict[str, Any]]]) -> dict[str, Any]:
        return {name: _attempt(name, step, deadline) for name, step in steps.items()}

    yield (
        "checks",
        all_of(
            {
                f"{name}, {precision}": lambda n=name, p=precision: check(n, p, device, mini)  # type: ignore[misc]
                for precision in precisions(device)
                for name in CHECKS
            }
        ),
    )
    measured = all_of(
        {
            precision: lambda p=precision: vars(ceilings(device, p, tiny=tiny))  # type: ignore[misc]
            for precision in precisions(device)
        }
    )
    yield "ceilings", measured
    rates = {p: Ceilings(**row) for p, row in measured.items() if _passed(row)}
    bench = Bench(device, mini if tiny else parameters("course"), rates, tiny)
    yield (
        "workloads",
        all_of({name: lambda w=work: w(bench) for name, work in WORKLOADS.items()}),  # type: ignore[misc]
    )


def _attempt(name: str, step: Callable[[], dict[str, Any]], deadline: float) -> dict[str, Any]:
    """What a step returns, or its error in one line."""
    if time.monotonic() > deadline:
        return {"skipped": "no time was left"}
    print(name, flush=True)
    try:
        return step()
    except Exception as error:  # a benchmark goes on: each step may fail alone
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}


def _passed(row: dict[str, Any]) -> bool:
    return row.get("within", True) and not isinstance(row.get("error"), str)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def markdown(record: dict[str, Any]) -> str:
    """The results as tables."""
    size = ", at small sizes that say nothing about speed" if record["tiny"] else ""
    lines = [f"# {record['device']}, PyTorch {record['torch']}{size}", ""]
    lines += ["Made by `python benchmarks/gpu.py`, whose first lines define the columns.", ""]
    lines += ["| check | error | tolerance | |", "|---|---|---|---|"]
    for name, row in record["checks"].items():
        passed = "within" if _passed(row) else "**outside**"
        shown = [_cell(row.get("error")), _cell(row.get("tolerance")), row.get("skipped", passed)]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    lines += ["", "| ceiling | product, TFLOP/s | convolution, TFLOP/s |", "|---|---|---|"]
    for name, row in record["ceilings"].items():
        rates = [_cell(row.get(k, 0) / 1e12) for k in ("product", "convolution")]
        lines.append(f"| {name} | {' | '.join(rates)} |")
    head = ["workload", "precision", "images/s", "seconds", "peak GiB", "share of ceilings"]
    lines += ["", f"| {' | '.join(head)} |", "|---|" + "---|" * (len(head) - 1)]
    for name, row in record["workloads"].items():
        note = row.get("skipped") or row.get("error") or row["precision"]
        lines.append(f"| {name} | {note} | {' | '.join(_cell(row.get(c)) for c in COLUMNS)} |")
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
