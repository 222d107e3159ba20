"""Choose the guidance scale on the val split."""

from hw2.pipeline import runner
from hw2.stages import ddpm_select_guidance

if __name__ == "__main__":
    runner.run(ddpm_select_guidance.run)
