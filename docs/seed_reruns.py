"""Measure how often `hw2 compare` calls a rerun different that differs in its seeds only.

Run `python docs/seed_reruns.py FOLDER` in the repository's root. It runs the stages of a profile in
one process, once with the seeds of params.yaml and then with other ones; those of data and shapes
stay, so that all runs have the same test images. Every rerun is then compared with the first run,
without and with the spread between trainings, which is measured on the remaining runs: neither of
the two that are compared. FOLDER keeps the runs; a run that is there already is not repeated.
"""

import argparse
import importlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hw2.cli.argument_types import key_value
from hw2.commands.compare import FAILURES, store
from hw2.config import loader, params, paths, profiles
from hw2.evaluation import headline, training_spread
from hw2.evaluation.comparison import compare
from hw2.evaluation.headline import Number
from hw2.io import files
from hw2.pipeline import binding, declared
from hw2.runtime import device

LEFT_OUT = ("code", "dann_tsne", "headline", "report_figs")  # without a headline number
SAME_DATA = ("data", "shapes")
STEP = 100  # between the seeds of two runs


def main() -> None:
    """Run the stages with every set of seeds, and print how many numbers differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the runs")
    parser.add_argument("--runs", type=int, default=6, help="number of runs (default 6)")
    parser.add_argument("--profile", default="mini", help="profile (default mini)")
    parser.add_argument("--set", nargs="*", type=key_value, default=[], metavar="KEY=VALUE",
                        help="further values of parameters")  # fmt: skip
    parser.add_argument("--stages", nargs="*", help="stages to run (default: all that matter)")
    parser.add_argument("--record", action="store_true",
                        help="store the spread between trainings for the profile")  # fmt: skip
    options = parser.parse_args()
    stages = options.stages or [
        name for name in loader.read_yaml(declared.DVC_FILE)["stages"] if name not in LEFT_OUT
    ]
    for k in range(options.runs):
        _run(options.folder / str(k), options.profile, dict(options.set), stages, k)
    runs = [_numbers(options.folder / str(k)) for k in range(options.runs)]
    _report(runs)
    if options.record:
        store(options.profile, training_spread.measure(runs))


def _run(
    root: Path, profile: str, values: Mapping[str, Any], stages: Sequence[str], k: int
) -> None:
    """Run the stages of run k that are not done yet, with artifacts below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("params.yaml", profiles.FILE):
        (root / name).write_bytes(Path(name).read_bytes())
    profiles.apply(profile, root / "params.yaml", values)
    seeds = dict(_seeds(loader.read_yaml(root / "params.yaml"), k * STEP))
    profiles.set_values(root / "params.yaml", seeds)
    settings, table = params.load(root / "params.yaml"), paths.load()
    artifacts = {name: root / getattr(table, name) for name in table}
    artifacts |= {name: getattr(table, name) for name in table if name.startswith("pretrained")}
    for stage in stages:
        done = root / f"{stage}.done"
        if not done.exists():
            _run_stage(stage, settings, SimpleNamespace(**artifacts))
            done.touch()


def _run_stage(stage: str, settings: params.Params, artifacts: Any) -> None:
    """Call a stage's function as the pipeline does."""
    function = importlib.import_module(f"hw2.stages.{stage}").run
    declaration = declared.read(stage)
    device.use_threads(settings.runtime.threads)
    context = {
        "device": device.choose(settings.runtime.device),
        "checkpoints": artifacts.checkpoints / stage,
    }
    function(
        **binding.arguments(
            function,
            declaration,
            declared.restrict_params(settings, declaration),
            declared.restrict_paths(artifacts, declaration),
            context.__getitem__,
        )
    )


def _seeds(tree: Mapping[str, Any], shift: int, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The shifted seeds of a tree of parameters by dotted key."""
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name not in SAME_DATA:
            yield from _seeds(value, shift, f"{name}.")
        elif key == "seed":
            yield name, value + shift
        elif key == "seeds":
            yield name, [seed + shift for seed in value]


def _numbers(root: Path) -> list[Number]:
    details = (root / paths.load().headline_details).parent
    return headline.collect({path.stem: files.read_json(path) for path in details.glob("*.json")})


def _report(runs: Sequence[list[Number]]) -> None:
    """Print how many numbers `hw2 compare` calls different: of each rerun from the first run."""
    names = [number.name for number in runs[0]]
    varying = sum(len({_value(run, name) for run in runs}) > 1 for name in names)
    print(f"{len(names)} headline numbers, of which {varying} are not the same in all runs")
    for title, outcomes, spread in (
        ("independent items", False, False),
        ("paired items", True, False),
        ("paired items and the spread of the other runs", True, True),
    ):
        differ: Counter[str] = Counter()
        for k in range(1, len(runs)):
            others = [run for j, run in enumerate(runs) if j not in (0, k)]
            first, rerun = (
                run if outcomes else _without_outcomes(run) for run in (runs[0], runs[k])
            )
            known = training_spread.measure(others) if spread else {}
            for difference in compare(first, rerun, known):
                differ[difference.name] += difference.verdict in FAILURES["different"]
        total = len(names) * (len(runs) - 1)
        share = 100 * differ.total() / max(total, 1)
        named = "".join(f"; {name}: {n}" for name, n in sorted(differ.items()) if n)
        print(f"{title}: {differ.total()} of {total} differ ({share:.1f} %){named}")


def _value(run: Sequence[Number], name: str) -> float | None:
    return next((number.value for number in run if number.name == name), None)


def _without_outcomes(run: Sequence[Number]) -> list[Number]:
    return [replace(number, outcomes=None) for number in run]


if __name__ == "__main__":
    main()
