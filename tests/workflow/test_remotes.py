"""A trained run goes through a remote of DVC into a clone, which redraws it without training.

test_rebuild has the same with a folder as the remote.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import servers
from scratch import FIGURES, Scratch
from servers import Remote

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("server", [servers.ssh, servers.s3])
def test_a_clone_that_pulls_draws_the_figures_without_training(
    server: Callable[[Path], AbstractContextManager[Remote]], copy: Scratch, tmp_path: Path
) -> None:
    with server(tmp_path / "server") as remote:
        (copy.root / ".dvc/config.local").write_text(remote.configuration)
        copy.dvc("push", "-q")
        clone = copy.clone(tmp_path / "clone")
        clone.dvc("pull", "-q")
    clone.set({"figures.dpi": 41})
    assert clone.snakemake(FIGURES).ran == {"report_figs"}
    assert clone.scheduled(FIGURES) == set()
