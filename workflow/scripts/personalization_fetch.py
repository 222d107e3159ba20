"""Collect the photographs of every concept and the graded prompts."""

from hw2.pipeline import runner
from hw2.stages import personalization_fetch

if __name__ == "__main__":
    runner.run(personalization_fetch.run)
