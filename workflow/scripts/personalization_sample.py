"""Sample the images that are graded."""

from hw2.pipeline import runner
from hw2.stages import personalization_sample

if __name__ == "__main__":
    runner.run(personalization_sample.run)
