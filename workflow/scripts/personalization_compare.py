"""Compare methods for two concepts in one image."""

from hw2.pipeline import runner
from hw2.stages import personalization_compare

if __name__ == "__main__":
    runner.run(personalization_compare.run)
