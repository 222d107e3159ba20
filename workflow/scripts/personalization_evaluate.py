"""Score the small Stable Diffusion, the concepts and the methods for two concepts."""

from hw2.pipeline import runner
from hw2.stages import personalization_evaluate

if __name__ == "__main__":
    runner.run(personalization_evaluate.run)
