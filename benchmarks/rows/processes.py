"""The row of starting the stages."""

import subprocess
import sys
from pathlib import Path

from ceilings import of_processes
from comparison import OURS, ROOT, Comparison, Contender, Settings, timed

PEER = "all imports at the top"
IMPORTS = (
    "import torch, torchvision, open_clip, sklearn.manifold, matplotlib.pyplot\n"
    "from diffusers import StableDiffusionPipeline, DDIMPipeline, UNet2DModel"
)


def start_up(settings: Settings) -> Comparison:
    """From starting Python to the imports that a stage's script begins with."""
    names = sorted(path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py"))
    names = settings.size(names, names[-2:])
    details: dict[str, str] = {}

    def ours() -> None:
        for name in names:
            module = "hw2.figures.report" if name == "report_figs" else f"hw2.stages.{name}"
            details[name] = (
                f"{timed(lambda module=module: _python(f'import {module}')).processor:.2f} s"  # type: ignore[misc]
            )

    def nothing() -> None:
        """Files are in the system's memory after a round."""

    return Comparison(
        title="Starting a stage",
        unit="stage",
        contenders={
            OURS: Contender(ours, len(names), prepare=nothing),
            PEER: Contender(lambda: _python(IMPORTS), 1, prepare=nothing),
        },
        ceilings=of_processes(1),
        equal=f"Python and the imports of the {len(names)} stages, one after the other, against a"
        " script that imports at its top whatever one of the stages needs. What a stage imports"
        " later, when it runs, does not count for either.",
        details=details,
    )


def _python(code: str) -> None:
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n{code}",
    ]
    subprocess.run(command, check=True, cwd=Path(ROOT), capture_output=True)
