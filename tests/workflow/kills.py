"""Kill the pipeline at random instants, and check what is left and what the next run makes of it.

    python tests/workflow/kills.py FOLDER --kills 250 --minutes 60

Each kill makes one stage of a finished run of the profile `mini` due again, runs it, sends a signal
at a random instant, or when DVC has just begun to write one of its own files, and runs it again.
The kills are numbered and each is drawn from its number; another call does those that are not in
FOLDER/kills.jsonl yet. Calls with `--part 1/2` and `--part 2/2` share the work, each on a copy of
its own. At the end, a table of all kills is printed.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import FileLock
from ruamel.yaml import YAML
from scratch import HANG, SITE_CACHE, Done, Scratch, kill_all, of_working_tree, once, processes

from hw2.config import params, paths
from hw2.pipeline import declared, lock_backup

# One stage of each kind of work: packing, training, sampling and drawing.
STAGES = ("digits_pack", "ddpm_train", "ddpm_sample", "report_figs")
# A training of seconds, so that kills hit it between and in its saves.
PARAMETERS = {"ddpm.train.steps": 80, "ddpm.train.save_every": 10}
TOOLS = ("snakemake", "dvc", "bare")
WRITTEN_BY_DVC = ("dvc.lock", ".dvc/tmp/rwlock")
_PUT_BACK = "finished before, but DVC was stopped"  # in the message of `pipeline.runner`


@dataclass(frozen=True)
class Kill:
    """What is killed, how and when.

    Attributes:
        aim: A file that DVC writes, whose change is waited for; empty for any instant.
        fraction: The instant, as a fraction of the time that the command takes; where there is an
            aim, of a tenth of a second after the change.
        group: Whether all processes get the signal, as from a terminal, or only the first one.
        next_tool: What runs the stage again.
    """

    number: int
    tool: str
    stage: str
    signal: str
    aim: str
    fraction: float
    group: bool
    next_tool: str

    @classmethod
    def drawn(
        cls,
        number: int,
        stages: Sequence[str] = STAGES,
        tools: Sequence[str] = TOOLS,
        aim_every: int = 5,
    ) -> "Kill":
        """The kill of this number, of one of these stages and tools; some are aimed."""
        stream = random.Random(number)
        aim = WRITTEN_BY_DVC[number // aim_every % 2] if number % aim_every == 0 else ""
        tool = stream.choice([tool for tool in tools if tool != "bare"] if aim else tools)
        return cls(
            number,
            tool,
            stream.choice(stages),
            stream.choice(("SIGKILL", "SIGKILL", "SIGTERM", "SIGINT")),
            aim,
            stream.random(),
            stream.random() < 0.5,
            tool if tool == "bare" else stream.choice(TOOLS[:2]),
        )


@dataclass
class Outcome:
    """What a kill left, and what became of it.

    Attributes:
        save_every: Steps between two saves of the training.
        ended_before: The command was done before the signal.
        corrupt: Outputs that existed after the kill with other bytes than those of the reference.
        damaged: Files of DVC that the kill left incomplete.
        stuck: Why the next run did not succeed, or empty.
        lost_steps: Steps of the training beyond those that the next run resumed from.
        put_back: The stage had finished, but was not recorded, and its outputs were put back.
        repeated: The same, and it ran again. A bare script always runs.
        differs: Outputs of the next run with other bytes than those of the reference.
    """

    kill: Kill
    save_every: int
    ended_before: bool = False
    corrupt: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    stuck: str = ""
    lost_steps: int = 0
    put_back: bool = False
    repeated: bool = False
    differs: list[str] = field(default_factory=list)

    @property
    def is_fault(self) -> bool:
        lost = self.lost_steps > self.save_every
        return bool(self.corrupt or self.stuck or self.differs or self.repeated or lost)


class Bench:
    """A workspace in which one stage after the other is killed.

    Args:
        reference: A finished run that nobody stopped; it stays as it is.
        root: Where the workspace is made, a copy of it.
    """

    def __init__(self, reference: Scratch, root: Path) -> None:
        self._reference, self._root = reference, root
        self._save_every = params.load(reference.root / "params.yaml").ddpm.train.save_every
        self._seconds: dict[tuple[str, str], float] = {}
        self._paths = paths.load(reference.root)
        self._work = self._fresh()

    def run(self, kill: Kill, seconds: float | None = None) -> Outcome:
        """Do one kill; `seconds` is how long its command takes, by default as it took last."""
        outcome = Outcome(kill, self._save_every)
        self._make_due(kill.stage)
        if seconds is None:
            seconds = self._measured(kill)
        text = self._killed(kill, seconds, outcome)
        outcome.corrupt = self._other_than_reference(kill.stage, missing=False)
        outcome.damaged = [name for name in WRITTEN_BY_DVC if not self._is_sound(name)]
        self._rerun(kill, text, outcome)
        if outcome.stuck or outcome.differs:
            self._work = self._fresh()
        return outcome

    def _fresh(self) -> Scratch:
        shutil.rmtree(self._root, ignore_errors=True)
        return self._reference.copy(self._root)

    def _make_due(self, stage: str) -> None:
        """Leave everything as if all but this stage had run."""
        root = self._work.root
        for path in self._outputs(stage):
            shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink(True)
        # The reference keeps its own: the paths of `self._paths` lie there.
        checkpoints = self._paths.checkpoints.relative_to(self._reference.root)
        for rest in (checkpoints, ".dvc/cache/runs", lock_backup.FOLDER):
            shutil.rmtree(root / rest, ignore_errors=True)
        yaml = YAML(typ="safe")
        lock = yaml.load(self._reference.root / "dvc.lock")
        del lock["stages"][stage]
        yaml.dump(lock, root / "dvc.lock")

    def _outputs(self, stage: str) -> list[Path]:
        entry = declared.entry(stage, self._reference.root / declared.DVC_FILE)
        found = declared.files(entry, self._paths, declared.OUTPUTS)
        return [path.relative_to(self._reference.root) for path in found]

    def _command(self, tool: str, stage: str) -> list[str]:
        if tool == "bare":
            command = [sys.executable, f"workflow/scripts/{stage}.py"]
        else:
            command = self._work.tool(tool, stage, str(self._outputs(stage)[0]))
        return ["env", "HW2_LOG_SECONDS=0", f"PYTHONPATH={self._root / 'src'}", *command]

    def _measured(self, kill: Kill) -> float:
        """Seconds of the last uninterrupted run; other programs may slow the machine down."""
        key = (kill.tool, kill.stage)
        if key not in self._seconds:
            done = self._timed(*key)
            assert done.code == 0, done.text
            self._make_due(kill.stage)
        return self._seconds[key]

    def _timed(self, tool: str, stage: str) -> Done:
        """Run the stage to its end, and note its time unless it had less to do than usual."""
        began = time.monotonic()
        done = self._work.run(*self._command(tool, stage))
        if _finished(stage) in done.text and "resuming from step" not in done.text:
            self._seconds[tool, stage] = time.monotonic() - began
        return done

    def _killed(self, kill: Kill, seconds: float, outcome: Outcome) -> str:
        """Run the stage and kill it; returns what it printed."""
        aim = self._root / kill.aim
        before = _stamp(aim)
        driver = self._work.start(*self._command(kill.tool, kill.stage))
        if kill.aim:
            while driver.poll() is None and _stamp(aim) == before:
                time.sleep(0.0005)
            time.sleep(0.1 * kill.fraction)
        else:
            time.sleep(kill.fraction * seconds)
        outcome.ended_before = driver.poll() is not None
        send = os.killpg if kill.group else os.kill
        if not outcome.ended_before:
            send(driver.pid, signal.Signals[kill.signal])
        try:
            driver.wait(HANG)
            _wait(lambda: not processes(self._root))
        except (TimeoutError, subprocess.TimeoutExpired):
            outcome.stuck = f"still running: {list(processes(self._root).values())}"
            kill_all(self._root)
        return self._work.text("started.txt")

    def _rerun(self, kill: Kill, killed_text: str, outcome: Outcome) -> None:
        """Run the stage to its end, and compare with the reference."""
        done = self._timed(kill.next_tool, kill.stage)
        if done.code != 0:
            outcome.stuck = outcome.stuck or done.text[-2000:]
            return
        outcome.put_back = _PUT_BACK in done.text
        if _finished(kill.stage) in done.text:
            if _finished(kill.stage) in killed_text:
                outcome.repeated = kill.tool != "bare"
            else:
                outcome.lost_steps = _lost_steps(killed_text, done.text)
        outcome.differs = self._other_than_reference(kill.stage, missing=True)
        if kill.tool != "bare" and not self._same_lock():
            outcome.differs.append("dvc.lock")

    def _other_than_reference(self, stage: str, missing: bool) -> list[str]:
        """Outputs whose bytes are not those of the reference; absent ones only if `missing`."""
        return [
            str(path)
            for path in self._outputs(stage)
            if (missing or (self._root / path).exists())
            and _contents(self._root / path) != _contents(self._reference.root / path)
        ]

    def _is_sound(self, name: str) -> bool:
        path = self._root / name
        if not path.exists():
            return True
        try:
            content = YAML(typ="safe").load(path.read_text())
        except Exception:  # whatever is wrong with it
            return False
        return isinstance(content, dict)

    def _same_lock(self) -> bool:
        yaml = YAML(typ="safe")
        ours, theirs = (yaml.load(r / "dvc.lock") for r in (self._root, self._reference.root))
        return bool(ours == theirs)


def _finished(stage: str) -> str:
    """What a stage prints when it has computed its outputs."""
    return f"hw2 {stage}: done after"


def _lost_steps(killed_text: str, next_text: str) -> int:
    """Steps of a training that the killed run did and the next one did again."""
    steps = re.findall(r"ddpm: step (\d+)/", killed_text)
    resumed = re.search(r"resuming from step (\d+)", next_text)
    return int(steps[-1] if steps else 0) - int(resumed[1] if resumed else 0)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    ours = (file for file in files if file.name != ".snakemake_timestamp")
    return {str(file.relative_to(path)): file.read_bytes() for file in ours}


def _wait(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + HANG
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError
        time.sleep(0.05)


def reference(folder: Path, stages: Sequence[str]) -> Scratch:
    """A finished run of these stages in `folder`, made by the first call."""

    def make_source(root: Path) -> None:
        scratch = of_working_tree(root)
        scratch.set(PARAMETERS)
        scratch.commit("kills")

    source = once(folder / "source", make_source)
    finished = once(folder / "reference", source.copy)
    with FileLock(folder / "repro.lock"):  # of another part
        finished.dvc("repro", *stages)
    return finished


def done_before(results: Path) -> Iterator[Outcome]:
    """The outcomes in a file of an earlier call."""
    lines = results.read_text().splitlines() if results.exists() else []
    for line in lines:
        record = json.loads(line)
        yield Outcome(**(record | {"kill": Kill(**record["kill"])}))


def table(outcomes: Sequence[Outcome]) -> str:
    """A Markdown table by tool and aim, and the faults."""
    lines = [
        "| run with | killed | kills | damaged files of DVC | finished stage put back | run twice"
        " | most steps lost | corrupt outputs | next run failed | other bytes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    killed = [outcome for outcome in outcomes if not outcome.ended_before]
    for tool in TOOLS:
        for aim in ("", *WRITTEN_BY_DVC):
            rows = [o for o in killed if o.kill.tool == tool and o.kill.aim == aim]
            if rows:
                when = f"while it wrote `{Path(aim).name}`" if aim else "at any instant"
                counts = (
                    len(rows),
                    sum(len(o.damaged) for o in rows),
                    sum(o.put_back for o in rows),
                    sum(o.repeated for o in rows),
                    max(o.lost_steps for o in rows),
                    sum(bool(o.corrupt) for o in rows),
                    sum(bool(o.stuck) for o in rows),
                    sum(bool(o.differs) for o in rows),
                )
                lines.append(f"| {tool} | {when} | " + " | ".join(map(str, counts)) + " |")
    lines.append(f"\n{len(killed)} kills; {len(outcomes) - len(killed)} signals came too late")
    return "\n".join([*lines, *(json.dumps(asdict(o)) for o in outcomes if o.is_fault)])


def _part(text: str) -> tuple[int, int]:
    part, parts = map(int, text.split("/"))
    if not 1 <= part <= parts:
        raise ValueError
    return part, parts


def main() -> int:
    """Kill until the number or the time is reached; the exit code is 1 after a fault."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where runs and results are kept")
    parser.add_argument("--kills", type=int, default=250)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=TOOLS)
    parser.add_argument("--aim-every", type=int, default=5, help="kills of which one is aimed")
    parser.add_argument(
        "--part", type=_part, default=(1, 1), metavar="K/N", help="of N calls at once"
    )
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after this time")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * options.minutes
    results = folder / "kills.jsonl"
    part, parts = options.part
    done = {outcome.kill.number for outcome in done_before(results)}
    try:
        bench = Bench(reference(folder, options.stages), folder / f"work-{part}-of-{parts}")
        for number in range(part - 1, options.kills, parts):
            if time.monotonic() > end:
                break
            if number not in done:
                drawn = Kill.drawn(number, options.stages, options.tools, options.aim_every)
                outcome = bench.run(drawn)
                with results.open("a") as file:
                    file.write(json.dumps(asdict(outcome)) + "\n")
    finally:
        shutil.rmtree(SITE_CACHE, ignore_errors=True)
    outcomes = sorted(done_before(results), key=lambda outcome: outcome.kill.number)
    print(table(outcomes))
    return int(any(outcome.is_fault for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
