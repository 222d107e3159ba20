"""Train the small Stable Diffusion on captioned shapes."""

from hw2.pipeline import runner
from hw2.stages import stable_diffusion_train

if __name__ == "__main__":
    runner.run(stable_diffusion_train.run)
