"""What results were made from: commit, parameters, data, versions and machine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Changed:
    """A parameter whose value is not the default one; both values as JSON."""

    key: str
    value: str
    default: str


@dataclass(frozen=True)
class Data:
    """A file or folder of data: its MD5 by DVC (of the listing, for a folder) and its bytes."""

    path: str
    md5: str
    size: int


@dataclass(frozen=True)
class Provenance:
    """Where results come from.

    Attributes:
        commit: The last commit that changed a source; None without Git. A commit of results changes
            none, so that the results of a run stay those that a rerun makes.
        modified: Files among the sources that differ from the commit; None without Git.
        profile: The profile that was applied last.
        parameters: Parameters that differ from those of the profile `demo`.
        data: Data sets and given models, from dvc.lock.
        versions: Versions of Python and of the packages that compute.
        machine: The processor with the number of usable cores, and the GPUs.
        seconds: Seconds of each stage in the recorded run of the profile, if there is one.
        starts: When each of them started, in seconds since the first one, if that was recorded.
        producers: The stage that makes each artefact, by name in paths.yaml.
    """

    commit: str | None
    modified: tuple[str, ...] | None
    profile: str
    parameters: tuple[Changed, ...]
    data: tuple[Data, ...]
    versions: dict[str, str]
    machine: tuple[str, ...]
    seconds: dict[str, float]
    starts: dict[str, float]
    producers: dict[str, str]
