"""Write the fingerprint of each stage script, for the stages to depend on."""

from pathlib import Path

from hw2.runtime import fingerprint


def run(*, code: Path, root: Path = Path()) -> None:
    """Write `code/<stem>` for every script except `code`, which always runs."""
    code.mkdir(parents=True, exist_ok=True)
    for script in fingerprint.scripts(root):
        (code / script.stem).write_text(fingerprint.line(script, root))
