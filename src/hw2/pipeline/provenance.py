"""Collects what the results of this checkout were made from.

Only facts that stay the same when the same run is repeated on the same machine are collected, so
that equal runs give equal reports. Stage times are therefore those of the recorded run.
"""

import json
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from hw2.config import loader, profiles
from hw2.io import timings
from hw2.pipeline import declared
from hw2.runtime.device import usable_cores
from hw2.runtime.provenance import Changed, Data, Provenance

LOCK = Path("dvc.lock")
SOURCES = (
    *("src", "workflow/scripts", "data/pretrained", "docs/claims.yaml", "requirements.lock"),
    *("dvc.yaml", declared.PARAMS_FILE, "paths.yaml", "profiles.yaml", "Snakefile"),
)
"""Files in Git that results depend on; the results in Git themselves are not among them."""
PACKAGES = (
    *("torch", "torchvision", "diffusers", "transformers", "open_clip_torch", "scikit-learn"),
    *("numpy", "pandas", "matplotlib", "dvc", "snakemake"),
)
_CPU_INFO, _GPUS = Path("/proc/cpuinfo"), Path("/proc/driver/nvidia/gpus")


def collect() -> Provenance:
    """Collect the facts about the checkout in the working directory.

    Raises:
        UserError: if params.yaml or profiles.yaml is missing or not valid YAML.
    """
    tree = loader.read_yaml(declared.PARAMS_FILE)
    profile = str(tree.get("profile"))
    return Provenance(
        commit=_git("log", "-1", "--format=%H", "--", *SOURCES) or None,
        modified=_modified(),
        profile=profile,
        parameters=tuple(_changed(tree)),
        data=tuple(_data()),
        versions=_versions(),
        machine=(_processor(), *_gpus()),
        seconds=timings.seconds(profile),
        starts=timings.starts(profile),
        producers=_producers(),
    )


def _producers() -> dict[str, str]:
    stages = loader.read_yaml(declared.DVC_FILE)["stages"]
    return {name: stage for stage, entry in stages.items() for name in declared.outputs(entry)}


def _git(*arguments: str) -> str | None:
    """The output of a Git command; None if Git or the repository is missing."""
    try:
        result = subprocess.run(
            ["git", "--no-optional-locks", *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.rstrip("\n")


def _modified() -> tuple[str, ...] | None:
    status = _git("status", "--porcelain", "--", *SOURCES)
    return None if status is None else tuple(line[3:] for line in status.splitlines())


def _changed(tree: Mapping[str, Any]) -> Iterator[Changed]:
    """Parameters that differ from the profile `demo` or, where it has none, from the commit's."""
    committed = _git("show", f"HEAD:./{declared.PARAMS_FILE}")
    default = dict(_flat(loader.read_value(committed) if committed else tree))
    default |= loader.read_yaml(profiles.FILE)[profiles.DEFAULT]
    for key, value in _flat(tree):
        if key != "profile" and key in default and value != default[key]:
            yield Changed(key, _shown(value), _shown(default[key]))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values by dotted key."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _data() -> Iterator[Data]:
    """Outputs and dependencies below data/ of the stages in dvc.lock, each once."""
    locked = (loader.read_yaml(LOCK) or {}).get("stages", {}) if LOCK.is_file() else {}
    current = loader.read_yaml(declared.DVC_FILE)["stages"]  # the lock keeps stages of old names
    found: dict[str, Data] = {}
    for entry in (entry for stage, entry in locked.items() if stage in current):
        for item in (*entry.get("outs", ()), *entry.get("deps", ())):
            if item["path"].startswith("data/") and "md5" in item:
                found[item["path"]] = Data(item["path"], item["md5"], item["size"])
    yield from (found[name] for name in sorted(found))


def _versions() -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def _processor() -> str:
    model = platform.machine()
    try:
        found = re.search(r"^model name\s*: (.+)$", _CPU_INFO.read_text(), flags=re.MULTILINE)
        model = found[1] if found else model
    except OSError:
        pass  # not Linux
    return f"{model}, {usable_cores()} core(s)"


def _gpus() -> Iterator[str]:
    for path in sorted(_GPUS.glob("*/information")):
        found = re.search(r"^Model:\s*(.+)$", path.read_text(errors="replace"), flags=re.MULTILINE)
        if found:
            yield found[1]
