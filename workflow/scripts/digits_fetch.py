"""Collect the digits in one archive that has the course's layout."""

from hw2.pipeline import runner
from hw2.stages import digits_fetch

if __name__ == "__main__":
    runner.run(digits_fetch.run)
