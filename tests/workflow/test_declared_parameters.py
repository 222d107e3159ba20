"""A stage declares in dvc.yaml the parameters that it reads: a change reruns what reads it."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from scratch import EVERYTHING, Scratch

from hw2.config import loader, params
from hw2.pipeline import declared

pytestmark = pytest.mark.slow

HUB = {"stable_diffusion.revision", "stable_diffusion.config"}  # of models that are not a folder
# What the mini profile does not read, although another profile does.
READ_WITH_OTHER_VALUES = {
    "clip_fetch": {"data.course", "data.year"},  # for the course's images
    "digits_fetch": {"data.course", "data.year"},  # for the course's digits
    "ddpm_train": {"ddpm.network.n_feat"},  # for context_unet
    "ddpm_ablate": {"ddpm.network.n_feat"},
    "personalization_fetch": {"personalization.input"},  # with photographs of one's own
    "personalization_train": HUB | {"personalization.clip.revision"},
    "personalization_sample": HUB,
    "personalization_compare": HUB | {"personalization.clip.revision"},
    "personalization_evaluate": HUB | {"personalization.clip.revision"},
}


def _leaves(values: params.Params, key: str) -> Iterator[str]:
    """The dotted keys of all values at or below `key`."""
    node: Any = values
    for part in key.split("."):
        node = getattr(node, part)
    if isinstance(node, loader.Section):
        for name in type(node).model_fields:
            yield from _leaves(values, f"{key}.{name}")
    else:
        yield key


def _read(built: Scratch, stage: str) -> set[str]:
    """The parameters that the stage read, as its log lists them."""
    lines = re.findall(r"parameters read: (.*)", built.text(f"logs/{stage}.log"))
    assert lines, stage
    return set(lines[-1].split(", "))


def test_a_stage_reads_every_shared_parameter_that_it_declares(built: Scratch) -> None:
    values = params.load(built.root / "params.yaml")
    declared_leaves = {
        stage: {
            leaf
            for key in declared.read(stage, built.root / "dvc.yaml").params
            for leaf in _leaves(values, key)
        }
        for stage in EVERYTHING - {"report_figs"}  # which shows the parameters of all stages
    }
    users = Counter(leaf for leaves in declared_leaves.values() for leaf in leaves)
    unread = {
        stage: sorted(
            leaf
            for leaf in leaves - _read(built, stage)
            if users[leaf] > 1 and leaf not in READ_WITH_OTHER_VALUES.get(stage, set())
        )
        for stage, leaves in declared_leaves.items()
    }
    assert {stage: leaves for stage, leaves in unread.items() if leaves} == {}
