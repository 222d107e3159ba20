"""Measure how eta, steps and interpolation affect the faces."""

from hw2.pipeline import runner
from hw2.stages import faces_evaluate

if __name__ == "__main__":
    runner.run(faces_evaluate.run)
