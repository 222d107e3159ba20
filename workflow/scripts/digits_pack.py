"""Pack the digits into one array per part."""

from hw2.pipeline import runner
from hw2.stages import digits_pack

if __name__ == "__main__":
    runner.run(digits_pack.run)
