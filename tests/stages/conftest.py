"""Lets the tests of this folder import `running`, and what other folders of tests share."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
SHARED = ("figures", "stable_diffusion", "training")
# The import mode `importlib` leaves this to us.
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in SHARED)]

from small_v1 import checkpoint, stable_diffusion, v1  # noqa: E402, F401  (fixtures)
