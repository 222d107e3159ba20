"""Lets the tests of this folder import `interruptions`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the import mode `importlib` leaves this to us
