"""`python -m hw2.cli`."""

import sys

from hw2.cli import main

sys.exit(main())
