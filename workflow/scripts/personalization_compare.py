"""Compare the ways to have two concepts in one picture."""

from hw2.pipeline import runner
from hw2.stages import personalization_compare

if __name__ == "__main__":
    runner.run(personalization_compare.run)
