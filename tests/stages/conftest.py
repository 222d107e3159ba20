"""Lets the tests of this folder import `running`, and what tests/figures shares."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
# The import mode `importlib` leaves this to us.
sys.path[:0] = [str(HERE), str(HERE.parent / "figures")]
