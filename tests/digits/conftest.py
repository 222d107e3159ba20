"""Lets the tests of this folder import what they share, and the mirrors of tests/io."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "io")]  # the import mode `importlib` does not do this
