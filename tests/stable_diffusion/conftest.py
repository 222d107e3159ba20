"""Fixtures of this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the import mode `importlib` leaves this to us

from small_v1 import checkpoint, stable_diffusion, v1  # noqa: F401  (fixtures)
