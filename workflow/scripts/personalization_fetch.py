"""Get the photographs of every concept and the prompts that are graded."""

from hw2.pipeline import runner
from hw2.stages import personalization_fetch

if __name__ == "__main__":
    runner.run(personalization_fetch.run)
