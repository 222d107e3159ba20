"""Select the headline numbers of the run from its measurements."""

from hw2.pipeline import runner
from hw2.stages import headline

if __name__ == "__main__":
    runner.run(headline.run)
