"""Fingerprint the source that each stage runs."""

from hw2.pipeline import runner
from hw2.stages import code

if __name__ == "__main__":
    runner.run(code.run)
