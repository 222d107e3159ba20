"""Write the fingerprint of each stage script, for the stages to depend on."""

from pathlib import Path

from hw2.runtime import fingerprint

SCRIPTS = Path("workflow/scripts")


def run(*, code: Path, root: Path = Path()) -> None:
    """Write `code/<stem>` for every script except `code`, which always runs."""
    code.mkdir(parents=True, exist_ok=True)
    for script in sorted((root / SCRIPTS).glob("*.py")):
        if script.stem != "code":
            (code / script.stem).write_text(f"{fingerprint.fingerprint(script, root)}\n")
