"""Decode the digits into arrays, two for each domain and split."""

from hw2.pipeline import runner
from hw2.stages import digits_pack

if __name__ == "__main__":
    runner.run(digits_pack.run)
