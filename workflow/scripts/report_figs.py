"""Draw the report's figures."""

from hw2.figures import report
from hw2.pipeline import runner

if __name__ == "__main__":
    runner.run(report.run)
